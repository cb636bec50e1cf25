// The full cache: keys and values of everything read, preallocated and doubled when it is full. On the CPU
// in fp32 it is read by the kernels of the bounded states, a text at once in blocks (full_blocks.cpp) and one
// token at a time in one pass; elsewhere, and with step: torch, through Torch's fused attention.
#pragma once

#include <vector>

#include "cache/cache_options.h"
#include "cache/policies/full.h"
#include "cache/state.h"
#include "cache/step_space.h"

namespace attnlab {

class FullState final : public LayerState {
 public:
  FullState(const StateShape& shape, const StateRun& run, FullStep step = FullStep::native);

  Tensor attend(const NewTokens& tokens, const Rope& rope) override;
  const char* kind() const override { return "full"; }
  int64_t bytes() const override;
  void reorder(const Tensor& rows) override;
  std::unique_ptr<LayerState> copy(const Tensor& rows) const override;
  std::map<std::string, Tensor> to_store() const override;
  void restore(const std::map<std::string, Tensor>& stored) override;

 private:
  void append(const Tensor& k_BTKd, const Tensor& v_BTKd, const Tensor& padding_BT);
  Tensor attend_to(const Tensor& q_BTHd, int64_t first) const;
  /// The newest token of each sequence: one pass over its keys and values.
  Tensor native_step(const Tensor& q_BTHd);
  /// Several tokens of each sequence: whether and how the blocks of full_blocks.cpp read them.
  bool reads_in_blocks(const Tensor& q_BTHd) const;
  Tensor attend_in_blocks(const Tensor& q_BTHd, const Tensor& k_BTKd, const Tensor& v_BTKd,
                          int64_t first) const;
  /// bias_ for all columns held.
  void refresh_bias();
  /// Queries of columns [first, first + q's length) of sequences [b, b + q's batch).
  Tensor fused(const Tensor& q_BTHd, int64_t first, int64_t b) const;
  /// bool, [T, keys] or of each key-value head of sequences [b, b + sequences), so that it broadcasts: which
  /// of the columns from `from` on each query sees.
  Tensor mask(int64_t queries, int64_t first, int64_t from, int64_t b, int64_t sequences) const;

  StateShape shape_;
  StateRun run_;
  FullStep with_;
  int64_t length_ = 0;      ///< columns held, padding counted
  Tensor k_BKLd_, v_BKLd_;  ///< [B, K, capacity, d]
  Tensor present_BL_;       ///< bool: a token, not padding; undefined while there has been no padding
  std::vector<float>
      bias_;  ///< [B, capacity], or one row for all: 0 where a column holds a token, −inf at padding
  int64_t bias_columns_ = 0;  ///< columns of bias_ that are set
  StepSpace step_;
};

}  // namespace attnlab
