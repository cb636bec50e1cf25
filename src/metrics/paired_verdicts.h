// Two classifiers on the same examples: what their accuracies differ by, and whether chance explains it.
#pragma once

#include <cstdint>

namespace attnlab {

/// How often each of two, a and b, was right. Examples that both get right, or both wrong, say nothing of
/// which is better.
struct PairedVerdicts {
  int64_t both = 0, only_a = 0, only_b = 0, neither = 0;

  void add(bool a, bool b);
  int64_t examples() const { return both + only_a + only_b + neither; }
  /// Accuracy of b less that of a; NaN without examples.
  double difference() const;
  /// Of the difference, over examples: of the mean of b − a (−1, 0 or 1), with n − 1; NaN below two examples.
  double standard_error() const;
  /// McNemar's exact test (McNemar 1947): the two-sided probability that `only_a` and `only_b` fall as far
  /// apart where either is as likely; 1 where they never disagree.
  double p_value() const;
};

}  // namespace attnlab
