// Tokens that are cut out of a text before all else: "<|im_end|>".
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace attnlab {

struct AddedToken {
  std::string content;
  int64_t id = 0;
  bool single_word = false;  ///< only where no word goes on before or behind it
  bool lstrip = false;       ///< takes the white space before it along
  bool rstrip = false;       ///< and that behind it
  bool normalized = false;   ///< looked for in the normalised text, as its content is when normalised
  bool special = false;      ///< silent in what is decoded
};

/// Finds the leftmost, and of those the longest, again and again.
class AddedTokens {
 public:
  /// A part of a text: a token, or (id −1) what stands between tokens.
  struct Part {
    int64_t id;
    std::size_t begin, end;
  };

  /// `pattern` is what stands for the token in a text; the first of several equal ones counts.
  void add(const std::string& pattern, const AddedToken& token);
  bool empty() const { return tokens_.empty(); }
  /// The text in parts. Special tokens can be left in it as text.
  std::vector<Part> split(std::string_view text, bool special_as_text) const;

 private:
  struct Node {
    int64_t token = -1;  ///< that ends here
    std::vector<std::pair<char, std::size_t>> next;
  };
  /// The node behind `node` (0: none has been reached) and a byte; 0 where there is none.
  std::size_t step(std::size_t node, char byte) const;
  /// The longest token that begins at `at`, and its end.
  std::pair<const AddedToken*, std::size_t> longest(std::string_view text, std::size_t at) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_{Node{}};
  std::array<std::size_t, 256> first_{};  ///< nodes behind node 0
};

}  // namespace attnlab
