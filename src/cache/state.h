// What a decoder's layer remembers of the tokens that it has read: its multi-state (Oren et al. 2024, §2). A
// full cache, a bounded one with a policy, and whatever else answers queries share this contract, so that one
// decoder and one generation loop serve all.
//
// Shapes: B sequences, T new tokens, H query heads, K key-value heads (H / K query heads share one), d head
// size.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cache/rope.h"

namespace attnlab {

using torch::Tensor;

/// New tokens of a batch as a layer has projected them, before rotary positions; with Luna as its sums take
/// them.
struct NewTokens {
  Tensor q_BTHd, k_BTKd, v_BTKd;
  Tensor positions_BT;  ///< int64: each token's absolute position in its text
  Tensor ids_BT;        ///< int64: token ids, for policies that protect contents
  Tensor padding_BT;    ///< bool, true where a sequence has no token; undefined: none (where it is
                        ///< defined and nothing is padded, the result is the same, but slower on a GPU)
  Tensor surprisal_BT;  ///< −log p of each token when it was read, nats; undefined unless a policy needs it
  bool prompt_goes_on =
      false;  ///< the next call's tokens belong to the same prompt (see cache/cache_options.h)
  Tensor a_BTHL =
      {};  ///< their weights in the sums of causal Luna, of l rows; undefined with other attentions
};

class LayerState {
 public:
  virtual ~LayerState() = default;
  /// Appends the tokens one after the other, each attending to what the state holds at its own step, itself
  /// included, and returns y [B,T,H,d]. T may be 1 (decoding) or a whole text (exact layer-by-layer
  /// evaluation): the result is the same. Rows at padding are unspecified but finite.
  virtual Tensor attend(const NewTokens& tokens, const Rope& rope) = 0;
  /// How it computes: "full", "device" (operators that leave every decision on the GPU), "native" (the CPU's
  /// own), "composed" (Torch's operators step by step: any device, and many times slower), "sums".
  virtual const char* kind() const { return "other"; }
  /// Bytes that the cache holds as allocated, scratch space left out.
  virtual int64_t bytes() const = 0;
  /// Sequence i becomes a copy of sequence rows[i] (int64 [B'], host): beam search.
  virtual void reorder(const Tensor& rows) = 0;
  /// A state whose sequence i is a copy of this one's rows[i]: several ways to go on from one text.
  virtual std::unique_ptr<LayerState> copy(const Tensor& rows) const = 0;
  /// For every head group (1, or K where heads decide apart) and every token: the column of the last token
  /// that attended to it, −1 while it is kept, −2 at padding; int64 [B, groups, tokens so far], host.
  /// Undefined where nothing is ever dropped, or where it is not recorded.
  virtual Tensor expiry() const { return {}; }

  /// What a file needs to keep so that the texts can go on from here, by name; empty of a kind that cannot be
  /// kept in a file. Texts without padding only.
  virtual std::map<std::string, Tensor> to_store() const { return {}; }
  /// Takes that in place of what a fresh state of the same shape and kind has.
  virtual void restore(const std::map<std::string, Tensor>& stored);

  /// What the layer has computed from its weights alone and would compute again at every call, kept here for
  /// as long as the text goes on (Luna's pack queries); undefined: nothing.
  Tensor prepared;
};

/// One state a layer, first layer first.
using DecoderState = std::vector<std::unique_ptr<LayerState>>;

/// Bytes that the caches of all layers hold.
inline int64_t bytes_of(const DecoderState& states) {
  int64_t sum = 0;
  for (const auto& state : states) sum += state->bytes();
  return sum;
}

/// Of the states of all layers.
inline DecoderState copy_of(const DecoderState& states, const Tensor& rows) {
  DecoderState copies;
  for (const auto& state : states) copies.push_back(state->copy(rows));
  return copies;
}

}  // namespace attnlab
