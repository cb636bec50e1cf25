// What `attnlab score` reads: texts of anybody's making, a line each, plain or JSON.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace attnlab {

enum class TextRules {
  /// Any line end; stray bytes stand in plain text.
  answers,
  /// As sacreBLEU reads: LF alone ends a line, a byte order mark is a part of the text, and what is not UTF-8
  /// is refused.
  translations,
};

/// What the lines of a file are.
enum class TextFormat {
  /// JSON where the first line begins with a brace; of answers also where every line is a JSON text or a list
  /// of them. A translation may begin with a quote, and an answer may be "yes" in quotes.
  automatic,
  plain,
  json,
};

/// A line of a file.
struct ScoredLine {
  std::vector<std::string> texts;          ///< of a plain line one
  std::map<std::string, std::string> ids;  ///< by id_keys, those that its JSON map has
  std::string origin;                      ///< "FILE, line 3"
};

/// Keys that an example can be named by, the first before the others: QASPER's, LongBench's, anybody's.
extern const std::vector<std::string> id_keys;

enum class TextRole { prediction, references };

/// The lines of a file. Throws UserError, naming file and line, for what is neither a text nor JSON with
/// texts.
std::vector<ScoredLine> read_scored_lines(const std::filesystem::path& path, TextRole role, TextRules rules,
                                          TextFormat format);

}  // namespace attnlab
