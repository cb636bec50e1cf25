// RULER's score of an answer (Hsieh et al. 2024, arXiv 2404.06654; github.com/NVIDIA/RULER).
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace attnlab {

/// The share of the references that stand somewhere in the prediction, both lower-cased as Python would
/// (scripts/eval/synthetic/constants.py: string_match_all). Of the prediction every control character below
/// U+0020 is a line end first, and what is blank at either end goes (scripts/eval/evaluate.py:
/// postprocess_pred). There is a reference at least.
double string_match_all(std::string_view prediction, std::span<const std::string> references);

}  // namespace attnlab
