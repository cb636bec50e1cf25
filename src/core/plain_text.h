// What people's texts are read as: one rule for documents, reviews, prompts, JSON lines and configurations,
// whatever editor saved them.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace attnlab {

/// `text` with every CRLF and every lone CR replaced by LF: what Python sees in text mode, and with it the
/// published loaders of PG-19.
std::string universal_newlines(std::string text);

/// The encoding of the bytes, as iconv calls it, where it is one of two or four bytes a character: told by a
/// byte order mark, or by NULs that stand where such a text has them. Nothing for all others.
std::optional<std::string> wide_encoding(std::string_view bytes);

/// Throws UserError that begins with `origin` (a file, "line 3") and says how to convert what is in such an
/// encoding.
void refuse_wide_encoding(std::string_view bytes, const std::string& origin);

/// What is wrong with bytes that are to be UTF-8, as the end of a sentence: "is not UTF-8: byte 0xE9 at line
/// 3, column 18 …"; of one line without its number. Nothing where they are.
std::optional<std::string> stray_byte_of(std::string_view bytes);

/// The text of a file: without UTF-8's byte order mark, line ends as LF, its bytes otherwise as they are.
/// Throws UserError for UTF-16 and UTF-32.
std::string plain_text(std::string bytes, const std::string& origin);

/// Where the lines of a stream are not those of the plain text.
struct LineRules {
  bool lone_cr = true;  ///< ends a line; false: LF and CRLF alone do, as in files of sentence pairs
  bool by_nuls = true;  ///< UTF-16 is told by NULs too; false: by its mark alone, and who reads judges lines
};

/// The lines of a stream under the same rule, each as soon as its end has been read.
class TextLines {
 public:
  /// `origin` names the stream in sentences: "standard input".
  TextLines(std::istream& in, std::string origin, LineRules rules = {})
      : in_(in), origin_(std::move(origin)), rules_(rules) {}
  /// The next line without its end; false after the last. Throws UserError where the stream begins in UTF-16
  /// or UTF-32.
  bool next(std::string& line);
  /// Of the line that was read last, from 1.
  int64_t number() const { return number_; }

 private:
  bool read_to_end_of_line(std::string& line);
  void look_at_beginning(std::string& line);

  std::istream& in_;
  std::string origin_;
  LineRules rules_;
  int64_t number_ = 0;
  bool after_cr_ = false;  ///< an LF that follows belongs to it
  bool begun_ = false;     ///< the encoding has been looked at
  std::string beginning_;  ///< every byte until then
};

/// Counts the texts of a set that are not UTF-8, or hold NULs, so that one line tells of them.
class StrayBytes {
 public:
  void look_at(std::string_view text, const std::string& origin);
  /// Logs "2 of 5 documents are not UTF-8 …: such bytes are …"; nothing where all are clean. `what` they are
  /// ("documents") and how stray bytes are `read` ("read as they are").
  void tell(const char* what, const char* read) const;

 private:
  struct Kind {
    int64_t count = 0;
    std::string first;  ///< where, in words
    void found(std::string_view text, std::size_t at, const std::string& origin);
  };
  int64_t texts_ = 0;
  Kind stray_, nul_;
};

/// How SentencePiece reads them.
inline constexpr const char* as_replacement = "read as U+FFFD each";

}  // namespace attnlab
