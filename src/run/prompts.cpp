#include "run/prompts.h"

#include <array>

#include "core/error.h"
#include "core/json_nesting.h"

namespace attnlab {
namespace {

using nlohmann::ordered_json;

constexpr std::array<const char*, 3> kinds{"prompt", "messages", "ids"};

std::string text_at(const ordered_json& map, const char* key, int64_t line) {
  const auto found = map.find(key);
  if (found == map.end() || !found->is_string()) user_error("line {}: '{}' is no text", line, key);
  return found->get<std::string>();
}

std::vector<ChatMessage> messages_of(const ordered_json& list, int64_t line) {
  if (!list.is_array()) user_error("line {}: 'messages' is no list", line);
  std::vector<ChatMessage> messages;
  for (const auto& message : list) {
    if (!message.is_object()) user_error("line {}: a message is no map with role and content", line);
    messages.push_back({text_at(message, "role", line), text_at(message, "content", line)});
  }
  return messages;
}

std::vector<int64_t> ids_of(const ordered_json& list, int64_t vocabulary, int64_t line) {
  if (!list.is_array()) user_error("line {}: 'ids' is no list", line);
  std::vector<int64_t> ids;
  for (const auto& id : list) {
    if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() >= vocabulary)
      user_error("line {}: {} is no token id of the model, which has {}", line, id.dump(), vocabulary);
    ids.push_back(id.get<int64_t>());
  }
  return ids;
}

TextPrompt from_json(const PromptRules& rules, int64_t line, const ordered_json& told) {
  TextPrompt prompt;
  prompt.line = line;
  if (const auto id = told.find("id"); id != told.end()) prompt.id = *id;
  int64_t given = 0;
  for (const char* kind : kinds) given += told.contains(kind);
  if (given > 1) user_error("line {} has more than one of prompt, messages and ids", line);
  if (told.contains("ids")) {
    prompt.ids = ids_of(told["ids"], rules.vocabulary, line);
  } else if (told.contains("messages")) {
    prompt.text = chat_text(rules.chat, messages_of(told["messages"], line));
    prompt.ids = rules.tokenizer->encode(prompt.text, /*with_bos=*/false);
  } else {
    prompt.text = text_at(told, "prompt", line);
    prompt.ids = rules.tokenizer->encode(prompt.text, rules.with_bos, rules.special);
  }
  return prompt;
}

}  // namespace

std::optional<ordered_json> json_prompt(const std::string& line) {
  const std::size_t first = line.find_first_not_of(" \t");
  if (first == std::string::npos || line[first] != '{' || nests_too_deeply(line)) return std::nullopt;
  ordered_json told = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (told.is_discarded() || !told.is_object()) return std::nullopt;
  for (const char* kind : kinds)
    if (told.contains(kind)) return told;
  return std::nullopt;
}

ordered_json refusal(const std::string& text, const char* why) {
  const auto told = json_prompt(text);
  if (!told) return {{"prompt", text}, {"error", why}};
  ordered_json answer;
  if (told->contains("id")) answer["id"] = (*told)["id"];
  for (const char* kind : kinds)
    if (told->contains(kind)) answer[kind] = (*told)[kind];
  answer["error"] = why;
  return answer;
}

TextPrompt read_prompt(const PromptRules& rules, int64_t line, const std::string& text) {
  refuse_wide_encoding(text, fmt::format("line {}", line));
  const auto told = json_prompt(text);
  TextPrompt prompt =
      told ? from_json(rules, line, *told)
           : TextPrompt{line, text, {}, rules.tokenizer->encode(text, rules.with_bos, rules.special)};
  prompt.source = text;
  if (prompt.ids.empty() && rules.before == 0)
    user_error("line {} is empty, and without BOS there is nothing to continue", line);
  const int64_t tokens = rules.before + static_cast<int64_t>(prompt.ids.size());
  if (rules.most_tokens > 0 && tokens > rules.most_tokens)
    user_error(
        "line {} has {} tokens, and the model is trained for {} positions; beyond_positions=true reads on",
        line, tokens, rules.most_tokens);
  return prompt;
}

PromptBatch PromptReader::next() {
  PromptBatch batch;
  std::string text;
  while (static_cast<int64_t>(batch.prompts.size()) < batch_ && lines_.next(text)) {
    try {
      batch.prompts.push_back(read_prompt(rules_, lines_.number(), text));
      batch.answers.emplace_back();
      stray_.look_at(text, fmt::format("line {}", lines_.number()));
    } catch (const UserError& e) {
      ++refused_;
      batch.answers.emplace_back(refusal(text, e.what()));
      if (batch.prompts.empty()) break;
    }
  }
  return batch;
}

}  // namespace attnlab
