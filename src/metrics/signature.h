// Under what a figure can be compared with somebody else's.
#pragma once

#include <string>

namespace attnlab {

/// What BLEU and chrF were tested equal to.
inline constexpr const char* equal_to_sacrebleu = "tested equal to sacreBLEU 2.6.0";
/// What ROUGE was, with its stemmer.
inline constexpr const char* equal_to_rouge_score = "tested equal to rouge-score 0.1.2";
/// What token F1 was: no release of the evaluator, but its rules.
inline constexpr const char* equal_to_qasper_rules =
    "tested equal to the rules of QASPER's evaluator, written out in Python";

/// The signature with the program that made the figure, and behind it what that was tested equal to, if
/// anything: "nrefs:1|…|lines:3003|attnlab 0.1.0 (tested equal to sacreBLEU 2.6.0)".
std::string signed_by_attnlab(const std::string& signature, const char* equal_to);

}  // namespace attnlab
