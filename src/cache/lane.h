// A lane: the states that are kept and dropped by one decision, without their keys and values. All heads of a
// layer of one sequence are a lane, or each key-value head where heads decide apart. Here, and nowhere else,
// is the lowest score chosen (ties: the oldest), are states protected, sizes kept and expiry recorded.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "cache/policy.h"
#include "core/cloned.h"

namespace attnlab {

struct LaneOptions {
  int64_t size = 1;                         ///< k: states kept after dropping
  int64_t protect_first = 0;                ///< the first so many states are never dropped
  std::vector<int64_t> protected_ids = {};  ///< tokens of these ids are never dropped; ascending
  int64_t sliding_window = 0;  ///< tokens see this many, themselves included, as the model does; 0: all
  bool record_expiry = true;
};

/// A token as it arrives.
struct Arrival {
  int64_t column = 0;  ///< of all tokens fed to the state so far, padding counted
  int64_t id = 0;
  double key_norm = 0.0, surprisal = 0.0;
};

/// When states are dropped.
enum class DropAt { every_token, end_of_call, never };

class Lane {
 public:
  static constexpr int64_t kept = -1, padding = -2;                                 ///< values of expiry
  static constexpr int64_t more_to_come = std::numeric_limits<int64_t>::max() / 2;  ///< tokens of begin()

  Lane(LaneOptions options, PolicyNeeds needs, std::unique_ptr<Policy> policy);

  /// Makes room for so many slots.
  void open(int64_t slots);
  /// The next `tokens` tokens belong together: states are dropped after each of them, after every `piece` of
  /// the sequence and at the end, or at the end alone. `more_to_come`: the end is not among them.
  void begin(int64_t tokens, DropAt drop, int64_t piece = 1);
  /// A free slot, the lowest, for a token that has yet to arrive.
  int64_t take();
  /// The token in `slot` has its turn: it is live from now on. What leaves the model's sliding window is not.
  void arrive(int64_t slot, const Arrival& token);
  /// After attention: `weights` by slot, and the figures that the policy needs. Returns the slots whose
  /// states were dropped; they stay taken until recycle(). Throws UserError where protected tokens leave
  /// nothing to drop.
  std::span<const int64_t> decide(std::span<const double> weights, std::span<const double> figures = {});
  /// The same of numbers times weight_scale (kernels/weight_scale.h), as the native kernels have them.
  std::span<const int64_t> decide(std::span<const float> weights, std::span<const float> figures = {});
  /// Drops the oldest state whatever protects it: the way on after decide() has thrown.
  void drop_oldest();
  /// Slots of dropped states that are not free yet; the `count` longest dead of them, or all, are free again.
  int64_t dead() const { return static_cast<int64_t>(dropped_.size()); }
  void recycle(int64_t count);
  void recycle() { recycle(dead()); }
  /// Moves live states to slots below `slots`, telling moved(from, to) of each, and forgets the slots above.
  void compact(int64_t slots, const std::function<void(int64_t, int64_t)>& moved);

  int64_t slots() const { return static_cast<int64_t>(order_.size()); }
  int64_t live() const { return live_; }
  /// What the policy keeps beside keys and values.
  int64_t bytes() const { return policy_->bytes(); }
  /// Whether the policy looks at weights at all.
  bool reads_weights() const { return needs_.weights; }
  const LaneOptions& options() const { return options_; }
  /// By slot: the how-manieth token of its sequence, −1 where there is none.
  std::span<const int64_t> order() const { return order_; }
  /// By slot: 0 where a state is live, −∞ elsewhere; to be added to logits.
  const float* bias() const { return bias_.data(); }
  /// One past the last slot in use.
  int64_t extent() const;
  /// By column: the column of the last token that saw it, `kept` or `padding`.
  std::span<const int64_t> expiry() const { return expiry_; }

 private:
  std::span<const int64_t> decide_by();
  void drop(int64_t slot, int64_t last_column);
  int64_t until_drop() const;
  bool is_protected(int64_t order, int64_t id) const;

  LaneOptions options_;
  PolicyNeeds needs_;
  Cloned<Policy> policy_;

  int64_t time_ = 0, live_ = 0, newest_ = 0, column_ = -1;
  int64_t left_ = 0, piece_ = 1;
  DropAt drop_at_ = DropAt::every_token;

  std::vector<int64_t> order_, column_of_;  // by slot
  std::vector<double> norms_, surprisal_, bar_, weights_, figures_;
  std::vector<float> bias_;
  std::vector<int64_t> free_, dropped_;  // free_ descending, so that the lowest is taken first
  std::vector<int64_t> expiry_;
};

}  // namespace attnlab
