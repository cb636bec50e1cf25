// The lines that `attnlab predict` continues: plain texts, or JSON objects, a line each.
//
//   {"prompt": "two\nlines"}   {"messages": [{"role": "user", "content": "Why?"}]}   {"ids": [1, 5, 9]}
//
// An "id" of any kind is given back with the answer.
#pragma once

#include <cstdint>
#include <istream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/plain_text.h"
#include "data/chat_template.h"
#include "data/tokenizer.h"

namespace attnlab {

/// How lines become ids that the model can continue.
struct PromptRules {
  const Tokenizer* tokenizer = nullptr;
  ChatTemplate chat;
  bool with_bos = true;  ///< of plain texts and "prompt"; conversations have what their format gives them
  SpecialTokens special = SpecialTokens::as_tokens;  ///< of plain texts and "prompt"
  int64_t vocabulary = 0;                            ///< ids are below it
  int64_t before = 0;       ///< tokens of the text that all lines go on from, which may then be empty
  int64_t most_tokens = 0;  ///< that a prompt may have with them; 0: any number
};

/// A line of input that can be continued.
struct TextPrompt {
  int64_t line = 0;         ///< from 1
  std::string text;         ///< "" of ids
  std::string source = {};  ///< the line itself
  std::vector<int64_t> ids;
  nlohmann::ordered_json id = {};  ///< null where the line gave none
};

/// The line as a JSON object that holds a prompt; nothing where it is none, and so a plain text.
std::optional<nlohmann::ordered_json> json_prompt(const std::string& line);

/// What is told of a line that could not be answered: what identifies it, and why.
nlohmann::ordered_json refusal(const std::string& line, const char* why);

/// Throws UserError where the line is none that can be continued.
TextPrompt read_prompt(const PromptRules& rules, int64_t line, const std::string& text);

/// Lines of input that are answered together: their prompts, and in their order what is to be written. A line
/// that cannot be continued has its answer at once, the others get theirs from the model.
struct PromptBatch {
  std::vector<TextPrompt> prompts;
  std::vector<std::optional<nlohmann::ordered_json>> answers;
};

/// Reads lines and sorts them into those that can be continued and those that cannot.
class PromptReader {
 public:
  PromptReader(PromptRules rules, int64_t batch, std::istream& in)
      : rules_(std::move(rules)), batch_(batch), lines_(in, "standard input", {.by_nuls = false}) {}

  /// As many lines as hold a batch of prompts, fewer at the end; where the first is none that can be
  /// continued, it alone, so that nobody waits for its answer. No answers: the end.
  PromptBatch next();

  int64_t refused() const { return refused_; }
  const StrayBytes& stray() const { return stray_; }

 private:
  PromptRules rules_;
  int64_t batch_;
  TextLines lines_;
  StrayBytes stray_;
  int64_t refused_ = 0;
};

}  // namespace attnlab
