// Whole texts under a rule that needs no policy object.
#include <limits>
#include <numeric>

#include "kernels/bounded_attention.h"
#include "kernels/bounded_checks.h"
#include "kernels/bounded_operators.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();
constexpr float unseen = -std::numeric_limits<float>::infinity();

/// One lane's decisions, by slot.
class RuleHost final : public StepHost {
 public:
  /// columns: of the lane's tokens. expiry: by column.
  RuleHost(int64_t slots, const BoundedRule& rule, const int64_t* columns, int64_t* expiry)
      : rule_(rule),
        columns_(columns),
        expiry_(expiry),
        free_(slots),
        order_(slots, -1),
        bar_(slots, never),
        scores_(slots, 0.0),
        bias_(slots, unseen) {
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
    bar_[slot] = i < rule_.protect_first ? never : 0;
    bias_[slot] = 0;
    expiry_[columns_[i]] = -1;
    ++live_;
  }
  bool reads_weights() const override { return live_ > rule_.size && !rule_.by_age; }
  void decide(const float* mean, const float*, int64_t slots) override {
    if (live_ <= rule_.size) return;
    if (!rule_.by_age)
      simd().unscale(slots, mean, scores_.data());  // else all are equal, and the oldest goes
    drop_lowest(slots);
  }
  void decide_exactly(const ExactFigures& exact) override {
    std::copy(exact.mean.begin(), exact.mean.end(), scores_.begin());
    drop_lowest(static_cast<int64_t>(exact.mean.size()));
  }
  int64_t dead() const override { return static_cast<int64_t>(dead_.size()); }
  void recycle(int64_t count) override {
    free_.insert(free_.end(), dead_.begin(), dead_.begin() + count);
    dead_.erase(dead_.begin(), dead_.begin() + count);
  }

  const float* bias() const { return bias_.data(); }

 private:
  void drop_lowest(int64_t slots) {
    const int64_t slot = simd().lowest(slots, scores_.data(), bar_.data(), order_.data());
    expiry_[columns_[order_[slot]]] = columns_[newest_];
    bar_[slot] = never;
    bias_[slot] = unseen;
    dead_.push_back(slot);
    --live_;
  }

  BoundedRule rule_;
  const int64_t* columns_;
  int64_t newest_ = 0, live_ = 0, extent_ = 0;
  int64_t* expiry_;
  std::vector<int64_t> free_, dead_, order_;
  std::vector<double> bar_, scores_;
  std::vector<float> bias_;
};

/// Where sequence `b` has tokens.
std::vector<int64_t> columns_of(const Tensor& present, int64_t b, int64_t tokens) {
  std::vector<int64_t> columns(tokens);
  std::iota(columns.begin(), columns.end(), 0);
  if (present.defined()) {
    const bool* row = present.const_data_ptr<bool>() + b * tokens;
    std::erase_if(columns, [row](int64_t t) { return !row[t]; });
  }
  return columns;
}

}  // namespace

std::tuple<Tensor, Tensor> bounded_text(const Tensor& q, const Tensor& k, const Tensor& v, BoundedRule rule,
                                        bool apart, const Tensor& present) {
  check_no_gradient({q, k, v});
  check_text_shapes(q, k, v);
  check_size(rule.size, rule.protect_first);
  const int64_t batch = q.size(0), tokens = q.size(1), heads = q.size(2), kv = k.size(2), d = q.size(3);
  check_heads(heads, kv);
  if (present.defined()) check_beside(present, q, torch::kBool, {batch, tokens}, "present [B, T]");

  const int64_t groups = apart ? kv : 1;
  const HeadShape shape{heads / groups, kv / groups, d};
  Tensor y = torch::zeros_like(q), expiry_BGT = torch::full({batch, groups, tokens}, -2, torch::kLong);
  const Tensor expiry = apart ? expiry_BGT : expiry_BGT.squeeze(1);
  if (q.numel() == 0) return {y, expiry.fill_(-1)};
  on_threads(batch * groups, [&](int64_t lane, int threads) {
    const int64_t sequence = lane / groups, group = lane % groups;
    const std::vector<int64_t> columns = columns_of(present, sequence, tokens);
    const int64_t count = static_cast<int64_t>(columns.size());
    if (count == 0) return;
    const int64_t query = (sequence * tokens * heads + group * shape.heads) * d,
                  key = (sequence * tokens * kv + group * shape.kv_heads) * d;
    BlockSpace space(shape, std::min(rule.size, count), count, threads);
    RuleHost host(space.slots(), rule, columns.data(),
                  expiry_BGT.mutable_data_ptr<int64_t>() + lane * tokens);
    space.attend({.count = count,
                  .columns = columns.data(),
                  .q = q.const_data_ptr<float>() + query,
                  .k = k.const_data_ptr<float>() + key,
                  .v = v.const_data_ptr<float>() + key,
                  .y = y.mutable_data_ptr<float>() + query,
                  .q_stride = heads * d,
                  .k_stride = kv * d},
                 host, host.bias());
  });
  return {y, expiry};
}

std::tuple<Tensor, Tensor> tova_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t size) {
  return bounded_text(q, k, v, {.size = size}, /*apart=*/false, {});
}

}  // namespace attnlab
