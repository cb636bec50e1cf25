// n-grams of symbols, counted. Up to 128 bits of symbols make one number, so that counting is sorting.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace attnlab {

__extension__ using Ngram = unsigned __int128;

struct NgramCount {
  Ngram ngram;
  int64_t count;
};

/// Sorted by n-gram, each once.
using NgramCounts = std::vector<NgramCount>;

/// All n-grams of `symbols`, each below 2^bits; n·bits is at most 128.
NgramCounts count_ngrams(std::span<const uint32_t> symbols, int n, int bits);

/// The larger count of each.
NgramCounts largest_of(const NgramCounts& a, const NgramCounts& b);
/// Σ of the smaller count of each.
int64_t matches(const NgramCounts& a, const NgramCounts& b);

/// Numbers for words, the same for the same word.
class WordNumbers {
 public:
  std::vector<uint32_t> operator()(const std::vector<std::u32string>& words);

 private:
  std::unordered_map<std::u32string, uint32_t> numbers_;
};

}  // namespace attnlab
