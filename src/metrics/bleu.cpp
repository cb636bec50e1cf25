#include "metrics/bleu.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/error.h"
#include "metrics/ngrams.h"
#include "metrics/python/text.h"

namespace attnlab {
namespace {

constexpr int word_bits = 32;

std::vector<std::u32string> words_of(std::string_view text, const BleuOptions& options) {
  const std::u32string line = python::decoded(text);
  return bleu_words(options.lowercase ? python::lower(line) : line, options.tokenizer);
}

using OrderCounts = std::array<NgramCounts, bleu_orders>;

OrderCounts counts_of(const std::vector<uint32_t>& words) {
  OrderCounts counts;
  for (std::size_t n = 1; n <= bleu_orders; ++n)
    counts[n - 1] = count_ngrams(words, static_cast<int>(n), word_bits);
  return counts;
}

/// Whether a reference of `length` words is closer to the prediction than one of `best`, or as close and
/// shorter.
bool is_closer(int64_t length, int64_t best, int64_t prediction) {
  const int64_t far = std::abs(length - prediction), best_far = std::abs(best - prediction);
  return far < best_far || (far == best_far && length < best);
}

double smoothing_value(const BleuOptions& options) {
  return options.smoothing_value.value_or(options.smoothing == BleuSmoothing::floor ? 0.1 : 1.0);
}

std::string told(const BleuOptions& options) {
  switch (options.smoothing) {
    case BleuSmoothing::floor:
      return fmt::format("floor[{:.2f}]", smoothing_value(options));
    case BleuSmoothing::add_k:
      return fmt::format("add-k[{:.2f}]", smoothing_value(options));
    case BleuSmoothing::none:
      return "none";
    case BleuSmoothing::exponential:
      break;
  }
  return "exp";
}

/// Matches and n-grams of an order as they enter its precision.
double smoothed_precision(double matched, double total, double& halvings, const BleuOptions& options) {
  if (matched > 0) return 100 * matched / total;
  if (options.smoothing == BleuSmoothing::floor) return 100 * smoothing_value(options) / total;
  if (options.smoothing != BleuSmoothing::exponential) return 0;
  halvings *= 2;
  return 100 / (halvings * total);
}

}  // namespace

BleuOptions compound_split_bleu() {
  return {.tokenizer = BleuTokenizer::compound_split, .smoothing = BleuSmoothing::none};
}

BleuStatistics& BleuStatistics::operator+=(const BleuStatistics& other) {
  prediction_length += other.prediction_length;
  reference_length += other.reference_length;
  for (std::size_t i = 0; i < bleu_orders; ++i) {
    matches[i] += other.matches[i];
    totals[i] += other.totals[i];
  }
  return *this;
}

BleuStatistics bleu_statistics(std::string_view prediction, std::span<const std::string> references,
                               const BleuOptions& options) {
  ensure(!references.empty(), "a reference at least");
  WordNumbers numbers;
  const std::vector<uint32_t> predicted = numbers(words_of(prediction, options));
  BleuStatistics found{.prediction_length = static_cast<int64_t>(predicted.size()), .reference_length = -1};
  OrderCounts wanted;
  for (const std::string& reference : references) {
    const std::vector<uint32_t> words = numbers(words_of(reference, options));
    const OrderCounts counts = counts_of(words);
    for (std::size_t i = 0; i < bleu_orders; ++i) wanted[i] = largest_of(wanted[i], counts[i]);
    const auto length = static_cast<int64_t>(words.size());
    if (found.reference_length < 0 || is_closer(length, found.reference_length, found.prediction_length))
      found.reference_length = length;
  }
  const OrderCounts counts = counts_of(predicted);
  for (std::size_t i = 0; i < bleu_orders; ++i) {
    found.matches[i] = matches(counts[i], wanted[i]);
    found.totals[i] = std::max<int64_t>(0, found.prediction_length - static_cast<int64_t>(i));
  }
  return found;
}

BleuScore bleu_score(const BleuStatistics& corpus, const BleuOptions& options) {
  BleuScore score;
  const auto predicted = static_cast<double>(corpus.prediction_length),
             wanted = static_cast<double>(corpus.reference_length);
  if (predicted < wanted) score.brevity_penalty = predicted > 0 ? std::exp(1 - wanted / predicted) : 0;
  if (std::all_of(corpus.matches.begin(), corpus.matches.end(), [](int64_t m) { return m == 0; }))
    return score;
  std::size_t orders = options.effective_order ? 0 : bleu_orders;
  double halvings = 1;
  for (std::size_t i = 0; i < bleu_orders; ++i) {
    const double more = options.smoothing == BleuSmoothing::add_k && i > 0 ? smoothing_value(options) : 0;
    const double total = static_cast<double>(corpus.totals[i]) + more;
    if (total == 0) break;
    if (options.effective_order) orders = i + 1;
    score.precisions[i] =
        smoothed_precision(static_cast<double>(corpus.matches[i]) + more, total, halvings, options);
  }
  double logs = 0;
  for (std::size_t i = 0; i < orders; ++i) logs += std::log(score.precisions[i]);
  score.bleu = score.brevity_penalty * std::exp(logs / static_cast<double>(orders));
  return score;
}

std::string bleu_signature(const BleuOptions& options, int64_t references, int64_t lines) {
  return fmt::format("nrefs:{}|case:{}|eff:{}|tok:{}|smooth:{}|lines:{}",
                     references > 0 ? std::to_string(references) : "var", options.lowercase ? "lc" : "mixed",
                     options.effective_order ? "yes" : "no", name_of(options.tokenizer), told(options),
                     lines);
}

}  // namespace attnlab
