// Continues texts token by token, whatever the decoder's layers remember.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "models/decoder.h"
#include "models/sampling.h"

namespace attnlab {

enum class StoppedBy {
  eos,
  max_new_tokens,
  positions,  ///< the model's position range is used up
};
std::string_view name_of(StoppedBy reason);

struct GenerateOptions {
  int64_t max_new_tokens = 128;
  SamplingOptions sampling = {};
  int64_t read = 0;  ///< ids at the head of every prompt that the states have read already (see read_ahead)
  std::vector<int64_t> eos_ids = {};  ///< any of them ends its text; empty: none does
  int64_t last_position = -1;         ///< the largest position that a token may have; −1: any
  bool surprisal = false;  ///< tell the states each token's −log p: prompts are then read token by token too
  std::vector<uint64_t> seeds = {};  ///< of each text's random numbers, so that a batch changes none of them
  std::function<void()> each_step = {};  ///< called before every step; may throw to stop
};

struct Continuation {
  std::vector<int64_t> ids;  ///< new tokens, the one that ended the text included
  StoppedBy stopped_by = StoppedBy::max_new_tokens;
};

struct Generated {
  std::vector<Continuation> texts;  ///< in the order of the prompts
  double prompt_seconds = 0;        ///< reading all prompts, to the logits of their first new tokens
  double seconds = 0;               ///< after that
};

/// Reads what several prompts begin with into states of one sequence; copies of these go on with any of them
/// (cache/state.h). The states are fresh but for the first `read` ids. Policies that need surprisal read
/// token by token, and cannot.
void read_ahead(Decoder& decoder, DecoderState& states, const std::vector<int64_t>& ids, int64_t read = 0);

/// Continues every prompt, all at once: prompts of different lengths are padded on the left. Each holds at
/// least one id that is still to be read; `states` are made for as many sequences, and fresh but for the
/// first `read` ids. A text that has ended is fed padding while others go on. Needs no gradients.
Generated generate(Decoder& decoder, DecoderState& states, const std::vector<std::vector<int64_t>>& prompts,
                   const GenerateOptions& options);

}  // namespace attnlab
