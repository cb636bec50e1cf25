#include "data/chat_template.h"

#include "core/error.h"

namespace attnlab {
namespace {

/// Jinja's trim and Python's strip, of blanks that texts have.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\n\r\f\v";
  const std::size_t first = text.find_first_not_of(blanks);
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// What a chatml template says where no system's message comes first: the first literal between its markers
/// (they may stand around expressions before: other messages, what is said of tools). "" where there is none.
std::string default_system(const std::string& jinja) {
  for (const std::string begin : {"<|im_start|>system\n", "<|im_start|>system\\n"})
    for (std::size_t at = jinja.find(begin); at != std::string::npos; at = jinja.find(begin, at + 1)) {
      const std::size_t from = at + begin.size(), to = jinja.find("<|im_end|>", from);
      if (to == std::string::npos) break;
      const std::string text = jinja.substr(from, to - from);
      if (text.find_first_of("'\"{}") == std::string::npos) return text;
    }
  return "";
}

void check(const ChatTemplate& how, const std::vector<ChatMessage>& messages) {
  if (messages.empty()) user_error("there are no messages to answer");
  const bool alternates = how.format == ChatFormat::llama2 || how.format == ChatFormat::mistral;
  const bool has_system = messages.front().role == "system";
  if (has_system && how.format == ChatFormat::mistral)
    user_error("the chat format mistral has no place for a system's message");
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string& role = messages[i].role;
    if (role != "system" && role != "user" && role != "assistant")
      user_error("the role of message {} is '{}': system, user and assistant are known", i + 1, role);
    if (role == "system" && i > 0)
      user_error("message {} is the system's, which only the first can be", i + 1);
    if (alternates && role != "system" && (role == "user") != ((i - has_system) % 2 == 0))
      user_error(
          "message {} is the {}'s: in the chat format {} user and assistant take turns, the user first",
          i + 1, role, name_of(how.format));
  }
  if (messages.back().role != "user")
    user_error("the last message is not the user's: there is nothing to answer");
}

std::string chatml(const ChatTemplate& how, const std::vector<ChatMessage>& messages) {
  std::string text;
  const auto add = [&](const std::string& role, const std::string& content) {
    text += "<|im_start|>" + role + "\n" + content + "<|im_end|>\n";
  };
  if (messages.front().role != "system" && !how.system.empty()) add("system", how.system);
  for (const ChatMessage& m : messages) add(m.role, m.content);
  return text + "<|im_start|>assistant\n";
}

std::string llama3(const std::vector<ChatMessage>& messages) {
  std::string text = "<|begin_of_text|>";
  for (const ChatMessage& m : messages)
    text += fmt::format("<|start_header_id|>{}<|end_header_id|>\n\n{}<|eot_id|>", m.role, trimmed(m.content));
  return text + "<|start_header_id|>assistant<|end_header_id|>\n\n";
}

std::string llama2(const ChatTemplate& how, const std::vector<ChatMessage>& messages) {
  std::string text, system;
  for (const ChatMessage& m : messages) {
    if (m.role == "system") {
      system = "<<SYS>>\n" + m.content + "\n<</SYS>>\n\n";
    } else if (m.role == "user") {
      text += fmt::format("{}[INST] {} [/INST]", how.bos, trimmed(system + m.content));
      system.clear();
    } else {
      text += fmt::format(" {} {}", trimmed(m.content), how.eos);
    }
  }
  return text;
}

std::string mistral(const ChatTemplate& how, const std::vector<ChatMessage>& messages) {
  std::string text = how.bos;
  for (const ChatMessage& m : messages)
    text += m.role == "user" ? "[INST] " + m.content + " [/INST]" : m.content + how.eos;
  return text;
}

}  // namespace

std::string_view name_of(ChatFormat format) {
  for (const auto& [name, known] : chat_formats)
    if (known == format) return name;
  return "none";
}

ChatTemplate recognised(const std::string& jinja) {
  const auto has = [&](const char* marker) { return jinja.find(marker) != std::string::npos; };
  if (has("<|im_start|>")) {
    if (has("<think>")) return {};  // Qwen3, QwQ: an answer may begin with it
    return {ChatFormat::chatml, default_system(jinja)};
  }
  if (has("<|start_header_id|>")) {
    if (has("Cutting Knowledge Date")) return {};  // Llama 3.1 and later: a system's message of their own
    return {ChatFormat::llama3};
  }
  if (has("[INST] ") && has(" [/INST]"))  // Mistral's later ones have no blanks there
    return {has("<<SYS>>") ? ChatFormat::llama2 : ChatFormat::mistral};
  return {};
}

std::string chat_text(const ChatTemplate& how, const std::vector<ChatMessage>& messages) {
  check(how, messages);
  switch (how.format) {
    case ChatFormat::chatml:
      return chatml(how, messages);
    case ChatFormat::llama2:
      return llama2(how, messages);
    case ChatFormat::llama3:
      return llama3(messages);
    case ChatFormat::mistral:
      return mistral(how, messages);
    case ChatFormat::none:
      break;
  }
  user_error(
      "the model's folder has no chat template of a known format, so messages have no text; template=chatml "
      "(or llama2, llama3, mistral) names one");
}

}  // namespace attnlab
