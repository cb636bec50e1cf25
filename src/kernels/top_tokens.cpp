#include "kernels/top_tokens.h"

#include "kernels/native.h"

namespace attnlab {
namespace {

struct Token {
  float logit;
  int64_t id;
};
bool is_before(const Token& a, const Token& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

/// The best tokens so far, as a heap whose front is the worst of them.
class BestTokens {
 public:
  BestTokens(int64_t count, const std::vector<int64_t>& never)
      : count_(static_cast<size_t>(count)), never_(never) {
    heap_.reserve(count_);
  }
  /// What a logit must exceed: ids rise, so that among equals the first stays.
  float bar() const { return heap_.size() < count_ ? -INFINITY : heap_.front().logit; }
  void offer(float logit, int64_t id) {
    if (!(logit > bar()) || std::find(never_.begin(), never_.end(), id) != never_.end()) return;
    if (heap_.size() == count_) {
      std::pop_heap(heap_.begin(), heap_.end(), is_before);
      heap_.pop_back();
    }
    heap_.push_back({logit, id});
    std::push_heap(heap_.begin(), heap_.end(), is_before);
  }
  const std::vector<Token>& sorted() {
    std::sort_heap(heap_.begin(), heap_.end(), is_before);
    return heap_;
  }

 private:
  size_t count_;
  const std::vector<int64_t>& never_;
  std::vector<Token> heap_;
};

constexpr int64_t looked_at_together = 64;  // few logits of many pass the bar: whole runs are passed over

bool any_above(const float* x, float bar) {
  int any = 0;
  for (int64_t i = 0; i < looked_at_together; ++i) any |= x[i] > bar;
  return any != 0;
}

void offer_all(const float* x, int64_t n, BestTokens& best) {
  int64_t i = 0;
  for (; i + looked_at_together <= n; i += looked_at_together)
    if (any_above(x + i, best.bar()))
      for (int64_t j = i; j < i + looked_at_together; ++j) best.offer(x[j], j);
  for (; i < n; ++i) best.offer(x[i], i);
}

/// One row; log_p and ids hold what stands for no token.
double top_of_row(const float* logits, int64_t n, BestTokens best, double* log_p, int64_t* ids) {
  const auto [top, sum] = simd().exp_sum(n, logits);
  const double log_sum = static_cast<double>(top) + std::log(sum);
  if (!std::isfinite(log_sum)) return log_sum;
  offer_all(logits, n, best);
  for (const Token& token : best.sorted()) {
    *log_p++ = std::min(0.0, static_cast<double>(token.logit) - log_sum);
    *ids++ = token.id;
  }
  return log_sum;
}

TopTokens top_native(const Tensor& logits_RV, int64_t count, const std::vector<int64_t>& never) {
  const int64_t rows = logits_RV.size(0), n = logits_RV.size(1);
  TopTokens out{at::empty({rows}, torch::kDouble),
                at::full({rows, count}, -std::numeric_limits<double>::infinity(), torch::kDouble),
                at::full({rows, count}, -1, torch::kLong)};
  const float* logits = logits_RV.const_data_ptr<float>();
  auto* log_sums = out.log_sums_R.mutable_data_ptr<double>();
  auto* log_p = out.log_p_RC.mutable_data_ptr<double>();
  auto* ids = out.ids_RC.mutable_data_ptr<int64_t>();
  for_rows(rows, n, [&](int64_t first, int64_t here, int) {
    for (int64_t r = first; r < first + here; ++r)
      log_sums[r] =
          top_of_row(logits + r * n, n, BestTokens(count, never), log_p + r * count, ids + r * count);
  });
  return out;
}

TopTokens top_composed(const Tensor& logits_RV, int64_t count, const std::vector<int64_t>& never) {
  const Tensor log_sums_R = logits_RV.logsumexp(-1);
  Tensor allowed_RV = logits_RV;
  if (!never.empty())
    allowed_RV = logits_RV.index_fill(1, torch::tensor(never, torch::kLong).to(logits_RV.device()),
                                      -std::numeric_limits<double>::infinity());
  const auto [best_RC, ids_RC] = allowed_RV.topk(count);
  const Tensor sums_R = log_sums_R.cpu().to(torch::kDouble);
  Tensor log_p_RC = (best_RC.cpu().to(torch::kDouble) - sums_R.unsqueeze(1)).clamp_max(0);
  const Tensor absent_RC = log_p_RC.isfinite().logical_not();
  return {sums_R, log_p_RC.masked_fill(absent_RC, -std::numeric_limits<double>::infinity()),
          ids_RC.cpu().masked_fill(absent_RC, -1)};
}

}  // namespace

TopTokens top_tokens(const Tensor& logits_RV, int64_t count, const std::vector<int64_t>& never) {
  const torch::NoGradGuard no_grad;
  TORCH_CHECK(logits_RV.dim() == 2 && logits_RV.size(1) > 0 && count > 0, "logits of ", logits_RV.sizes(),
              " and a count of ", count);
  const int64_t most = std::min(count, logits_RV.size(1));
  return is_fp32_on_cpu(logits_RV) ? top_native(logits_RV.contiguous(), most, never)
                                   : top_composed(logits_RV, most, never);
}

}  // namespace attnlab
