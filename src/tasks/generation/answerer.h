// Answers all questions about a document.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cache/cache_options.h"
#include "data/tokenizer.h"
#include "models/generate.h"
#include "tasks/generation/prompts.h"

namespace attnlab {

struct AnswerText {
  std::string text;
  Continuation made;
};

struct AnsweredDocument {
  std::vector<AnswerText> answers;  ///< in the order of the prompts
  int64_t shared_tokens = 0;        ///< read once for all prompts
  int64_t read_tokens = 0;          ///< read in all, what was shared once
  int64_t cache_bytes = 0;          ///< of one prompt, at the end
  double shared_seconds = 0;        ///< reading what is shared
  double prompt_seconds = 0;        ///< copying what is kept of it, and reading the rest of the prompts
  double answer_seconds = 0;        ///< after that
};

struct AnswererOptions {
  CacheOptions cache;
  std::vector<int64_t> protected_ids = {};
  int64_t new_tokens = 128;
  int64_t last_position = -1;  ///< the largest that a token may have; −1: any
  std::vector<int64_t> eos_ids = {};
  int64_t batch_size = 1;  ///< prompts side by side
  bool share = true;       ///< read what all prompts begin with once, where that gives the same answers
  uint64_t seed = 0;
};

class Answerer {
 public:
  Answerer(Decoder decoder, Tokenizer tokenizer, AnswererOptions options);
  /// Greedy answers. Each is what its prompt alone would have been given.
  AnsweredDocument answer(std::span<const QuestionPrompt> prompts);

 private:
  DecoderState fresh(int64_t batch, int64_t expected) const;
  /// Ids that are read for all prompts together: 0 where policy or way of reading do not permit it.
  int64_t shared(std::span<const QuestionPrompt> prompts) const;

  Decoder decoder_;
  Tokenizer tokenizer_;
  AnswererOptions options_;
};

}  // namespace attnlab
