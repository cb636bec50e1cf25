// Figures with their uncertainty.
#pragma once

#include <cstdint>
#include <span>

namespace attnlab {

/// A share of n independent trials.
struct Proportion {
  double value = 0;           ///< 0–1; NaN for n = 0
  double standard_error = 0;  ///< sqrt(p (1 − p) / n), over the examples; says nothing of other seeds
  int64_t n = 0;
};

/// correct / n with its binomial standard error.
Proportion accuracy(int64_t correct, int64_t n);
/// Share of predictions equal to their label; both spans have the same length.
Proportion accuracy(std::span<const int32_t> predictions, std::span<const int32_t> labels);

/// Figures of several runs that differ in their seed.
struct Spread {
  double mean = 0;                ///< NaN for n = 0
  double standard_deviation = 0;  ///< of the sample, with n − 1; NaN for n < 2
  double standard_error = 0;      ///< of the mean: standard_deviation / sqrt(n)
  int64_t n = 0;
};
Spread spread(std::span<const double> values);

/// The class that is most frequent among these labels, the lowest of equals; labels are below `classes`.
int32_t majority_class(std::span<const int32_t> labels, int32_t classes);

}  // namespace attnlab
