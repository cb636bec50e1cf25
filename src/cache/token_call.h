// One call of attend(), made ready: rotated queries and keys, and on the host what policies ask about tokens.
#pragma once

#include <vector>

#include "cache/lane.h"
#include "cache/state.h"

namespace attnlab {

struct TokenCall {
  Tensor q_BTHd, k_BTKd, v_BTKd;              ///< contiguous
  std::vector<std::vector<int64_t>> columns;  ///< by sequence: columns of this call that hold a token
  int64_t first_column = 0;                   ///< of this call among all tokens fed so far

  /// `rope` null: queries and keys are left as projected. Keys and values are rounded to what is kept. Throws
  /// UserError where a policy needs token ids or surprisal and the caller has none.
  TokenCall(const NewTokens& tokens, const Rope* rope, torch::Dtype kept, int64_t first, PolicyNeeds needs,
            bool ids_matter);

  int64_t batch() const { return q_BTHd.size(0); }
  int64_t length() const { return q_BTHd.size(1); }
  bool has_token(int64_t sequence, int64_t column) const;
  /// The token at a column of this call as the lane of key-value heads [head, head + count) sees it.
  Arrival arrival(int64_t sequence, int64_t column, int64_t head, int64_t count) const;

 private:
  Tensor ids_BT_, norms_BTK_, surprisal_BT_, padding_BT_;  // host
};

}  // namespace attnlab
