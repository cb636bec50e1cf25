#include "data/tokenizers/added_tokens.h"

#include <algorithm>

#include "data/unicode/characters.h"

namespace attnlab {
namespace {

bool has(uint16_t wanted, Character character) { return (character_classes(character.code) & wanted) != 0; }

bool inside_a_word(std::string_view text, std::size_t begin, std::size_t end) {
  return (begin > 0 && has(is_word, last_character(text.substr(0, begin)))) ||
         (end < text.size() && has(is_word, first_character(text.substr(end))));
}

std::size_t before_white_space(std::string_view text, std::size_t end) {
  while (end > 0) {
    const Character last = last_character(text.substr(0, end));
    if (!has(is_space, last)) break;
    end -= last.size;
  }
  return end;
}

std::size_t behind_white_space(std::string_view text, std::size_t begin) {
  while (begin < text.size()) {
    const Character next = first_character(text.substr(begin));
    if (!has(is_space, next)) break;
    begin += next.size;
  }
  return begin;
}

}  // namespace

std::size_t AddedTokens::step(std::size_t node, char byte) const {
  if (node == 0) return first_[static_cast<unsigned char>(byte)];
  for (const auto& [next, child] : nodes_[node].next)
    if (next == byte) return child;
  return 0;
}

void AddedTokens::add(const std::string& pattern, const AddedToken& token) {
  std::size_t node = 0;
  for (const char byte : pattern) {
    std::size_t child = step(node, byte);
    if (child == 0) {
      child = nodes_.size();
      if (node == 0)
        first_[static_cast<unsigned char>(byte)] = child;
      else
        nodes_[node].next.emplace_back(byte, child);
      nodes_.emplace_back();
    }
    node = child;
  }
  if (node == 0 || nodes_[node].token >= 0) return;
  nodes_[node].token = static_cast<int64_t>(tokens_.size());
  tokens_.push_back(token);
}

std::pair<const AddedToken*, std::size_t> AddedTokens::longest(std::string_view text, std::size_t at) const {
  std::pair<const AddedToken*, std::size_t> found{nullptr, at};
  std::size_t node = 0;
  while (at < text.size() && (node = step(node, text[at])) != 0) {
    ++at;
    if (nodes_[node].token >= 0) found = {&tokens_[static_cast<std::size_t>(nodes_[node].token)], at};
  }
  return found;
}

// The search goes on behind a token, also behind one that does not count here; white space that it takes
// along may hold the beginning of the next.
std::vector<AddedTokens::Part> AddedTokens::split(std::string_view text, bool special_as_text) const {
  std::vector<Part> parts;
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size() && !empty();) {
    const auto [token, behind] = longest(text, at);
    if (!token) {
      ++at;
      continue;
    }
    std::size_t begin = at, end = behind;
    at = behind;
    if (special_as_text && token->special) continue;
    if (token->single_word && inside_a_word(text, begin, end)) continue;
    if (token->lstrip) begin = std::max(before_white_space(text, begin), done);
    if (token->rstrip) end = behind_white_space(text, end);
    if (done < begin) parts.push_back({-1, done, begin});
    parts.push_back({token->id, begin, end});
    done = end;
  }
  if (done < text.size()) parts.push_back({-1, done, text.size()});
  return parts;
}

}  // namespace attnlab
