#include "models/positions.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace attnlab {

Tensor sinusoids(const Tensor& positions, int64_t dim) {
  ensure(dim % 2 == 0, "an even width for sinusoidal positions, not {}", dim);
  const int64_t half = dim / 2;
  const auto fp64 = positions.options().dtype(torch::kDouble);
  const double step = std::log(10000.0) / static_cast<double>(std::max<int64_t>(half - 1, 1));
  const Tensor angles = positions.unsqueeze(-1) * torch::exp(torch::arange(half, fp64) * -step);
  return torch::cat({angles.sin(), angles.cos()}, -1);
}

Tensor sinusoidal_table(int64_t rows, int64_t dim) {
  return sinusoids(torch::arange(rows, torch::kDouble), dim);
}

PositionsImpl::PositionsImpl(PositionKind kind, int64_t max_length, int64_t dim, Initialisation how)
    : kind_(kind), max_length_(max_length) {
  const int64_t rows = max_length + padding_id + 1;
  if (kind == PositionKind::learned) {
    table_ = register_parameter("weight", torch::empty({rows, dim}));
    initialise_embedding(table_, EmbeddingKind::position, how, padding_id);
  } else {
    table_ = sinusoidal_table(rows, dim).to(torch::kFloat);
    table_[padding_id].zero_();
  }
}

void PositionsImpl::check_length(int64_t n) const {
  if (n > max_length_)
    user_error("a sequence of {} tokens is longer than the model's max_length of {}", n, max_length_);
}

void PositionsImpl::follow(const Tensor& x) {
  if (kind_ == PositionKind::learned) return;
  if (table_.scalar_type() == x.scalar_type() && table_.device() == x.device()) return;
  table_ = sinusoidal_table(table_.size(0), table_.size(1)).to(x.options().requires_grad(false));
  table_[padding_id].zero_();
}

void PositionsImpl::add_at(Tensor& x_RD, int64_t token) {
  check_length(token + 1);
  follow(x_RD);
  x_RD.add_(table_[padding_id + 1 + token]);
}

void PositionsImpl::add_to(Tensor& x_BND, const Tensor& padding_BN) {
  const int64_t n = x_BND.size(1);
  check_length(n);
  follow(x_BND);
  if (!padding_BN.defined()) {
    x_BND.add_(table_.narrow(0, padding_id + 1, n));
    return;
  }
  const Tensor real_BN = padding_BN.logical_not().to(torch::kLong);
  x_BND.add_(at::embedding(table_, real_BN.cumsum(1).mul_(real_BN).add_(padding_id), padding_id));
}

}  // namespace attnlab
