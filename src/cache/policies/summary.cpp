#include "cache/policies/summary.h"

#include <cmath>

#include "cache/policies/tova.h"

namespace attnlab {

std::unique_ptr<Policy> SummaryOptions::build(const PolicyShape& shape) const {
  return TovaOptions().build(shape);
}

std::unique_ptr<Afterlife> SummaryOptions::afterlife() const {
  return std::make_unique<DroppedSummary>(directions);
}

void DroppedSummary::grow(int64_t lanes, int64_t) { lanes_.resize(lanes); }

void DroppedSummary::reorder(const std::vector<int64_t>& lanes) {
  // Tensors of a summary are replaced, never written to: copies may share them.
  std::vector<Moments> copies;
  for (const int64_t lane : lanes) copies.push_back(lanes_[lane]);
  lanes_ = std::move(copies);
}

int64_t DroppedSummary::bytes() const {
  int64_t bytes = 0;
  for (const Moments& m : lanes_)
    if (m.mean_KP.defined()) bytes += static_cast<int64_t>(m.mean_KP.nbytes() + m.rows_KrP.nbytes());
  return bytes;
}

void DroppedSummary::drop(int64_t lane, int64_t slot, std::span<const int64_t>, Tensor k_KSd, Tensor v_KSd) {
  Moments& m = lanes_[lane];
  const Tensor pair_KP = torch::cat({k_KSd.select(1, slot), v_KSd.select(1, slot)}, -1).to(torch::kDouble);
  if (m.count == 0) {
    m.mean_KP = torch::zeros_like(pair_KP);
    m.rows_KrP = torch::zeros({pair_KP.size(0), directions_, pair_KP.size(1)}, pair_KP.options());
  }
  const double n = static_cast<double>(m.count++);
  const Tensor off_KP = pair_KP - m.mean_KP;
  m.mean_KP = m.mean_KP + off_KP / (n + 1);
  if (directions_ == 0 || n == 0) return;
  // The scatter grows by n/(n+1)·off·offᵀ: one more row; the r + 1 rows are turned onto their principal axes
  // and the weakest is let go.
  const Tensor rows = torch::cat({m.rows_KrP, (off_KP * std::sqrt(n / (n + 1))).unsqueeze(1)}, 1);
  const auto [values, axes] = torch::linalg_eigh(rows.matmul(rows.transpose(-2, -1)));  // ascending
  m.rows_KrP = axes.transpose(-2, -1).matmul(rows).narrow(1, 1, directions_).contiguous();
}

Answer DroppedSummary::answer(int64_t lane, const Tensor& q_KGd) const {
  const Moments& m = lanes_[lane];
  if (m.count == 0) return {};
  const int64_t d = q_KGd.size(-1);
  const double n = static_cast<double>(m.count);
  const Tensor q = q_KGd.to(torch::kDouble);
  const Tensor along_KGr = q.matmul(m.rows_KrP.narrow(-1, 0, d).transpose(-2, -1));
  const Tensor mean_logit_KG = q.matmul(m.mean_KP.narrow(-1, 0, d).unsqueeze(-1)).squeeze(-1);
  return {mean_logit_KG + along_KGr.square().sum(-1) * (0.5 / n) + std::log(n),
          m.mean_KP.narrow(-1, d, d).unsqueeze(1) + along_KGr.matmul(m.rows_KrP.narrow(-1, d, d)) / n};
}

}  // namespace attnlab
