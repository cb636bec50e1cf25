// A multi-state of at most k states per layer and head (Oren et al. 2024, §3): each new token is appended,
// attends to all states including the one about to go, and then the policy drops one if there are more than
// k.
//
// Given many tokens at once the result is the same: on the CPU in fp32 blocks of tokens are multiplied with
// all slots together and only softmax and choice go token by token (native_blocks.cpp); one token at a time
// reuses the slot of the state that went (native_step.cpp); elsewhere the same steps are composed of Torch's
// operators (composed_steps.cpp).
#pragma once

#include <memory>
#include <vector>

#include "cache/afterlife.h"
#include "cache/bounded_options.h"
#include "cache/cache_options.h"
#include "cache/state.h"
#include "cache/step_space.h"
#include "cache/token_call.h"

namespace attnlab {

struct StepArguments;

/// Where a lane's newest token stands.
struct Newest {
  int64_t lane, slot;
};

class BoundedState final : public LayerState {
 public:
  BoundedState(BoundedOptions options, const StateShape& shape, const StateRun& run);
  Tensor attend(const NewTokens& tokens, const Rope& rope) override;
  const char* kind() const override { return composed_ ? "composed" : "native"; }
  int64_t bytes() const override;
  void reorder(const Tensor& rows) override;
  std::unique_ptr<LayerState> copy(const Tensor& rows) const override;
  Tensor expiry() const override;

 private:
  TokenCall begin(const NewTokens& tokens, const Rope& rope);
  Tensor composed_steps(const TokenCall& call, const Rope& rope);
  /// Of composed_steps: the tokens of column t take slots, of which the lanes are told; a lane drops what
  /// must go.
  std::vector<Newest> place(const TokenCall& call, int64_t t);
  void settle(int64_t lane, std::span<const double> weights, std::span<const double> figures);
  Tensor native_steps(const TokenCall& call, const Rope& rope);
  /// Of native_steps: the tokens of column t into free slots; positions of states where gaps are compressed;
  /// what lanes drop after a step.
  void place_in_step(const TokenCall& call, int64_t t);
  void position_for_step();
  void settle_after(const StepArguments& step);
  Tensor native_blocks(const TokenCall& call);
  void read_blocks(const TokenCall& call, int64_t sequence, int64_t group, Tensor& y_BTHd, int threads);

  int64_t groups() const { return apart_ ? shape_.kv_heads : 1; }
  int64_t lane_kv_heads() const { return shape_.kv_heads / groups(); }
  int64_t capacity() const { return k_BKSd_.size(2); }
  Lane& lane(int64_t sequence, int64_t group) { return lanes_[sequence * groups() + group]; }
  /// Slots that are live at once at most, however much is read, as things are dropped now.
  int64_t most_slots() const;
  /// Slots that a lane needs while it reads `tokens` more.
  int64_t slots_needed(const Lane& lane, int64_t tokens) const;
  DropAt drop_at() const;
  /// Slots for a call that is read step by step.
  void make_room(const TokenCall& call);
  /// Room for so many slots a lane; existing states keep theirs.
  void grow(int64_t slots);
  /// A lane's part of the keys or values: [its key-value heads, S, d].
  Tensor lane_part(const Tensor& x_BKSd, int64_t lane) const;
  /// Gives back what a prompt needed beyond k + 1 slots.
  void shrink();

  BoundedOptions options_;
  PolicyNeeds needs_;
  StateShape shape_;
  bool apart_, composed_;
  std::vector<Lane> lanes_;                            ///< sequence after sequence, groups inside
  Tensor k_BKSd_, v_BKSd_;                             ///< by slot
  int64_t columns_ = 0;                                ///< tokens fed so far, padding counted
  bool prompt_read_ = false, prompt_goes_on_ = false;  ///< goes on: behind the call in hand
  Cloned<Afterlife> afterlife_;                        ///< null where dropped states are forgotten
  StepSpace step_;
};

}  // namespace attnlab
