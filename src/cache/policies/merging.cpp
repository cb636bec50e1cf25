#include "cache/policies/merging.h"

#include "cache/policies/tova.h"

namespace attnlab {

std::unique_ptr<Policy> MergingOptions::build(const PolicyShape& shape) const {
  return TovaOptions().build(shape);
}

std::unique_ptr<Afterlife> MergingOptions::afterlife() const { return std::make_unique<Merging>(); }

void Merging::grow(int64_t lanes, int64_t slots) {
  counts_.resize(lanes);
  for (auto& lane : counts_) lane.resize(slots, 1.0);
}

void Merging::reorder(const std::vector<int64_t>& lanes) {
  std::vector<std::vector<double>> counts;
  for (const int64_t lane : lanes) counts.push_back(counts_[lane]);
  counts_ = std::move(counts);
}

int64_t Merging::bytes() const {
  int64_t bytes = 0;
  for (const auto& lane : counts_) bytes += static_cast<int64_t>(lane.size() * sizeof(double));
  return bytes;
}

void Merging::drop(int64_t lane, int64_t slot, std::span<const int64_t> order, Tensor k_KSd, Tensor v_KSd) {
  const Tensor keys_SD = k_KSd.transpose(0, 1).flatten(1).to(torch::kDouble);  // a slot's keys of all heads
  const Tensor key_D = keys_SD[slot];
  const Tensor norms_S = (keys_SD.norm(2, -1) * key_D.norm()).clamp_min(1e-30);
  const Tensor cosines_S = (keys_SD.matmul(key_D) / norms_S).to(torch::kCPU).contiguous();
  const double* cosines = cosines_S.const_data_ptr<double>();
  int64_t nearest = -1;
  for (size_t s = 0; s < order.size(); ++s)
    if (order[s] >= 0 && (nearest < 0 || cosines[s] > cosines[nearest])) nearest = static_cast<int64_t>(s);
  if (nearest < 0) return;
  double& count = counts_[lane][nearest];
  const double share = counts_[lane][slot] / (count + counts_[lane][slot]);
  count += counts_[lane][slot];
  for (Tensor* x : {&k_KSd, &v_KSd}) x->select(1, nearest).lerp_(x->select(1, slot), share);
}

}  // namespace attnlab
