#include "kernels/bounded_operators.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "kernels/bounded_attention.h"
#include "kernels/bounded_checks.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

/// TOVA's decisions for one sequence.
class TovaHost final : public StepHost {
 public:
  TovaHost(int64_t slots, int64_t size, int64_t* expiry)
      : size_(size),
        expiry_(expiry),
        free_(slots),
        order_(slots, -1),
        bar_(slots, std::numeric_limits<double>::infinity()),
        scores_(slots),
        bias_(slots, minus_infinity) {
    std::iota(free_.rbegin(), free_.rend(), 0);  // the lowest is taken first
  }

  int64_t take() override {
    const int64_t slot = free_.back();
    free_.pop_back();
    extent_ = std::max(extent_, slot + 1);
    return slot;
  }
  int64_t extent() const override { return extent_; }
  void arrive(int64_t i, int64_t slot) override {
    newest_ = i;
    order_[slot] = i;
    bar_[slot] = 0;
    bias_[slot] = 0;
    expiry_[i] = -1;
    ++live_;
  }
  void decide(const float* mean, int64_t slots) override {
    if (live_ <= size_) return;
    simd().widen(slots, mean, scores_.data());
    const int64_t slot = simd().lowest(slots, scores_.data(), bar_.data(), order_.data());
    expiry_[order_[slot]] = newest_;
    bar_[slot] = std::numeric_limits<double>::infinity();
    bias_[slot] = minus_infinity;
    dead_.push_back(slot);
    --live_;
  }
  int64_t dead() const override { return static_cast<int64_t>(dead_.size()); }
  void recycle(int64_t count) override {
    free_.insert(free_.end(), dead_.begin(), dead_.begin() + count);
    dead_.erase(dead_.begin(), dead_.begin() + count);
  }

  const float* bias() const { return bias_.data(); }

 private:
  int64_t size_, newest_ = 0, live_ = 0, extent_ = 0;
  int64_t* expiry_;
  std::vector<int64_t> free_, dead_, order_;  // order_, bar_, scores_ and bias_ are by slot
  std::vector<double> bar_, scores_;
  std::vector<float> bias_;
};

}  // namespace

std::tuple<Tensor, Tensor> bounded_attention_step(const Tensor& q, const Tensor& k, const Tensor& v,
                                                  const Tensor& bias, const Tensor& extent) {
  check_no_gradient({q, k, v});
  check_step_shapes(q, k, v);
  const int64_t batch = k.size(0), kv_heads = k.size(1), slots = k.size(2), units = batch * kv_heads;
  check_heads(q.size(1), kv_heads);
  TORCH_CHECK(!bias.defined() || bias.sizes() == k.sizes().slice(0, 3), "expected bias [B, K, S], not ",
              bias.defined() ? bias.sizes() : at::IntArrayRef());
  TORCH_CHECK(!extent.defined() || (extent.sizes() == k.sizes().slice(0, 2) && extent.is_cpu() &&
                                    extent.scalar_type() == torch::kLong),
              "expected extent [B, K] of int64 on the CPU");

  std::vector<int64_t> ends(units, slots);
  if (extent.defined()) std::copy_n(extent.const_data_ptr<int64_t>(), units, ends.begin());
  for (const int64_t end : ends)
    TORCH_CHECK(0 <= end && end <= slots, "an extent of ", end, " is outside the ", slots, " slots");
  const std::vector<float> all_seen(bias.defined() ? 0 : slots, 0.0f);
  std::vector<const float*> biases(units, all_seen.data());
  for (int64_t unit = 0; unit < units; ++unit) {
    if (bias.defined()) biases[unit] = bias.const_data_ptr<float>() + unit * slots;
    const bool sees =
        std::any_of(biases[unit], biases[unit] + ends[unit], [](float b) { return b != minus_infinity; });
    if (!sees) biases[unit] = nullptr;
  }

  Tensor y = torch::empty_like(q), shares = torch::zeros({batch, kv_heads, slots}, q.options());
  std::vector<float> scratch;
  attend_step({.shape = {q.size(1), kv_heads, q.size(2)},
               .batch = batch,
               .slots = slots,
               .q = q.const_data_ptr<float>(),
               .k = k.const_data_ptr<float>(),
               .v = v.const_data_ptr<float>(),
               .bias = biases.data(),
               .extent = ends.data(),
               .y = y.mutable_data_ptr<float>(),
               .shares = shares.mutable_data_ptr<float>()},
              scratch);
  return {y, shares};
}

std::tuple<Tensor, Tensor> tova_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t size) {
  check_no_gradient({q, k, v});
  check_text_shapes(q, k, v);
  check_size(size);
  const int64_t batch = q.size(0), tokens = q.size(1);
  const HeadShape shape{q.size(2), k.size(2), q.size(3)};
  check_heads(shape.heads, shape.kv_heads);

  Tensor y = torch::empty_like(q), expiry = torch::empty({batch, tokens}, torch::kLong);
  if (q.numel() == 0) return {y, expiry.fill_(-1)};
  std::vector<int64_t> columns(tokens);
  std::iota(columns.begin(), columns.end(), 0);
  on_threads(batch, [&](int64_t sequence, int threads) {
    const int64_t query = sequence * tokens * shape.heads * shape.d,
                  key = sequence * tokens * shape.kv_heads * shape.d;
    BlockSpace space(shape, std::min(size, tokens), tokens, threads);
    TovaHost host(space.slots(), size, expiry.mutable_data_ptr<int64_t>() + sequence * tokens);
    space.attend({.count = tokens,
                  .columns = columns.data(),
                  .q = q.const_data_ptr<float>() + query,
                  .k = k.const_data_ptr<float>() + key,
                  .v = v.const_data_ptr<float>() + key,
                  .y = y.mutable_data_ptr<float>() + query,
                  .q_stride = shape.heads * shape.d,
                  .k_stride = shape.kv_heads * shape.d},
                 host, host.bias());
  });
  return {y, expiry};
}

}  // namespace attnlab
