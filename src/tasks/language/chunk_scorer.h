// Scores chunks of tokens with a decoder, side by side and layer by layer.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <vector>

#include "cache/cache_options.h"
#include "models/decoder.h"

namespace attnlab {

struct ScoredChunk {
  std::vector<double> nll;  ///< nat, of tokens 1 … length − 1 of the chunk; nothing predicts token 0
  std::vector<torch::Tensor> expiry;  ///< a layer each, int64 [groups, length]; where it was asked for
};

struct ScoredBatch {
  std::vector<ScoredChunk> chunks;
  double seconds = 0;
  int64_t cache_bytes = 0;  ///< keys and values of all layers at the end, a sequence
};

/// Tokens that go through the layers at a time where a configuration says `slice`; 0: 8192 on the CPU, and
/// on a GPU as many as there are.
int64_t slice_length(int64_t slice, torch::Device device);

class ChunkScorer {
 public:
  /// `slice`: of slice_length. A policy that needs surprisal reads token by token, since it is known only
  /// when the token before has passed all layers. `timed`: refuses what would stand in for a GPU's own steps
  /// (StateRun).
  ChunkScorer(Decoder decoder, CacheOptions cache, std::vector<int64_t> protected_ids, int64_t slice,
              uint64_t seed, bool timed = false);

  /// The chunks are of any lengths; shorter ones are padded on the right.
  ScoredBatch score(std::span<const std::vector<int64_t>> chunks, bool with_expiry);

 private:
  /// −log p of targets [B,T] after hidden [B,T,D], in double.
  int64_t tokens_at_a_time() const;

  Decoder decoder_;
  CacheOptions cache_;
  std::vector<int64_t> protected_ids_;
  int64_t slice_;
  uint64_t seed_;
  bool timed_;
};

}  // namespace attnlab
