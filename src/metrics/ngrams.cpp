#include "metrics/ngrams.h"

#include <algorithm>

#include "core/error.h"

namespace attnlab {

NgramCounts count_ngrams(std::span<const uint32_t> symbols, int n, int bits) {
  ensure(n > 0 && n * bits <= 128, "{} symbols of {} bits in 128", n, bits);
  const int whole = n * bits;
  const Ngram mask = whole == 128 ? ~Ngram{0} : (Ngram{1} << whole) - 1;
  std::vector<Ngram> all;
  Ngram last = 0;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    last = (last << bits | symbols[i]) & mask;
    if (i + 1 >= static_cast<std::size_t>(n)) all.push_back(last);
  }
  std::sort(all.begin(), all.end());
  NgramCounts counts;
  for (const Ngram one : all) {
    if (counts.empty() || counts.back().ngram != one) counts.push_back({one, 0});
    ++counts.back().count;
  }
  return counts;
}

NgramCounts largest_of(const NgramCounts& a, const NgramCounts& b) {
  NgramCounts both;
  auto i = a.begin(), j = b.begin();
  while (i != a.end() || j != b.end()) {
    if (j == b.end() || (i != a.end() && i->ngram < j->ngram))
      both.push_back(*i++);
    else if (i == a.end() || j->ngram < i->ngram)
      both.push_back(*j++);
    else
      both.push_back({i->ngram, std::max(i->count, j->count)}), ++i, ++j;
  }
  return both;
}

int64_t matches(const NgramCounts& a, const NgramCounts& b) {
  int64_t sum = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    if (i->ngram < j->ngram)
      ++i;
    else if (j->ngram < i->ngram)
      ++j;
    else
      sum += std::min(i++->count, j++->count);
  }
  return sum;
}

std::vector<uint32_t> WordNumbers::operator()(const std::vector<std::u32string>& words) {
  std::vector<uint32_t> all;
  for (const std::u32string& word : words)
    all.push_back(numbers_.emplace(word, static_cast<uint32_t>(numbers_.size())).first->second);
  return all;
}

}  // namespace attnlab
