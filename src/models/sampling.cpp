#include "models/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"

namespace attnlab {
namespace {

/// Ids by falling logit, equal ones by id; put in order only as far as they are looked at, which with a
/// vocabulary of many thousands is not far.
class Falling {
 public:
  explicit Falling(std::span<const float> logits) : logits_(logits), ids_(logits.size()) {
    std::iota(ids_.begin(), ids_.end(), 0);
  }
  int64_t operator[](int64_t place) {
    while (place >= ordered_) order_more();
    return ids_[static_cast<std::size_t>(place)];
  }

 private:
  void order_more() {
    const auto earlier = [this](int64_t a, int64_t b) {
      const float x = of(a), y = of(b);
      return x != y ? x > y : a < b;
    };
    const auto begin = ids_.begin() + ordered_;
    ordered_ = std::min<int64_t>(std::max<int64_t>(64, 4 * ordered_), static_cast<int64_t>(ids_.size()));
    const auto end = ids_.begin() + ordered_;
    if (end != ids_.end()) std::nth_element(begin, end, ids_.end(), earlier);
    std::sort(begin, end, earlier);
  }

  /// NaN stands last: sorting needs an order.
  float of(int64_t id) const {
    const float x = logits_[static_cast<std::size_t>(id)];
    return std::isnan(x) ? -std::numeric_limits<float>::infinity() : x;
  }

  std::span<const float> logits_;
  std::vector<int64_t> ids_;
  int64_t ordered_ = 0;
};

/// The tokens that may come next.
class Admitted {
 public:
  Admitted(std::span<const float> logits, const SamplingOptions& options)
      : logits_(logits), falling_(logits), temperature_(options.temperature) {
    ensure(!logits.empty() && temperature_ > 0, "logits and a temperature above 0");
    highest_ = *std::max_element(logits.begin(), logits.end());
    const auto size = static_cast<int64_t>(logits.size());
    count_ = options.top_k > 0 ? std::min(options.top_k, size) : size;
    if (count_ == size)
      for (int64_t id = 0; id < size; ++id) sum_ += weight_of(id);
    else
      for (int64_t i = 0; i < count_; ++i) sum_ += weight_of(falling_[i]);
    if (options.top_p >= 1) return;
    const double wanted = options.top_p * sum_;
    int64_t kept = 0;
    for (sum_ = 0; kept < count_ && (kept == 0 || sum_ < wanted); ++kept) sum_ += weight_of(falling_[kept]);
    count_ = kept;
  }
  int64_t count() const { return count_; }
  /// The i-th most probable.
  Candidate operator[](int64_t i) {
    const int64_t id = falling_[i];
    return {id, weight_of(id) / sum_};
  }

 private:
  double weight_of(int64_t id) const {
    return std::exp((static_cast<double>(logits_[static_cast<std::size_t>(id)]) - highest_) / temperature_);
  }

  std::span<const float> logits_;
  Falling falling_;
  double temperature_, highest_, sum_ = 0;
  int64_t count_;
};

std::span<const float> row_of(const torch::Tensor& logits_BV, int64_t b) {
  return {logits_BV.const_data_ptr<float>() + b * logits_BV.size(1),
          static_cast<std::size_t>(logits_BV.size(1))};
}

/// A NaN is neither less nor more than anything: who looks for the largest logit would find one all the same.
/// Beside an infinite one no other has a probability; −inf alone says that a token cannot come.
[[noreturn]] void refuse_logits() {
  run_error(
      "the model's logits are not numbers (NaN, or infinite): its weights are damaged, or its numbers "
      "outgrow their type");
}

}  // namespace

void SamplingOptions::visit(Fields& f) {
  f("temperature", temperature, Range{0, 100}, "logits are divided by it; 0: always the most probable token");
  f("top_k", top_k, Range{0, 1 << 24},
    "only the so many most probable tokens; 0: all (temperature 0: no effect)");
  f("top_p", top_p, Range{1e-9, 1},
    "only the fewest tokens with at least this probability together (Holtzman et al. 2020)");
}

std::vector<Candidate> candidates(std::span<const float> logits, const SamplingOptions& options) {
  Admitted admitted(logits, options);
  std::vector<Candidate> all;
  for (int64_t i = 0; i < admitted.count(); ++i) all.push_back(admitted[i]);
  return all;
}

int64_t choose_token(std::span<const float> logits, const SamplingOptions& options, double uniform) {
  if (std::ranges::any_of(logits, [](float x) { return std::isnan(x); }) ||
      !std::isfinite(*std::ranges::max_element(logits)))
    refuse_logits();
  if (options.temperature == 0) return std::max_element(logits.begin(), logits.end()) - logits.begin();
  Admitted admitted(logits, options);
  int64_t last = 0;
  for (int64_t i = 0; i < admitted.count(); ++i) {
    const Candidate c = admitted[i];
    uniform -= c.probability;
    if (uniform < 0) return c.id;
    last = c.id;
  }
  return last;  // rounding left a little over
}

torch::Tensor choose_by_operators(const torch::Tensor& logits_BV, const SamplingOptions& options,
                                  const torch::Tensor& uniform_B) {
  if (options.temperature == 0) return logits_BV.argmax(-1);
  auto [falling_BV, ids_BV] = logits_BV.sort(/*stable=*/true, /*dim=*/-1, /*descending=*/true);
  const int64_t size = logits_BV.size(1), count = options.top_k > 0 ? std::min(options.top_k, size) : size;
  const torch::Tensor logits_BC = falling_BV.narrow(1, 0, count).to(torch::kDouble);
  const torch::Tensor sums_BC =
      ((logits_BC - logits_BC.narrow(1, 0, 1)) / options.temperature).exp().cumsum(-1);
  torch::Tensor last_B1 = torch::full_like(ids_BV.narrow(1, 0, 1), count - 1);
  if (options.top_p < 1)
    last_B1 = sums_BC.lt(options.top_p * sums_BC.narrow(1, count - 1, 1)).sum(-1, true).minimum(last_B1);
  const torch::Tensor kept_B1 = sums_BC.gather(1, last_B1);
  const torch::Tensor place_B1 = sums_BC.le(uniform_B.unsqueeze(1) * kept_B1).sum(-1, true);
  return ids_BV.gather(1, place_B1.minimum(last_B1)).squeeze(1);
}

std::vector<int64_t> choose_tokens(const torch::Tensor& logits_BV, const SamplingOptions& options,
                                   const std::vector<double>& uniforms) {
  std::vector<int64_t> ids;
  if (!logits_BV.is_cpu()) {
    const torch::Tensor uniform_B = torch::tensor(uniforms, torch::kDouble).to(logits_BV.device());
    if (!logits_BV.amax(-1).isfinite().all().item<bool>()) refuse_logits();  // NaN is carried on by amax
    const torch::Tensor ids_B = choose_by_operators(logits_BV, options, uniform_B).cpu();
    ids.assign(ids_B.const_data_ptr<int64_t>(), ids_B.const_data_ptr<int64_t>() + ids_B.numel());
    return ids;
  }
  for (int64_t b = 0; b < logits_BV.size(0); ++b)
    ids.push_back(choose_token(row_of(logits_BV, b), options, uniforms[static_cast<std::size_t>(b)]));
  return ids;
}

torch::Tensor surprisal_of(const torch::Tensor& logits_BV, const torch::Tensor& ids_B) {
  const torch::Tensor log_p_BV = logits_BV.to(torch::kDouble).log_softmax(-1);
  return log_p_BV.gather(1, ids_B.unsqueeze(1)).squeeze(1).neg();
}

}  // namespace attnlab
