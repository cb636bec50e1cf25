// Line-aligned text: sentence i of one file is line i of the other.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace attnlab {

/// Two files of as many lines.
struct TextPairFiles {
  std::filesystem::path source, target;
};

/// Lines of a text in UTF-8. A line ends with LF or CRLF and with nothing else: a lone CR, a form feed or
/// U+2028 belongs to the sentence, as in the tools that aligned it, and so does whatever a line begins with
/// but for a byte order mark at the file's beginning.
class TextLineFile {
 public:
  /// Throws UserError where the file is missing or in UTF-16 or UTF-32.
  explicit TextLineFile(const std::filesystem::path& file);
  /// The next line; false after the last. Throws UserError, naming file and line, for one that is not UTF-8.
  bool next(std::string& line);
  int64_t number() const { return number_; }  ///< of the line that was read last, from 1

 private:
  std::string path_;
  std::vector<char> buffer_;
  std::ifstream in_;
  int64_t number_ = 0;
};

/// The pairs of several pairs of files, one after the other.
class TextPairsReader {
 public:
  explicit TextPairsReader(std::vector<TextPairFiles> files) : files_(std::move(files)) {}
  /// The next pair; false after the last. Throws UserError where one file of two ends before the other, and
  /// as TextLineFile does.
  bool next(std::string& source, std::string& target);

 private:
  std::vector<TextPairFiles> files_;
  std::size_t opened_ = 0;
  std::unique_ptr<TextLineFile> source_, target_;
};

/// How many pairs the files hold, counted by their line ends.
int64_t count_pairs(const std::vector<TextPairFiles>& files);

/// All lines of a file.
std::vector<std::string> read_lines(const std::filesystem::path& file);

/// SHA-256 over names, sizes and times of the files: another one when any was exchanged. Throws UserError,
/// which `advice` ends, for one that is missing.
std::string checksum_of_stats(const std::vector<std::filesystem::path>& files, const std::string& advice);
/// SHA-256 over their names and contents, at about 1.6 GB a second.
std::string checksum_of_contents(const std::vector<std::filesystem::path>& files, const std::string& advice);

}  // namespace attnlab
