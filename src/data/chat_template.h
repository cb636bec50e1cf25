// How a conversation becomes one text for a model that was trained to answer: the formats of the families
// that are read, by name. A checkpoint brings its own as a Jinja program (tokenizer_config.json's
// chat_template), which is not run here: it is recognised by its markers, and where these say something else
// than the formats below, it is not.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace attnlab {

enum class ChatFormat {
  none,    ///< messages cannot be answered
  chatml,  ///< <|im_start|>role\n…<|im_end|>: SmolLM, Qwen
  llama2,  ///< [INST] <<SYS>>…<</SYS>> … [/INST]
  llama3,  ///< <|start_header_id|>role<|end_header_id|>
  mistral  ///< [INST] … [/INST]
};

/// The formats' names, as options write them.
inline const std::vector<std::pair<std::string, ChatFormat>> chat_formats = {
    {"chatml", ChatFormat::chatml},
    {"llama2", ChatFormat::llama2},
    {"llama3", ChatFormat::llama3},
    {"mistral", ChatFormat::mistral}};
/// "chatml", …; "none".
std::string_view name_of(ChatFormat format);

struct ChatMessage {
  std::string role;  ///< system, user or assistant
  std::string content;
};

/// A checkpoint's special tokens as texts; "": it does not say.
struct SpecialTexts {
  std::string bos = {}, eos = {};
};

/// A format with what a checkpoint adds to it.
struct ChatTemplate {
  ChatFormat format = ChatFormat::none;
  std::string system =
      {};  ///< chatml: what is said first where the conversation has no system's message; "": nothing
  std::string bos = {};  ///< what texts begin with; llama2: every turn of the user's
  std::string eos = {};  ///< llama2, mistral: behind every answer
  bool trims = true;     ///< llama2, llama3: without the white space around contents
  bool spaced = false;   ///< mistral: a space before [INST] and answers, and a system's message before the
                         ///< first of the user's, as its templates of 2024 have it
};

/// A format as its family first wrote it.
ChatTemplate usual_template(ChatFormat format, const SpecialTexts& tokens = {});

/// The format whose markers a Jinja template has, with what it says of BOS and a system's message; none where
/// it has those of none, or says what later templates of a family do.
ChatTemplate recognised(const std::string& jinja, const SpecialTexts& tokens = {});

/// The text that the model continues with its answer: all messages, and what begins the assistant's. Control
/// tokens stand in it as texts. Throws UserError for a conversation that the format has no place for: an
/// unknown role, a system's message that is not the first, turns that do not alternate where they must, or a
/// last message that is not the user's.
std::string chat_text(const ChatTemplate& how, const std::vector<ChatMessage>& messages);

}  // namespace attnlab
