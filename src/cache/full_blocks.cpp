// A text at once through the full cache, on the CPU in fp32: blocks of tokens against all states, by the
// kernel of the bounded ones with nobody to drop any. Torch's fused attention takes 1.2 to 1.4 times as long
// (measured at 2,048 and 4,096 tokens, 9 heads on 3 of 64).
#include <algorithm>
#include <limits>

#include "cache/full_state.h"
#include "cache/stored_tensor.h"
#include "kernels/bounded_attention.h"

namespace attnlab {
namespace {

/// Beyond it the logits of a block are no small matter any more.
constexpr int64_t most_logit_bytes = 256 << 20;
constexpr int64_t tokens_in_flight = 96;  // three blocks of 32

/// Keeps every token, in the order of their slots.
class KeepsAll final : public StepHost {
 public:
  explicit KeepsAll(int64_t slots)
      : bias_(static_cast<size_t>(slots), -std::numeric_limits<float>::infinity()) {}

  int64_t take() override { return taken_++; }
  int64_t extent() const override { return taken_; }
  void arrive(int64_t, int64_t slot) override { bias_[static_cast<size_t>(slot)] = 0.0f; }
  bool reads_weights() const override { return false; }
  void decide(const float*, const float*, int64_t) override {}
  void decide_exactly(const ExactFigures&) override {}
  int64_t dead() const override { return 0; }
  void recycle(int64_t) override {}

  const float* bias() const { return bias_.data(); }

 private:
  int64_t taken_ = 0;
  std::vector<float> bias_;
};

/// The states that are kept, [K, L, d] of a sequence, take their slots.
void put(const Tensor& k_KLd, const Tensor& v_KLd, const std::vector<int64_t>& columns, BlockSpace& space,
         KeepsAll& host) {
  const int64_t kv = k_KLd.size(0), d = k_KLd.size(2);
  const StoredTensor kept_k(k_KLd), kept_v(v_KLd);
  std::vector<float> k(static_cast<size_t>(kv * d)), v(k);
  for (const int64_t column : columns) {
    for (int64_t h = 0; h < kv; ++h) {
      const int64_t at = h * k_KLd.stride(0) + column * d;
      kept_k.get(at, d, k.data() + h * d);
      kept_v.get(at, d, v.data() + h * d);
    }
    const int64_t slot = host.take();
    host.arrive(column, slot);
    space.put(slot, k.data(), v.data());
  }
}

}  // namespace

bool FullState::reads_in_blocks(const Tensor& q_BTHd) const {
  const bool sees_all = shape_.sliding_window == 0 || length_ <= shape_.sliding_window;
  return q_BTHd.size(1) >= BlockSpace::fewest_tokens && sees_all &&
         4 * shape_.heads * tokens_in_flight * length_ <= most_logit_bytes;
}

Tensor FullState::attend_in_blocks(const Tensor& q_BTHd, const Tensor& k_BTKd, const Tensor& v_BTKd,
                                   int64_t first) const {
  const int64_t t = q_BTHd.size(1), kv = shape_.kv_heads, d = shape_.head_dim;
  const auto as_kept = [&](const Tensor& x) {
    return x.to(k_BKLd_.scalar_type()).to(x.scalar_type()).contiguous();
  };
  const Tensor q = q_BTHd.contiguous(), k = as_kept(k_BTKd), v = as_kept(v_BTKd);
  const Tensor present_BL = present_BL_.defined() ? present_BL_.contiguous() : present_BL_;
  Tensor y_BTHd = torch::zeros_like(q);
  on_threads(q.size(0), [&](int64_t b, int threads) {
    const auto is_present = [&](int64_t column) {
      return !present_BL.defined() || present_BL.const_data_ptr<bool>()[b * present_BL.size(1) + column];
    };
    std::vector<int64_t> before, columns;  // of what is kept, and of this call
    for (int64_t i = 0; i < length_; ++i)
      if (is_present(i)) (i < first ? before : columns).push_back(i < first ? i : i - first);
    if (columns.empty()) return;
    const auto count = static_cast<int64_t>(columns.size());
    BlockSpace space({shape_.heads, kv, d}, static_cast<int64_t>(before.size()) + count, count, threads);
    KeepsAll host(space.slots());
    put(k_BKLd_[b], v_BKLd_[b], before, space, host);
    space.attend({.count = count,
                  .columns = columns.data(),
                  .q = q.const_data_ptr<float>() + b * t * shape_.heads * d,
                  .k = k.const_data_ptr<float>() + b * t * kv * d,
                  .v = v.const_data_ptr<float>() + b * t * kv * d,
                  .y = y_BTHd.mutable_data_ptr<float>() + b * t * shape_.heads * d,
                  .q_stride = shape_.heads * d,
                  .k_stride = kv * d},
                 host, host.bias());
  });
  return y_BTHd;
}

}  // namespace attnlab
