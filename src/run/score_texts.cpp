#include "run/score_texts.h"

#include <fmt/ranges.h>

#include <array>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_map.h"
#include "core/json_text.h"
#include "core/plain_text.h"
#include "core/utf8.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::array prediction_keys{"prediction", "translation", "text", "output"};
constexpr std::array reference_keys{"references", "reference", "answers", "answer"};

/// A line and where it stands: "FILE, line 3".
struct Line {
  std::string text, origin;
};

using Lines = std::vector<Line>;

std::string origin_of(const fs::path& path, int64_t line) {
  return fmt::format("{}, line {}", path.string(), line);
}

Lines any_lines(std::istream& file, const fs::path& path) {
  TextLines lines(file, path.string());
  Lines all;
  for (std::string line; lines.next(line);) all.push_back({line, origin_of(path, lines.number())});
  return all;
}

Lines translation_lines(std::istream& file, const fs::path& path) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  refuse_wide_encoding(bytes, path.string());
  std::string_view left = bytes;
  if (left.starts_with(byte_order_mark)) left.remove_prefix(byte_order_mark.size());
  Lines all;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find('\n'), left.size());
    all.push_back({std::string(left.substr(0, end)), origin_of(path, static_cast<int64_t>(all.size()) + 1)});
    if (!is_utf8(all.back().text))
      user_error("{} is not UTF-8: convert the file (iconv -f LATIN1 -t UTF-8, if it is Latin-1)",
                 all.back().origin);
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return all;
}

Lines lines_of(const fs::path& path, TextRules rules) {
  std::ifstream file(path, std::ios::binary);
  if (fs::is_directory(path) || !file) user_error("cannot read {}", path.string());
  return rules == TextRules::answers ? any_lines(file, path) : translation_lines(file, path);
}

bool holds_json(const Lines& lines, TextRules rules) {
  if (lines.empty()) return false;
  const json first = json_or_discarded(lines.front().text);
  return first.is_object() || (rules == TextRules::answers && (first.is_array() || first.is_string()));
}

std::vector<std::string> texts_in(const json& value, const std::string& origin) {
  if (value.is_string()) return {value.get<std::string>()};
  if (!value.is_array()) user_error("{}: {} is neither a text nor a list of texts", origin, json_text(value));
  std::vector<std::string> texts;
  for (const json& text : value) {
    if (!text.is_string()) user_error("{}: {} is no text", origin, json_text(text));
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

template <std::size_t N>
std::vector<std::string> texts_of(const Line& line, bool is_json, const std::array<const char*, N>& keys) {
  if (!is_json) return {line.text};
  const json value = json_or_discarded(line.text);
  if (value.is_discarded()) user_error("{} is no JSON, and the lines before it are", line.origin);
  if (!value.is_object()) return texts_in(value, line.origin);
  for (const char* key : keys)
    if (const auto found = value.find(key); found != value.end()) return texts_in(*found, line.origin);
  user_error("{} has none of the keys {}", line.origin, fmt::join(keys, ", "));
}

template <std::size_t N>
std::vector<std::vector<std::string>> read_texts(const fs::path& path, const std::array<const char*, N>& keys,
                                                 TextRules rules) {
  const Lines lines = lines_of(path, rules);
  const bool is_json = holds_json(lines, rules);
  std::vector<std::vector<std::string>> all;
  for (const Line& line : lines) all.push_back(texts_of(line, is_json, keys));
  return all;
}

}  // namespace

std::vector<ScoredExample> read_examples(const fs::path& predictions, const std::vector<fs::path>& references,
                                         TextRules rules) {
  std::vector<ScoredExample> all;
  for (const auto& texts : read_texts(predictions, prediction_keys, rules)) {
    if (texts.size() != 1)
      user_error("{}, line {} has {} predictions where one was expected", predictions.string(),
                 all.size() + 1, texts.size());
    all.push_back({texts.front(), {}});
  }
  if (all.empty()) user_error("{} holds no prediction", predictions.string());
  for (const fs::path& path : references) {
    const auto wanted = read_texts(path, reference_keys, rules);
    if (wanted.size() != all.size())
      user_error("{} has {} lines and {} has {}: each prediction needs its own", predictions.string(),
                 all.size(), path.string(), wanted.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i].references.insert(all[i].references.end(), wanted[i].begin(), wanted[i].end());
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].references.empty()) user_error("the prediction of line {} has no reference", i + 1);
  return all;
}

}  // namespace attnlab
