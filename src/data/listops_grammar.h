// ListOps expressions such as "[MAX 2 9 [MIN 4 7 ] 0 ]" as symbols: digits 0–9, operators, the closing
// bracket.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"

namespace attnlab::listops {

enum Symbol : uint8_t { kMin = 10, kMax = 11, kMed = 12, kSumMod = 13, kEnd = 14 };
inline constexpr int64_t kSymbols = 15;

/// Parses tokens set apart by white space; the round brackets of the published files are dropped, as the Long
/// Range Arena's tokenizer does. Throws UserError that names an unknown token, or says how the expression is
/// malformed.
std::vector<uint8_t> parse(std::string_view text);

std::string to_text(std::span<const uint8_t> symbols);

/// The value, 0–9. MED is the median with .5 cut off; SM the sum modulo 10. Throws UserError where malformed.
int32_t evaluate(std::span<const uint8_t> symbols);

/// Shape of random expressions, as in the Long Range Arena's generator.
struct TreeShape {
  int64_t max_depth = 10;  ///< a digit alone has depth 1
  int64_t max_args = 10;   ///< arguments of an operator: uniform in [2, max_args]
  int64_t max_length = 2000;
};

/// One random tree: a node is an operator with probability 1/4, else a digit. Nothing when it grew too long.
std::optional<std::vector<uint8_t>> random_tree(const TreeShape& shape, Random& random);

}  // namespace attnlab::listops
