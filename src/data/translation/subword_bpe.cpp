#include "data/translation/subword_bpe.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/files.h"
#include "core/plain_text.h"
#include "core/utf8.h"
#include "data/translation/text_pairs_reader.h"

namespace attnlab {
namespace {

constexpr std::string_view end_of_word = "</w>";
constexpr std::string_view version_line = "#version:";

uint64_t pair_key(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

std::string_view stripped(std::string_view line) {
  const auto first = line.find_first_not_of("\r\n ");
  if (first == std::string_view::npos) return "";
  return line.substr(first, line.find_last_not_of("\r\n ") + 1 - first);
}

/// Whether the codes begin with a version, and which: the first line, which then holds no pair.
bool is_version(std::string_view line, const std::string& file, bool& end_is_apart) {
  if (!line.starts_with(version_line)) return false;
  const std::string_view version = stripped(line.substr(version_line.size()));
  if (version != "0.1" && version != "0.2")
    user_error("{}:1 has version {} of subword-nmt's codes; 0.1 and 0.2 are read", file, version);
  end_is_apart = version == "0.1";
  return true;
}

}  // namespace

std::vector<std::string> read_bpe_vocabulary(const std::filesystem::path& file, int64_t threshold) {
  std::vector<std::string> words;
  TextLineFile lines(file);
  for (std::string line; lines.next(line);) {
    const std::string_view text = stripped(line);
    const std::size_t space = text.find(' ');
    int64_t count = 0;
    const char* end = text.data() + text.size();
    const bool counted = space != std::string_view::npos &&
                         std::from_chars(text.data() + space + 1, end, count).ptr == end &&
                         space + 1 < text.size();
    if (text.empty() || (!counted && (space != std::string_view::npos || threshold > 0)))
      user_error("{}:{} is no symbol and its count, with one space between: '{}'", file.string(),
                 lines.number(), text);
    if (count >= threshold) words.emplace_back(text.substr(0, space));
  }
  return words;
}

SubwordBpe::SubwordBpe(const std::filesystem::path& codes, const std::vector<std::string>& vocabulary)
    : vocabulary_(vocabulary.begin(), vocabulary.end()) {
  std::vector<std::string> lines = read_lines(codes);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  const std::string file = codes.string();
  end_is_apart_ = true;
  const bool versioned = !lines.empty() && is_version(lines.front(), file, end_is_apart_);
  for (std::size_t i = versioned ? 1 : 0; i < lines.size(); ++i)
    add(stripped(lines[i]), static_cast<int32_t>(i), fmt::format("{}:{}", file, i + 1));
  if (merges_.empty()) user_error("{} holds no merges of subword-nmt", file);
  for (const std::string& line : lines) codes_ += line + "\n";
}

/// The first of equal rules counts. Of two rules that make the same piece, a split undoes the earlier one.
void SubwordBpe::add(std::string_view line, int32_t rank, const std::string& origin) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos)
    user_error("{} is no pair of symbols with one space between: '{}'", origin, line);
  const std::string left(line.substr(0, space)), right(line.substr(space + 1));
  const int32_t merged = number_of(left + right);
  merges_.emplace(pair_key(number_of(left), number_of(right)), Merge{rank, merged});
  made_of_.emplace(left + right, std::pair(left, right));
}

int32_t SubwordBpe::number_of(const std::string& symbol) {
  return numbers_.emplace(symbol, static_cast<int32_t>(numbers_.size())).first->second;
}

int32_t SubwordBpe::known(const std::string& symbol) const {
  const auto found = numbers_.find(symbol);
  return found == numbers_.end() ? -1 : found->second;
}

std::vector<SubwordBpe::Part> SubwordBpe::characters(std::string_view word) const {
  std::vector<Part> parts;
  for (std::size_t i = 0; i < word.size();) {
    const std::size_t size = std::max<std::size_t>(1, utf8_character(word.substr(i)));
    const bool last = i + size == word.size() && !end_is_apart_;
    parts.push_back({known(std::string(word.substr(i, size)) += last ? end_of_word : ""), i, i + size});
    i += size;
  }
  if (end_is_apart_) parts.push_back({known(std::string(end_of_word)), word.size(), word.size()});
  return parts;
}

/// Joins all places of the rule of the lowest rank, from left to right; false where no rule applies.
bool SubwordBpe::merge_lowest(std::vector<Part>& parts) const {
  const Merge* lowest = nullptr;
  uint64_t chosen = 0;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i].symbol < 0 || parts[i + 1].symbol < 0) continue;
    const uint64_t key = pair_key(parts[i].symbol, parts[i + 1].symbol);
    const auto rule = merges_.find(key);
    if (rule == merges_.end() || (lowest && lowest->rank <= rule->second.rank)) continue;
    lowest = &rule->second;
    chosen = key;
  }
  if (!lowest) return false;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < parts.size(); ++i, ++kept) {
    parts[kept] = parts[i];
    if (i + 1 == parts.size() || pair_key(parts[i].symbol, parts[i + 1].symbol) != chosen) continue;
    parts[kept] = {lowest->merged, parts[i].begin, parts[i + 1].end};
    ++i;
  }
  parts.resize(kept);
  return true;
}

std::vector<std::string> SubwordBpe::pieces(std::string_view word) const {
  if (utf8_character(word) == word.size()) return {std::string(word)};  // one character is never looked up
  std::vector<Part> parts = characters(word);
  while (parts.size() > 1 && merge_lowest(parts)) {
  }
  if (parts.back().begin == parts.back().end) parts.pop_back();  // the end of the word alone
  std::vector<std::string> made;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string piece(word.substr(parts[i].begin, parts[i].end - parts[i].begin));
    const bool final = i + 1 == parts.size();
    if (vocabulary_.empty())
      made.push_back(piece);
    else
      put(piece, final, made);
  }
  for (std::size_t i = 0; i + 1 < made.size(); ++i) made[i] += separator;
  return made;
}

bool SubwordBpe::has(const std::string& piece, bool final) const {
  return vocabulary_.contains(final ? piece : piece + std::string(separator));
}

void SubwordBpe::put(const std::string& piece, bool final, std::vector<std::string>& made) const {
  if (has(piece, final))
    made.push_back(piece);
  else
    split(piece, final, made);
}

void SubwordBpe::split(const std::string& piece, bool final, std::vector<std::string>& made) const {
  const auto parts = made_of_.find(final ? piece + std::string(end_of_word) : piece);
  if (piece.empty() || parts == made_of_.end()) {
    made.push_back(piece);
    return;
  }
  std::string right = parts->second.second;
  if (final) right.resize(right.size() - std::min(right.size(), end_of_word.size()));
  put(parts->second.first, false, made);
  put(right, final, made);
}

std::string SubwordBpe::vocabulary() const {
  std::vector<std::string> sorted(vocabulary_.begin(), vocabulary_.end());
  std::sort(sorted.begin(), sorted.end());
  std::string lines;
  for (const std::string& word : sorted) lines += word + "\n";
  return lines;
}

}  // namespace attnlab
