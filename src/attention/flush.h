// Sentences moved to the left edge of their batch. Attentions that count positions (a fixed-length
// projection, blocks) need token i of every sentence in column i, whichever side the padding stands on.
#pragma once

#include "attention/attention.h"

namespace attnlab {

class Flush {
 public:
  /// padding: bool [B, n], true at padding, or undefined. A GPU is not waited for, to learn the lengths.
  Flush(const Tensor& padding_BN, int64_t n)
      : Flush(padding_BN, n, !padding_BN.defined() || padding_BN.is_cpu()) {}
  /// `looks`: whether length() is the longest sentence's and what stands at the left already stays; else all
  /// n columns are moved.
  Flush(const Tensor& padding_BN, int64_t n, bool looks);

  /// Columns that the longest sentence takes, at least.
  int64_t length() const { return length_; }
  /// [B, n, …] to [B, length(), …]: tokens in order, then padding.
  Tensor left(const Tensor& x_BND) const;
  /// The inverse; columns beyond length() are 0.
  Tensor back(const Tensor& y_BLD) const;
  /// True at padding after left(): bool [B, length()], or undefined where there is none.
  const Tensor& padding() const { return padding_BL_; }

 private:
  int64_t n_, length_;
  Tensor order_BN_;  ///< undefined where every sentence stands at the left already
  Tensor padding_BL_;
};

/// Throws UserError where a batch is longer than a fixed-length attention was built for.
void check_fixed_length(const char* attention, int64_t length, int64_t max_length);

}  // namespace attnlab
