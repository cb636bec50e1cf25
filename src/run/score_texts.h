// What `attnlab score` reads: texts of anybody's making, a line each, plain or JSON.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace attnlab {

struct ScoredExample {
  std::string prediction;
  std::vector<std::string> references;  ///< at least one
};

enum class TextRules {
  /// Any line end; JSON lines are told by a first line that is a map, a list or a string; stray bytes stand.
  answers,
  /// As sacreBLEU reads: LF alone ends a line, and what is not UTF-8 is refused. JSON lines are told by a
  /// first line that is a map: a translation may begin with a quote.
  translations,
};

/// One for each line of `predictions`. Every file of `references` has as many lines, a JSON line may hold
/// several. Throws UserError, naming file and line, for files of unequal length, an example without a
/// reference, and lines that are neither texts nor JSON with them.
std::vector<ScoredExample> read_examples(const std::filesystem::path& predictions,
                                         const std::vector<std::filesystem::path>& references,
                                         TextRules rules);

}  // namespace attnlab
