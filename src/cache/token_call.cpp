#include "cache/token_call.h"

#include <tuple>

#include "core/error.h"

namespace attnlab {
namespace {

Tensor to_host(const Tensor& x, torch::Dtype type) {
  return x.defined() ? x.detach().to(torch::kCPU, type).contiguous() : Tensor();
}

}  // namespace

TokenCall::TokenCall(const NewTokens& tokens, const Rope* rope, torch::Dtype kept, int64_t first,
                     PolicyNeeds needs, bool ids_matter)
    : q_BTHd(tokens.q_BTHd),
      k_BTKd(tokens.k_BTKd),
      v_BTKd(tokens.v_BTKd.contiguous()),
      first_column(first),
      padding_BT_(to_host(tokens.padding_BT, torch::kBool)) {
  if (rope) std::tie(q_BTHd, k_BTKd) = rope->rotate(q_BTHd, k_BTKd, tokens.positions_BT);
  q_BTHd = q_BTHd.contiguous();
  k_BTKd = k_BTKd.to(kept).to(k_BTKd.scalar_type()).contiguous();
  v_BTKd = v_BTKd.to(kept).to(v_BTKd.scalar_type());
  if (ids_matter) {
    ensure(tokens.ids_BT.defined(), "token ids for a cache that protects some of them");
    ids_BT_ = to_host(tokens.ids_BT, torch::kLong);
  }
  if (needs.surprisal) {
    if (!tokens.surprisal_BT.defined())
      user_error(
          "the cache policy surprisal needs each token's −log p, which is known only where tokens are read "
          "one by one: it cannot evaluate a text layer by layer");
    surprisal_BT_ = to_host(tokens.surprisal_BT, torch::kDouble);
  }
  if (needs.key_norms) {
    // Of keys as they are kept; where nothing is rounded, before rotation, so that equal ones have equal
    // norms.
    const Tensor& keys_BTKd = kept == tokens.k_BTKd.scalar_type() ? tokens.k_BTKd : k_BTKd;
    norms_BTK_ = to_host(keys_BTKd.to(torch::kDouble).norm(2, -1), torch::kDouble);
  }

  columns.resize(batch());
  for (int64_t b = 0; b < batch(); ++b)
    for (int64_t t = 0; t < length(); ++t)
      if (has_token(b, t)) columns[b].push_back(t);
}

bool TokenCall::has_token(int64_t sequence, int64_t column) const {
  return !padding_BT_.defined() || !padding_BT_.const_data_ptr<bool>()[sequence * length() + column];
}

Arrival TokenCall::arrival(int64_t sequence, int64_t column, int64_t head, int64_t count) const {
  const int64_t at = sequence * length() + column;
  Arrival token;
  token.column = first_column + column;
  if (ids_BT_.defined()) token.id = ids_BT_.const_data_ptr<int64_t>()[at];
  if (surprisal_BT_.defined()) token.surprisal = surprisal_BT_.const_data_ptr<double>()[at];
  if (norms_BTK_.defined()) {
    const double* norms = norms_BTK_.const_data_ptr<double>() + at * k_BTKd.size(2) + head;
    for (int64_t h = 0; h < count; ++h) token.key_norm += norms[h];
    token.key_norm /= static_cast<double>(count);
  }
  return token;
}

}  // namespace attnlab
