// The layers of a decoder that is trained under a cache policy. A pass without gradients lets the policy
// decide, exactly as it does where a text is scored; gradients then flow through the states that each token
// saw, the decisions held fixed (kernels/kept_attention.h). What a dropped state would have done had it
// stayed has no gradient.
#pragma once

#include <string>

#include "cache/cache_options.h"

namespace attnlab {

/// Why a model cannot be trained with these options, as the end of a sentence that begins with their key; ""
/// where it can: outputs must depend on which states were dropped, and on nothing else of the policy.
std::string why_not_trained(const CacheOptions& options);

/// How far outputs over the states that were kept are from those over all tokens, which gives no gradient:
/// Σ over layers of mean(‖y − y_all‖²) / mean(‖y_all‖²). Training on it beside the loss teaches layers to say
/// without what was dropped what they would have said with it.
struct Reconstruction {
  Tensor real_BT = {};  ///< 1 for tokens that count, 0 for those that fill texts up; undefined: all count
  Tensor sum = {};
  int64_t layers = 0;

  /// The mean over layers.
  Tensor mean() const { return sum / layers; }
};

/// States for one pass over whole texts, perhaps filled up behind their ends, whose attend() has gradients
/// where they are wanted; null for layers that keep everything (see Decoder::forward_training). `run.dtype`
/// is what the policy's pass computes in, whatever the type of queries and keys. `reconstruction`, where not
/// null, grows with every layer. Throws UserError as make_states does.
DecoderState training_states(const CacheOptions& options, const StateShape& shape, StateRun run,
                             Reconstruction* reconstruction = nullptr);

}  // namespace attnlab
