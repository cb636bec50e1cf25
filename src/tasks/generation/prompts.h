// From a document and the words around it to the ids that a model reads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/chat_template.h"
#include "data/tokenizer.h"
#include "tasks/generation/benchmarks/benchmark.h"

namespace attnlab {

struct PromptRule {
  Tokenizer tokenizer;
  ChatTemplate chat = {};  ///< none: the bare text, as base models read it
  bool with_bos = true;    ///< of the bare text; chat formats bring their own
  int64_t most_tokens = 0;
  Cut cut = Cut::end;
};

struct QuestionPrompt {
  std::vector<int64_t> ids;
  double document_share = 1.0;  ///< of the document's bytes that are left, of a prompt that lost its end
  bool is_cut = false;
};

/// The prompt of one question. Where its document's end is cut it is at most `most_tokens` long, and as long
/// as whole tokens of it allow; where its middle is, so long before it is encoded again and put into the
/// chat's format, which may make it longer. Throws UserError, which begins with `name`, where the words
/// around the document leave no room for any of it.
QuestionPrompt prompt_of(const PromptRule& rule, const std::string& document, const PromptFrame& frame,
                         const std::string& name);

/// Throws what prompt_of would where the words around the document leave no room for any of it. The document
/// itself is encoded only where that is in doubt, so that all questions can be looked at before the first.
void require_room(const PromptRule& rule, const std::string& document, const PromptFrame& frame,
                  const std::string& name);

/// Tokens that a prompt of nothing has: the chat format's, or BOS.
int64_t template_tokens(const PromptRule& rule);

/// How many ids all prompts begin with, but at least one id of each is left over.
int64_t shared_beginning(std::span<const QuestionPrompt> prompts);

}  // namespace attnlab
