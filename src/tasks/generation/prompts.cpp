#include "tasks/generation/prompts.h"

#include <algorithm>

#include "core/error.h"

namespace attnlab {
namespace {

using Ids = std::vector<int64_t>;

int64_t count(const Ids& ids) { return static_cast<int64_t>(ids.size()); }

/// What the user says, in the chat's format where there is one.
Ids encoded(const PromptRule& rule, const std::string& said, const std::string& answer) {
  if (rule.chat.format == ChatFormat::none) return rule.tokenizer.encode(said + answer, rule.with_bos);
  return rule.tokenizer.encode(chat_text(rule.chat, {{"user", said}}) + answer, /*with_bos=*/false);
}

bool begins_a_character(const std::string& text, int64_t at) {
  return at >= static_cast<int64_t>(text.size()) || (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
}

/// What is left of a prompt that has lost all but this part of its document.
Ids cut_prompt(const PromptRule& rule, const std::string& part, const PromptFrame& frame) {
  return encoded(rule, frame.before + part + frame.omitted + frame.after, frame.answer);
}

/// As many of the document's tokens as fit. What surrounds them joins with their ends to other tokens, so
/// that a first guess may be a token or two off.
QuestionPrompt without_end(const PromptRule& rule, const std::string& document, const PromptFrame& frame,
                           const std::string& name) {
  const auto with = [&](const std::string& part) { return cut_prompt(rule, part, frame); };
  const Encoding pieces = rule.tokenizer.encode_with_ends(document);
  int64_t kept = std::min(count(pieces.ids), rule.most_tokens - count(with("")));
  for (; kept > 0; --kept) {
    const int64_t end = pieces.ends[static_cast<std::size_t>(kept) - 1];
    if (!begins_a_character(document, end)) continue;
    Ids ids = with(document.substr(0, static_cast<std::size_t>(end)));
    if (count(ids) <= rule.most_tokens)
      return {std::move(ids), static_cast<double>(end) / static_cast<double>(document.size()), true};
    kept = std::min(kept, kept - (count(ids) - rule.most_tokens) + 1);
  }
  user_error("{}: the words around its document take {} tokens, and with a length of {} none of it is left",
             name, count(with("")), rule.most_tokens);
}

/// LongBench's pred.py: of a bare text that is too long the first and the last half of what is allowed,
/// decoded; the chat's template is put around what is left, and does not count.
QuestionPrompt without_middle(const PromptRule& rule, const std::string& said, const PromptFrame& frame) {
  const Ids all = rule.tokenizer.encode(said, rule.with_bos);
  if (count(all) <= rule.most_tokens) return {encoded(rule, said, frame.answer), 1.0, false};
  const auto half = static_cast<std::size_t>(rule.most_tokens / 2);
  const std::span<const int64_t> ids(all);
  const std::string rest =
      rule.tokenizer.decode(ids.first(half)) + rule.tokenizer.decode(ids.subspan(ids.size() - half));
  return {encoded(rule, rest, frame.answer), 1.0, true};
}

}  // namespace

QuestionPrompt prompt_of(const PromptRule& rule, const std::string& document, const PromptFrame& frame,
                         const std::string& name) {
  const std::string said = frame.before + document + frame.after;
  if (rule.cut == Cut::middle) return without_middle(rule, said, frame);
  QuestionPrompt whole{encoded(rule, said, frame.answer), 1.0, false};
  if (count(whole.ids) <= rule.most_tokens) return whole;
  if (rule.cut == Cut::end) return without_end(rule, document, frame, name);
  user_error("{}: its prompt has {} tokens, more than the length of {}, and nothing of it may be cut", name,
             count(whole.ids), rule.most_tokens);
}

void require_room(const PromptRule& rule, const std::string& document, const PromptFrame& frame,
                  const std::string& name) {
  if (rule.cut != Cut::end || count(cut_prompt(rule, "", frame)) < rule.most_tokens) return;
  prompt_of(rule, document, frame, name);  // a document shorter than the words for its lost end may fit
}

int64_t template_tokens(const PromptRule& rule) { return count(encoded(rule, "", "")); }

int64_t shared_beginning(std::span<const QuestionPrompt> prompts) {
  int64_t shared = count(prompts.front().ids) - 1;
  for (const QuestionPrompt& prompt : prompts) {
    shared = std::min(shared, count(prompt.ids) - 1);
    const auto differs =
        std::mismatch(prompt.ids.begin(), prompt.ids.begin() + shared, prompts.front().ids.begin());
    shared = differs.first - prompt.ids.begin();
  }
  return shared;
}

}  // namespace attnlab
