// A text at once on the CPU in fp32: blocks of tokens against k + block slots (see
// kernels/bounded_attention.h). Sequences, or heads that decide apart, side by side on the threads where
// there are enough of them; otherwise the threads share a lane's heads.
#include <algorithm>
#include <exception>

#include "cache/bounded_state.h"
#include "cache/stored_tensor.h"
#include "kernels/bounded_attention.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

/// Lets a lane decide while a text is computed. What it throws is kept until that is done.
class LaneHost final : public StepHost {
 public:
  LaneHost(Lane& lane, const TokenCall& call, int64_t sequence, int64_t head, int64_t heads)
      : lane_(lane), call_(call), sequence_(sequence), head_(head), heads_(heads) {}

  int64_t take() override { return lane_.take(); }
  int64_t extent() const override { return lane_.extent(); }
  void arrive(int64_t i, int64_t slot) override {
    lane_.arrive(slot, call_.arrival(sequence_, call_.columns[sequence_][i], head_, heads_));
  }
  bool reads_weights() const override { return lane_.reads_weights(); }
  void decide(const float* mean, const float* figures, int64_t slots) override {
    decide_by(std::span(mean, slots), std::span(figures, figures ? slots : 0));
  }
  void decide_exactly(const ExactFigures& exact) override {
    decide_by(std::span<const double>(exact.mean), std::span<const double>(exact.figures));
  }
  int64_t dead() const override { return lane_.dead(); }
  void recycle(int64_t count) override { lane_.recycle(count); }

  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  template <class Number>
  void decide_by(std::span<const Number> mean, std::span<const Number> figures) {
    try {
      lane_.decide(mean, figures);
    } catch (...) {
      if (!failure_) failure_ = std::current_exception();
      while (lane_.live() > lane_.options().size) lane_.drop_oldest();
    }
  }

  Lane& lane_;
  const TokenCall& call_;
  int64_t sequence_, head_, heads_;
  std::exception_ptr failure_;
};

}  // namespace

void BoundedState::read_blocks(const TokenCall& call, int64_t sequence, int64_t group, Tensor& y_BTHd,
                               int threads) {
  Lane& lane = this->lane(sequence, group);
  const std::vector<int64_t>& columns = call.columns[sequence];
  const int64_t tokens = static_cast<int64_t>(columns.size()), d = shape_.head_dim, kv = shape_.kv_heads;
  if (tokens == 0) return;
  const int64_t heads = lane_kv_heads(), head = group * heads;
  const HeadShape shape{shape_.heads / groups(), heads, d};
  BlockSpace space(shape, std::max(slots_needed(lane, tokens), lane.live()), tokens, threads, needs_.figure);
  lane.open(std::max(space.slots(), capacity()));

  // One slot of all the lane's heads, in fp32.
  const StoredTensor kept_k(k_BKSd_), kept_v(v_BKSd_);
  std::vector<float> k(static_cast<size_t>(heads * d)), v(k);
  const auto stored = [&](int64_t h, int64_t slot) {
    return ((sequence * kv + head + h) * capacity() + slot) * d;
  };
  for (int64_t s = 0; s < capacity(); ++s) {
    if (lane.order()[s] < 0) continue;
    for (int64_t h = 0; h < heads; ++h) {
      kept_k.get(stored(h, s), d, k.data() + h * d);
      kept_v.get(stored(h, s), d, v.data() + h * d);
    }
    space.put(s, k.data(), v.data());
  }

  const int64_t first_key = (sequence * call.length() * kv + head) * d;
  const int64_t first_query = (sequence * call.length() * shape_.heads + group * shape.heads) * d;
  LaneHost host(lane, call, sequence, head, heads);
  space.attend({.count = tokens,
                .columns = columns.data(),
                .q = call.q_BTHd.const_data_ptr<float>() + first_query,
                .k = call.k_BTKd.const_data_ptr<float>() + first_key,
                .v = call.v_BTKd.const_data_ptr<float>() + first_key,
                .y = y_BTHd.mutable_data_ptr<float>() + first_query,
                .q_stride = shape_.heads * d,
                .k_stride = kv * d},
               host, lane.bias());
  host.rethrow();

  std::vector<int64_t> source(lane.slots());
  for (int64_t s = 0; s < lane.slots(); ++s) source[s] = s;
  lane.compact(capacity(), [&](int64_t from, int64_t to) { source[to] = from; });
  for (int64_t s = 0; s < capacity(); ++s) {
    if (lane.order()[s] < 0) continue;
    space.get(source[s], k.data(), v.data());
    for (int64_t h = 0; h < heads; ++h) {
      kept_k.put(stored(h, s), d, k.data() + h * d);
      kept_v.put(stored(h, s), d, v.data() + h * d);
    }
  }
}

Tensor BoundedState::native_blocks(const TokenCall& call) {
  Tensor y_BTHd = torch::zeros_like(call.q_BTHd);
  int64_t most = 0;
  for (int64_t b = 0; b < call.batch(); ++b)
    most = std::max(most, slots_needed(lane(b, 0), static_cast<int64_t>(call.columns[b].size())));
  // More than a size and one are live only while blocks are read, unless what is dropped is dropped later.
  const bool dropped_later = drop_at() == DropAt::never || prompt_goes_on_;
  grow(dropped_later ? most : std::min(most, options_.lane.size + 1));
  on_threads(static_cast<int64_t>(lanes_.size()), [&](int64_t i, int threads) {
    const torch::NoGradGuard no_grad;  // of this thread
    read_blocks(call, i / groups(), i % groups(), y_BTHd, threads);
  });
  return y_BTHd;
}

}  // namespace attnlab
