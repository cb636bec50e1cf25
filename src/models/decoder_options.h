// The sizes and constants of a decoder of the Llama family.
#pragma once

#include <cstdint>

#include "cache/rope_scaling.h"
#include "core/options.h"
#include "models/decoder_attention.h"

namespace attnlab {

struct DecoderOptions {
  static constexpr int64_t most_layers = 1024;

  int64_t vocabulary = 0;
  int64_t dim = 512;
  int64_t ffn_dim = 1376;
  int64_t layers = 8;
  int64_t heads = 8;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  double norm_eps = 1e-5;
  double rope_theta = 1e4;
  int64_t max_positions = 4096;
  int64_t sliding_window = 0;
  bool tied_embeddings = false;
  Choice<DecoderAttentionOptions> attention{};

  // Of models that are read, not of those that are trained here, so no keys of a configuration:
  bool qkv_bias = false;  ///< biases on the projections of queries, keys and values (Qwen2)
  bool o_bias = false;    ///< and on the output projection (Llama's attention_bias asks for both)
  bool qk_norm = false;   ///< RMSNorm of each head's query and key before rotation (Qwen3)
  RopeScaling rope_scaling = {};

  void visit(Fields& f);
  /// Zeros that stand for "as usual" replaced: kv_heads by heads, head_dim by dim / heads. Throws UserError
  /// where sizes contradict each other.
  DecoderOptions resolved() const;
};

}  // namespace attnlab
