// Under what a figure can be compared with somebody else's.
#pragma once

#include <string>

namespace attnlab {

/// What BLEU and chrF were tested equal to.
inline constexpr const char* equal_to_sacrebleu = "tested equal to sacreBLEU 2.6.0";

/// The signature with the program that made the figure, and behind it what that was tested equal to, if
/// anything: "nrefs:1|…|lines:3003|attnlab 0.1.0 (tested equal to sacreBLEU 2.6.0)".
std::string signed_by_attnlab(const std::string& signature, const char* equal_to);

}  // namespace attnlab
