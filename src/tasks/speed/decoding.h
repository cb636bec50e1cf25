// A batch of texts on their way through one decoder, and how many texts a memory budget holds.
#pragma once

#include "cache/cache_options.h"
#include "models/decoder.h"

namespace attnlab {

class Decoding {
 public:
  /// Reads one text of random tokens, all but the last `steps` of `context`.
  Decoding(Decoder decoder, const CacheOptions& cache, int64_t context, int64_t steps, uint64_t seed);

  /// So many copies of the first text go on from where it is: their states are as large as if each had been
  /// read. Layer after layer, so that at no time more than a layer's old states stand beside the new.
  void fill(int64_t batch);
  /// A random token of every text, to its logits. Choosing a token is no part of it.
  void step();

  int64_t prompt_tokens() const { return prompt_tokens_; }
  int64_t cache_bytes() const { return bytes_of(states_); }
  torch::Device device() const { return device_; }
  int64_t layers() const { return static_cast<int64_t>(states_.size()); }

 private:
  torch::Tensor ids(int64_t rows, int64_t columns) const;

  Decoder decoder_;
  torch::Device device_;
  int64_t context_, prompt_tokens_, position_, read_ = 0;
  DecoderState states_;
  torch::Tensor next_NB1_;
};

/// Memory that decoding may take, in bytes of main memory, or of the GPU that it runs on.
struct MemoryBudget {
  int64_t bytes = 0;
  int64_t before = 0;  ///< resident before the model was opened, which does not count; on a GPU 0
};

/// Steps of a text that texts_that_fit takes.
constexpr int64_t fitting_steps = 3;

/// How many texts decode side by side within the budget: their caches as allocated, what is kept beside them,
/// and what a step needs for a while. Measured by steps of one text, of two, and of more where many
/// fit; `decoding` has read its text and goes on with a fill(). Throws UserError where not even that text
/// fits.
int64_t texts_that_fit(Decoding& decoding, const MemoryBudget& budget);

}  // namespace attnlab
