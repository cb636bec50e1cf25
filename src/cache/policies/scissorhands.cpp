#include "cache/policies/scissorhands.h"

#include <algorithm>
#include <limits>

#include "cache/policies/observed_window.h"

namespace attnlab {
namespace {

class Scissorhands final : public CloneablePolicy<Scissorhands> {
 public:
  Scissorhands(int64_t history, int64_t recent) : history_(history), recent_(recent) {}

  std::span<const double> scores(const StepView& view) override {
    const size_t n = view.order.size();
    const size_t words = static_cast<size_t>((history_ + 63) / 64);
    low_.resize(n * words, 0);
    counts_.resize(n, 0.0);
    scores_.resize(n);
    std::fill_n(low_.begin() + view.newest * words, words, 0);
    counts_[view.newest] = 0.0;

    // Bit `at` of a state tells of the step `history_` steps ago until it is overwritten with this one's.
    const int64_t at = view.time % history_;
    const uint64_t bit = uint64_t{1} << (at % 64);
    const double fair =
        (1.0 - 1e-6) / static_cast<double>(view.live);  // rounding of an even weight is no fall
    for (size_t s = 0; s < n; ++s) {
      uint64_t& word = low_[s * words + at / 64];
      const bool was_low = word & bit, is_low = view.weights[s] < fair;
      word = is_low ? word | bit : word & ~bit;
      counts_[s] += static_cast<double>(is_low) - static_cast<double>(was_low);
      const bool is_recent = view.order[s] > view.time - recent_;
      scores_[s] = is_recent ? std::numeric_limits<double>::infinity() : -counts_[s];
    }
    return scores_;
  }

  void move(int64_t from, int64_t to) override {
    const int64_t words = (history_ + 63) / 64;
    std::copy_n(low_.begin() + from * words, words, low_.begin() + to * words);
    counts_[to] = counts_[from];
  }

 private:
  int64_t history_, recent_;
  std::vector<uint64_t> low_;  ///< [slots, words]: the steps of the history at which a state's weight was low
  std::vector<double> counts_, scores_;
};

}  // namespace

std::unique_ptr<Policy> ScissorhandsOptions::build(const PolicyShape& shape) const {
  const int64_t kept = std::min(recent, shape.size / 2);
  require_choice("scissorhands", kept, shape);
  return std::make_unique<Scissorhands>(history, kept);
}

}  // namespace attnlab
