// How much a generated text repeats itself.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attnlab {

/// Different n-grams over all n-grams (distinct-n, Li et al. 2016); 1 − that is seq-rep-n of Welleck et al.
/// 2020. NaN of a text that is shorter than n.
double distinct(std::span<const int64_t> ids, int64_t n);
double distinct(std::span<const std::string> words, int64_t n);

/// Runs of characters between ASCII white space, as they are written.
std::vector<std::string> white_space_words(std::string_view text);

}  // namespace attnlab
