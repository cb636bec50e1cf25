// What attentions with the four linear maps of Vaswani et al. 2017, §3.2.2, have in common: heads that divide
// the width, and query, key, value and output projections, D×D with bias, registered under these names.
#pragma once

#include "attention/attention.h"
#include "attention/causal.h"
#include "attention/shape.h"
#include "kernels/linear.h"

namespace attnlab {

template <class Attention>
class Projected : public Attention {
 protected:
  /// Throws UserError unless the heads divide the width.
  explicit Projected(const AttentionShape& shape) : shape_(shape) {
    check_heads(shape);
    const auto linear = [&](const char* name) {
      return this->register_module(name, Linear(shape.dim, shape.dim));
    };
    query_ = linear("query");
    key_ = linear("key");
    value_ = linear("value");
    output_ = linear("output");
  }

  AttentionShape shape_;
  Linear query_{nullptr}, key_{nullptr}, value_{nullptr}, output_{nullptr};
};

using ProjectedAttentionImpl = Projected<AttentionImpl>;
using ProjectedCausalAttentionImpl = Projected<CausalAttentionImpl>;

}  // namespace attnlab
