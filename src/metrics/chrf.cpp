#include "metrics/chrf.h"

#include <fmt/format.h>

#include "core/error.h"
#include "metrics/ngrams.h"
#include "metrics/python/text.h"
#include "metrics/python/words.h"

namespace attnlab {
namespace {

constexpr int code_point_bits = 21, word_bits_in_chrf = 32;
constexpr double beta = 2;

bool is_ascii_punctuation(char32_t c) {
  return (U'!' <= c && c <= U'/') || (U':' <= c && c <= U'@') || (U'[' <= c && c <= U'`') ||
         (U'{' <= c && c <= U'~');
}

/// A word gives off one mark, its last or else its first.
std::vector<std::u32string> without_marks(const std::vector<std::u32string>& words) {
  std::vector<std::u32string> parts;
  for (const std::u32string& word : words) {
    const std::size_t cut = word.size() == 1                     ? 0
                            : is_ascii_punctuation(word.back())  ? word.size() - 1
                            : is_ascii_punctuation(word.front()) ? 1
                                                                 : 0;
    if (cut > 0) parts.push_back(word.substr(0, cut));
    parts.push_back(word.substr(cut));
  }
  return parts;
}

/// n-grams of each order of a text.
using Counts = std::array<NgramCounts, chrf_character_orders + chrf_most_word_orders>;

Counts counts_of(std::string_view text, const ChrfOptions& options, WordNumbers& numbers) {
  const std::u32string line = python::decoded(text);
  const std::vector<std::u32string> words = python::split(options.lowercase ? python::lower(line) : line);
  std::vector<uint32_t> characters;
  for (const std::u32string& word : words) characters.insert(characters.end(), word.begin(), word.end());
  Counts counts;
  for (std::size_t i = 0; i < chrf_character_orders; ++i)
    counts[i] = count_ngrams(characters, static_cast<int>(i) + 1, code_point_bits);
  if (options.word_orders == 0) return counts;
  const std::vector<uint32_t> parts = numbers(without_marks(words));
  for (int64_t n = 1; n <= options.word_orders; ++n)
    counts[chrf_character_orders + static_cast<std::size_t>(n) - 1] =
        count_ngrams(parts, static_cast<int>(n), word_bits_in_chrf);
  return counts;
}

int64_t sum_of(const NgramCounts& counts) {
  int64_t sum = 0;
  for (const NgramCount& one : counts) sum += one.count;
  return sum;
}

ChrfStatistics compared(const Counts& predicted, const Counts& wanted) {
  ChrfStatistics found;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (!wanted[i].empty())
      found.orders[i] = {sum_of(predicted[i]), sum_of(wanted[i]), matches(predicted[i], wanted[i])};
  return found;
}

}  // namespace

ChrfStatistics& ChrfStatistics::operator+=(const ChrfStatistics& other) {
  for (std::size_t i = 0; i < orders.size(); ++i) {
    orders[i].predicted += other.orders[i].predicted;
    orders[i].wanted += other.orders[i].wanted;
    orders[i].matches += other.orders[i].matches;
  }
  return *this;
}

ChrfStatistics chrf_statistics(std::string_view prediction, std::span<const std::string> references,
                               const ChrfOptions& options) {
  ensure(!references.empty(), "a reference at least");
  ensure(0 <= options.word_orders && options.word_orders <= static_cast<int64_t>(chrf_most_word_orders),
         "word n-grams up to 2, not up to {}", options.word_orders);
  WordNumbers numbers;
  const Counts predicted = counts_of(prediction, options, numbers);
  ChrfStatistics best;
  double best_score = -1;
  for (const std::string& reference : references) {
    const ChrfStatistics found = compared(predicted, counts_of(reference, options, numbers));
    if (const double score = chrf_score(found); score > best_score) {
      best = found;
      best_score = score;
    }
  }
  return best;
}

double chrf_score(const ChrfStatistics& corpus) {
  double precision = 0, recall = 0, orders = 0;
  for (const ChrfStatistics::Order& order : corpus.orders) {
    if (order.predicted == 0 || order.wanted == 0) continue;
    const auto matched = static_cast<double>(order.matches);
    precision += matched / static_cast<double>(order.predicted);
    recall += matched / static_cast<double>(order.wanted);
    ++orders;
  }
  if (precision + recall == 0) return 0;
  precision /= orders;
  recall /= orders;
  const double factor = beta * beta;
  return 100 * ((1 + factor) * precision * recall / (factor * precision + recall));
}

std::string chrf_signature(const ChrfOptions& options, int64_t references, int64_t lines) {
  return fmt::format("nrefs:{}|case:{}|eff:yes|nc:{}|nw:{}|space:no|lines:{}",
                     references > 0 ? std::to_string(references) : "var", options.lowercase ? "lc" : "mixed",
                     chrf_character_orders, options.word_orders, lines);
}

}  // namespace attnlab
