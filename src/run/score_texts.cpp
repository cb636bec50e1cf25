#include "run/score_texts.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_map.h"
#include "core/json_text.h"
#include "core/log.h"
#include "core/plain_text.h"

namespace attnlab {

const std::vector<std::string> id_keys{"question_id", "_id", "id"};

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Keys = std::vector<std::string>;

const Keys prediction_keys{"prediction", "predicted_answer", "translation", "text", "output", "pred"};
const Keys reference_keys{"references", "reference", "answers", "answer", "outputs"};

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

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
  StrayBytes stray;
  Lines all;
  for (std::string line; lines.next(line);) {
    all.push_back({line, origin_of(path, lines.number())});
    stray.look_at(line, all.back().origin);
  }
  stray.tell("lines", as_replacement);
  return all;
}

Lines translation_lines(std::istream& file, const fs::path& path) {
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  refuse_wide_encoding(bytes, path.string());
  std::string_view left = bytes;
  Lines all;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find('\n'), left.size());
    all.push_back({std::string(left.substr(0, end)), origin_of(path, static_cast<int64_t>(all.size()) + 1)});
    if (const auto stray = stray_byte_of(all.back().text)) user_error("{} {}", all.back().origin, *stray);
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return all;
}

Lines lines_of(const fs::path& path, TextRules rules) {
  std::ifstream file(path, std::ios::binary);
  if (fs::is_directory(path) || !file) user_error("cannot read {}", path.string());
  return rules == TextRules::answers ? any_lines(file, path) : translation_lines(file, path);
}

bool begins_with_mark(const std::string& line) { return line.starts_with(byte_order_mark); }

bool begins_with_brace(const std::string& line) {
  const auto first = line.find_first_not_of(" \t", begins_with_mark(line) ? byte_order_mark.size() : 0);
  return first != std::string::npos && line[first] == '{';
}

/// Whether the line is a text in JSON, a list of them, or a map.
bool holds_json_texts(const Line& line) {
  const json value = json_or_discarded(line.text);
  return value.is_string() || value.is_object() ||
         (value.is_array() &&
          std::all_of(value.begin(), value.end(), [](const json& v) { return v.is_string(); }));
}

/// A list of numbers, or one answer among others that happens to be in quotes, makes no JSON of a file.
bool seems_json(const Lines& lines, TextRules rules) {
  if (lines.empty()) return false;
  if (begins_with_brace(lines.front().text)) return true;
  return rules == TextRules::answers && std::all_of(lines.begin(), lines.end(), holds_json_texts);
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

std::vector<std::string> texts_of(const json& value, const Keys& keys, const std::string& origin) {
  if (!value.is_object()) return texts_in(value, origin);
  for (const std::string& key : keys)
    if (const auto found = value.find(key); found != value.end()) return texts_in(*found, origin);
  user_error("{} has none of the keys {}", origin, fmt::join(keys, ", "));
}

/// A number counts as its digits.
std::map<std::string, std::string> ids_of(const json& value) {
  std::map<std::string, std::string> ids;
  for (const std::string& key : id_keys)
    if (value.is_object() && value.contains(key))
      ids[key] = value[key].is_string() ? value[key].get<std::string>() : json_text(value[key]);
  return ids;
}

ScoredLine from_json(const Line& line, const Keys& keys) {
  const json value = json_or_discarded(line.text);
  if (value.is_discarded())
    user_error("{} {}; --format plain takes the file as plain text", line.origin,
               stray_byte_of(line.text).value_or("is no valid JSON, and the file is read as JSON lines"));
  return {texts_of(value, keys, line.origin), ids_of(value), line.origin};
}

/// A byte order mark stands in no JSON. In plain text it is a part of the first word, as it is to sacreBLEU.
void read_mark(std::string& first_line, bool is_json, const fs::path& path) {
  if (is_json)
    first_line.erase(0, byte_order_mark.size());
  else
    log_info("{} begins with a byte order mark, which is scored as a part of its first word, as by sacreBLEU",
             path.string());
}

}  // namespace

std::vector<ScoredLine> read_scored_lines(const fs::path& path, TextRole role, TextRules rules,
                                          TextFormat format) {
  Lines lines = lines_of(path, rules);
  const bool is_json =
      format == TextFormat::json || (format == TextFormat::automatic && seems_json(lines, rules));
  if (rules == TextRules::translations && !lines.empty() && begins_with_mark(lines.front().text))
    read_mark(lines.front().text, is_json, path);
  const Keys& keys = role == TextRole::prediction ? prediction_keys : reference_keys;
  std::vector<ScoredLine> all;
  for (const Line& line : lines)
    all.push_back(is_json ? from_json(line, keys) : ScoredLine{{line.text}, {}, line.origin});
  return all;
}

}  // namespace attnlab
