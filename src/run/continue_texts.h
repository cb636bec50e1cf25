// `attnlab predict` on the folder of a pre-trained decoder: continues texts.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "cache/cache_options.h"
#include "core/options.h"
#include "data/chat_template.h"
#include "data/tokenizer.h"
#include "models/sampling.h"

namespace attnlab {

struct ContinueOptions {
  int64_t max_new_tokens = 128;
  SamplingOptions sampling;
  int64_t seed = 1;
  int64_t batch = 1;
  AddBos add_bos = AddBos::model;
  bool ignore_eos = false;
  std::string tokenizer;
  SpecialTokens special = SpecialTokens::as_tokens;
  ChatFormat chat = ChatFormat::none;  ///< of conversations; none: the one that the folder's template has
  bool with_prompt_ids = false;
  bool with_kept = false;
  std::string save_state, load_state;
  bool beyond_positions = false;
  std::string precision = "auto";
  std::string device = "auto";
  int64_t threads = 0;
  CacheOptions cache;

  void visit(Fields& f);
};

/// Continues every line of `in`, a text or a JSON object with a prompt (run/prompts.h), with the model in
/// `folder` and writes a JSON line for each to `out`, in order: prompt, text (what follows it), ids,
/// prompt_tokens, new_tokens, stopped_by, prompt_seconds, seconds and tokens_per_second (of the whole batch,
/// after its prompts), cache_bytes, policy, size; of a line that cannot be continued, one longer than the
/// position range for example, prompt and error. With load_state every line goes on from the text whose state
/// the file holds (`read_before` tokens), with save_state the state of the one line is written, its text but
/// for the last token. Returns how many those are. `overrides` are key=value for the options above. Throws
/// UserError with one sentence, before the first line: unknown keys, a folder that is no model, a tokenizer
/// of another vocabulary, an input that is no UTF-8 text.
int64_t continue_texts(const std::filesystem::path& folder, const std::vector<std::string>& overrides,
                       std::istream& in, std::ostream& out);

}  // namespace attnlab
