#include "data/chat_template.h"

#include <algorithm>

#include "core/error.h"
#include "data/words.h"

namespace attnlab {
namespace {

/// What a literal of Jinja's stands for.
std::string without_escapes(std::string_view literal) {
  std::string text;
  for (std::size_t i = 0; i < literal.size(); ++i) {
    if (literal[i] != '\\' || i + 1 == literal.size()) {
      text += literal[i];
      continue;
    }
    const char next = literal[++i];
    text += next == 'n' ? '\n' : next == 't' ? '\t' : next;
  }
  return text;
}

/// Whether a literal that was opened by this quote goes on through all of the text.
bool stays_inside(std::string_view text, char quote) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == quote) return false;
    if (text[i] == '\\') ++i;
  }
  return true;
}

/// What a chatml template says where no system's message comes first: the first text between its markers
/// that is a part of one literal, or stands outside of expressions (they may stand around expressions before:
/// other messages, what is said of tools). "" where there is none.
std::string default_system(std::string_view jinja) {
  constexpr std::string_view marker = "<|im_start|>system", end_marker = "<|im_end|>";
  for (std::size_t at = jinja.find(marker); at != std::string_view::npos; at = jinja.find(marker, at + 1)) {
    const char before = at > 0 ? jinja[at - 1] : ' ';
    const bool quoted = before == '\'' || before == '"';
    const std::string_view behind = jinja.substr(at + marker.size());
    const std::size_t end = behind.find(end_marker);
    const std::size_t line = behind.starts_with("\n") ? 1 : quoted && behind.starts_with("\\n") ? 2 : 0;
    if (end == std::string_view::npos || line == 0) continue;
    const std::string_view said = behind.substr(line, end - line);
    if (quoted && stays_inside(said, before)) return without_escapes(said);
    if (!quoted && said.find_first_of("'\"{}\\") == std::string_view::npos) return std::string(said);
  }
  return "";
}

/// Whether a chatml template writes every message alike, its role between the markers.
bool writes_roles(std::string_view jinja) {
  constexpr std::string_view marker = "<|im_start|>";
  for (std::size_t at = jinja.find(marker); at != std::string_view::npos; at = jinja.find(marker, at + 1)) {
    std::string_view behind = jinja.substr(at + marker.size());
    behind.remove_prefix(std::min(behind.find_first_not_of(" '\"+~{-"), behind.size()));
    for (const char* role : {"message['role']", "message[\"role\"]", "message.role"})
      if (behind.starts_with(role)) return true;
  }
  return false;
}

void check(const ChatTemplate& how, const std::vector<ChatMessage>& messages) {
  if (messages.empty()) user_error("there are no messages to answer");
  const bool alternates = how.format == ChatFormat::llama2 || how.format == ChatFormat::mistral;
  const bool has_system = messages.front().role == "system";
  if (has_system && how.format == ChatFormat::mistral && !how.spaced)
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
  std::string text = how.bos;
  const auto add = [&](const std::string& role, const std::string& content) {
    text += "<|im_start|>" + role + "\n" + content + "<|im_end|>\n";
  };
  if (messages.front().role != "system" && !how.system.empty()) add("system", how.system);
  for (const ChatMessage& m : messages) add(m.role, m.content);
  return text + "<|im_start|>assistant\n";
}

/// A message's content as the template writes it.
std::string_view content_of(const ChatTemplate& how, const std::string& content) {
  return how.trims ? stripped(content) : content;
}

std::string llama3(const ChatTemplate& how, const std::vector<ChatMessage>& messages) {
  std::string text = how.bos;
  for (const ChatMessage& m : messages)
    text += fmt::format("<|start_header_id|>{}<|end_header_id|>\n\n{}<|eot_id|>", m.role,
                        content_of(how, m.content));
  return text + "<|start_header_id|>assistant<|end_header_id|>\n\n";
}

std::string llama2(const ChatTemplate& how, const std::vector<ChatMessage>& messages) {
  std::string text, system;
  for (const ChatMessage& m : messages) {
    if (m.role == "system") {
      system = "<<SYS>>\n" + m.content + "\n<</SYS>>\n\n";
    } else if (m.role == "user") {
      const std::string said = system + m.content;
      text += fmt::format("{}[INST] {} [/INST]", how.bos, content_of(how, said));
      system.clear();
    } else {
      text += fmt::format(" {} {}", content_of(how, m.content), how.eos);
    }
  }
  return text;
}

std::string mistral(const ChatTemplate& how, const std::vector<ChatMessage>& messages) {
  const char* space = how.spaced ? " " : "";
  std::string text = how.bos, system;
  for (const ChatMessage& m : messages) {
    if (m.role == "system") {
      system = m.content + "\n\n";
    } else if (m.role == "user") {
      text += fmt::format("{}[INST] {}{} [/INST]", space, system, m.content);
      system.clear();
    } else {
      text += space + m.content + how.eos;
    }
  }
  return text;
}

}  // namespace

std::string_view name_of(ChatFormat format) {
  for (const auto& [name, known] : chat_formats)
    if (known == format) return name;
  return "none";
}

ChatTemplate usual_template(ChatFormat format, const SpecialTexts& tokens) {
  const auto or_else = [](const std::string& told, const char* usual) { return told.empty() ? usual : told; };
  switch (format) {
    case ChatFormat::llama2:
    case ChatFormat::mistral:
      return {.format = format, .bos = or_else(tokens.bos, "<s>"), .eos = or_else(tokens.eos, "</s>")};
    case ChatFormat::llama3:
      return {.format = format, .bos = or_else(tokens.bos, "<|begin_of_text|>")};
    case ChatFormat::chatml:
    case ChatFormat::none:
      break;
  }
  return {.format = format};
}

ChatTemplate recognised(const std::string& jinja, const SpecialTexts& tokens) {
  const auto has = [&](const char* marker) { return jinja.find(marker) != std::string::npos; };
  const auto of = [&](ChatFormat format) {
    ChatTemplate how = usual_template(format, tokens);
    if (format == ChatFormat::chatml)
      how.bos = has("bos_token") ? tokens.bos : "";
    else if (!has("bos_token") && !has(how.bos.c_str()))
      how.bos.clear();
    how.trims = has("strip()") || has("trim");
    return how;
  };
  if (has("<|im_start|>")) {
    if (has("<think>")) return {};        // Qwen3, QwQ: an answer may begin with it
    if (!writes_roles(jinja)) return {};  // Yi-1.5: a system's message stands bare
    ChatTemplate how = of(ChatFormat::chatml);
    how.system = default_system(jinja);
    return how;
  }
  if (has("<|start_header_id|>")) {
    if (has("Cutting Knowledge Date")) return {};  // Llama 3.1 and later: a system's message of their own
    return of(ChatFormat::llama3);
  }
  if (!has("[INST] ") || !has(" [/INST]")) return {};  // Mistral's of three vocabularies have no blanks there
  if (has("<<SYS>>")) return of(ChatFormat::llama2);
  ChatTemplate how = of(ChatFormat::mistral);
  if (has("eos_token + ' '") || has("eos_token + \" \"")) how.eos += ' ';  // v0.1 as it was first
  if (has("' [INST] '") || has("\" [INST] \"")) {
    if (!has("system_message")) return {};
    how.spaced = true;
  }
  return how;
}

std::string chat_text(const ChatTemplate& how, const std::vector<ChatMessage>& messages) {
  check(how, messages);
  switch (how.format) {
    case ChatFormat::chatml:
      return chatml(how, messages);
    case ChatFormat::llama2:
      return llama2(how, messages);
    case ChatFormat::llama3:
      return llama3(how, messages);
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
