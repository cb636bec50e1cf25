#include "data/listops_grammar.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "core/error.h"

namespace attnlab::listops {
namespace {

constexpr std::array<std::string_view, kSymbols> kTokens = {"0", "1", "2",    "3",    "4",    "5",   "6", "7",
                                                            "8", "9", "[MIN", "[MAX", "[MED", "[SM", "]"};

bool is_operator(uint8_t symbol) { return symbol >= kMin && symbol <= kSumMod; }

int32_t apply(uint8_t operation, std::vector<int32_t>& arguments) {
  std::sort(arguments.begin(), arguments.end());
  const std::size_t n = arguments.size();
  switch (operation) {
    case kMin:
      return arguments.front();
    case kMax:
      return arguments.back();
    case kMed:
      return (arguments[(n - 1) / 2] + arguments[n / 2]) / 2;
    default:
      return std::accumulate(arguments.begin(), arguments.end(), 0) % 10;
  }
}

/// Appends a tree to `out`; false once `out` exceeds the longest length.
bool grow(const TreeShape& shape, Random& random, int64_t depth, std::vector<uint8_t>& out) {
  constexpr double kOperatorShare = 0.25;  // the published generator's VALUE_P, which is the operators' share
  if (static_cast<int64_t>(out.size()) >= shape.max_length) return false;
  if (depth >= shape.max_depth || random.uniform() >= kOperatorShare) {
    out.push_back(static_cast<uint8_t>(random.below(10)));
    return true;
  }
  out.push_back(static_cast<uint8_t>(kMin + random.below(4)));
  const auto arguments = 2 + random.below(static_cast<uint64_t>(shape.max_args) - 1);
  for (uint64_t i = 0; i < arguments; ++i)
    if (!grow(shape, random, depth + 1, out)) return false;
  out.push_back(kEnd);
  return static_cast<int64_t>(out.size()) <= shape.max_length;
}

}  // namespace

std::vector<uint8_t> parse(std::string_view text) {
  std::vector<uint8_t> symbols;
  constexpr std::string_view kSpace = " \t\r\n";
  for (;;) {
    const std::size_t begin = text.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::string_view token = text.substr(0, text.find_first_of(kSpace));
    text.remove_prefix(token.size());
    if (token == "(" || token == ")") continue;
    const auto found = std::find(kTokens.begin(), kTokens.end(), token);
    if (found == kTokens.end())
      user_error(
          "unknown ListOps token \"{}\": digits 0-9, [MIN, [MAX, [MED, [SM and ] are known, set apart by "
          "spaces",
          token);
    symbols.push_back(static_cast<uint8_t>(found - kTokens.begin()));
  }
  evaluate(symbols);  // refuses what is malformed
  return symbols;
}

std::string to_text(std::span<const uint8_t> symbols) {
  std::string text;
  for (const uint8_t symbol : symbols) {
    ensure(symbol < kSymbols, "a ListOps symbol below {}", kSymbols);
    if (!text.empty()) text += ' ';
    text += kTokens[symbol];
  }
  return text;
}

int32_t evaluate(std::span<const uint8_t> symbols) {
  struct Call {
    uint8_t operation;
    std::vector<int32_t> arguments;
  };
  std::vector<Call> open{{0, {}}};  // below the first operator: the expression's own value
  for (const uint8_t symbol : symbols) {
    ensure(symbol < kSymbols, "a ListOps symbol below {}", kSymbols);
    if (is_operator(symbol)) {
      open.push_back({symbol, {}});
      continue;
    }
    int32_t value = symbol;
    if (symbol == kEnd) {
      if (open.size() == 1) user_error("malformed ListOps expression: a ] closes nothing");
      if (open.back().arguments.empty())
        user_error("malformed ListOps expression: {} has no arguments", kTokens[open.back().operation]);
      value = apply(open.back().operation, open.back().arguments);
      open.pop_back();
    }
    open.back().arguments.push_back(value);
  }
  if (open.size() > 1)
    user_error("malformed ListOps expression: {} is not closed by a ]", kTokens[open.back().operation]);
  if (open.front().arguments.empty()) user_error("an empty ListOps expression has no value");
  if (open.front().arguments.size() > 1)
    user_error("malformed ListOps expression: {} values stand side by side outside any operator",
               open.front().arguments.size());
  return open.front().arguments.front();
}

std::optional<std::vector<uint8_t>> random_tree(const TreeShape& shape, Random& random) {
  std::vector<uint8_t> symbols;
  if (!grow(shape, random, 1, symbols)) return std::nullopt;
  return symbols;
}

}  // namespace attnlab::listops
