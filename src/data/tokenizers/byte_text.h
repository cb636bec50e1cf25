// Bytes that come one by one as text.
#pragma once

#include <string>
#include <string_view>

namespace attnlab {

/// What stands in the place of bytes that make no UTF-8.
enum class StrayBytesRule {
  one_a_sequence,  ///< a character that was begun and not finished is one U+FFFD, as in Rust and browsers
  one_a_byte,      ///< as SentencePiece has it
};

/// Hands out a character as soon as it is whole.
class ByteText {
 public:
  explicit ByteText(StrayBytesRule rule) : rule_(rule) {}
  /// The text that has become certain.
  std::string push(std::string_view bytes);
  /// The rest, which no character has been made of.
  std::string finish();

 private:
  void put_stray(std::size_t bytes, std::string& out);
  std::string settle(bool all);

  StrayBytesRule rule_;
  std::string held_;  ///< less than a character, but for moments
};

}  // namespace attnlab
