// How sure a corpus's figure is, where the figure is no mean over sentences: sentences drawn again with
// replacement (Koehn 2004).
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "core/random.h"
#include "metrics/statistics.h"

namespace attnlab {

struct Resampling {
  int64_t resamples = 1000;
  uint64_t seed =
      12345;  ///< the same seed draws the same sentences, so that two systems are compared in pairs

  /// "bs:1000|seed:12345"
  std::string signature() const;
};

/// The figure of each resample: `score` of the sum of so many sentences' statistics, drawn with replacement.
template <class Statistics, class Score>
std::vector<double> resampled(std::span<const Statistics> sentences, const Score& score,
                              const Resampling& how = {}) {
  Random random(derive_seed(how.seed, "bootstrap"));
  std::vector<double> scores;
  for (int64_t i = 0; i < how.resamples; ++i) {
    Statistics sum;
    for (std::size_t j = 0; j < sentences.size(); ++j) sum += sentences[random.below(sentences.size())];
    scores.push_back(score(sum));
  }
  return scores;
}

template <class Statistics>
Statistics total_of(std::span<const Statistics> sentences) {
  Statistics sum;
  for (const Statistics& one : sentences) sum += one;
  return sum;
}

/// A corpus's figure; its standard error is the deviation of the resampled ones, NaN for a single sentence.
struct CorpusFigure {
  double value = 0;
  double standard_error = 0;
};
template <class Statistics, class Score>
CorpusFigure corpus_figure(std::span<const Statistics> sentences, const Score& score,
                           const Resampling& how = {}) {
  const double alone = std::numeric_limits<double>::quiet_NaN();
  return {score(total_of(sentences)),
          sentences.size() < 2 ? alone : spread(resampled(sentences, score, how)).standard_deviation};
}

/// Of two systems over the same sentences and the same resamples.
struct PairedDifference {
  double difference = 0;      ///< of the corpora: b − a
  double standard_error = 0;  ///< over resamples
  /// How often chance alone makes so large a difference, as sacreBLEU counts it: (c + 1) / (n + 1), where c
  /// of n resamples differ by more than their mean and the corpora's difference together, in size.
  double p = 1;
};
PairedDifference paired_difference(double score_a, double score_b, std::span<const double> resampled_a,
                                   std::span<const double> resampled_b);

}  // namespace attnlab
