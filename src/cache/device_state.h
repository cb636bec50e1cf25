// A multi-state that never leaves its device: attention and every decision are made by the operators of
// kernels/bounded_operators.h, and nothing waits for the host. For GPUs, and for the policies whose rule
// those operators know: TOVA and windows. The same results as BoundedState, which serves everything else.
#pragma once

#include <string>

#include "cache/bounded_options.h"
#include "cache/cache_options.h"
#include "cache/state.h"
#include "kernels/bounded_operators.h"

namespace attnlab {

class DeviceState final : public LayerState {
 public:
  /// Whether it should serve: on a GPU, whatever policy has a rule that the operators know. Where it does
  /// not, steps made of Torch's operators stand in for it, 10 to 100 times slower; other policies have no
  /// faster ones.
  static bool is_expected(const BoundedOptions& options, torch::Device device);
  /// "" where the operators know this rule with all that is asked of it, heads of this shape and states of
  /// this type, else what they do not know.
  static std::string unknown(const BoundedOptions& options, const StateShape& shape, torch::Dtype type);
  /// "" where it serves, else why the ordinary state does: the wrong device, a rule that the operators do not
  /// know, no operators, or operators that do not decide as the CPU's do (device_check.h, asked once a
  /// process).
  static std::string why_not(const BoundedOptions& options, const StateShape& shape, const StateRun& run);

  DeviceState(const BoundedOptions& options, const StateShape& shape, const StateRun& run);

  Tensor attend(const NewTokens& tokens, const Rope& rope) override;
  const char* kind() const override { return "device"; }
  int64_t bytes() const override;
  void reorder(const Tensor& rows) override;
  std::unique_ptr<LayerState> copy(const Tensor& rows) const override;
  Tensor expiry() const override;

 private:
  /// The first call, with several tokens.
  Tensor read_text(const Tensor& q_BTHd, const Tensor& k_BTKd, const Tensor& v_BTKd,
                   const Tensor& present_BT);
  Tensor read_tokens(const Tensor& q_BTHd, const Tensor& k_BTKd, const Tensor& v_BTKd,
                     const Tensor& present_BT);
  /// What is left of a text, from when each of its tokens was dropped.
  void keep(const Tensor& k_BTKd, const Tensor& v_BTKd, const Tensor& present_BT, const Tensor& expiry_BGT);
  /// The token of this column has been read.
  void record(int64_t column, const Tensor& present_B, const Tensor& dropped_L);
  void make_room(int64_t columns);

  BoundedRule rule_;
  int64_t groups_;                 ///< lanes of a sequence: 1, or a lane a key-value head
  int64_t columns_ = 0;            ///< tokens fed so far, padding counted
  Tensor k_BKSd_, v_BKSd_;         ///< S = size + 1
  Tensor order_BGS_, counts_BG3_;  ///< as KeptStates of the operators has them
  Tensor expiry_BGC_, column_BC_;  ///< by column, and of the how-manieth token; undefined where not recorded
};

}  // namespace attnlab
