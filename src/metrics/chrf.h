// chrF (Popović 2015) and chrF++ (Popović 2017) as sacreBLEU 2.6.0 computes them: character n-grams up to 6
// without white space, with word n-grams up to 2 in chrF++, β = 2.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace attnlab {

struct ChrfOptions {
  int64_t word_orders = 0;  ///< 0: chrF2; 2: chrF2++
  bool lowercase = false;
};

inline constexpr std::size_t chrf_character_orders = 6, chrf_most_word_orders = 2;

/// Of a sentence, or summed.
struct ChrfStatistics {
  struct Order {
    int64_t predicted = 0;  ///< n-grams; 0 where the reference has none of this order
    int64_t wanted = 0, matches = 0;
    bool operator==(const Order&) const = default;
  };
  std::array<Order, chrf_character_orders + chrf_most_word_orders> orders{};  ///< characters', then words'

  ChrfStatistics& operator+=(const ChrfStatistics& other);
  bool operator==(const ChrfStatistics&) const = default;
};

/// Against the first reference that gives the sentence its best F. Texts are UTF-8; there is at least one
/// reference.
ChrfStatistics chrf_statistics(std::string_view prediction, std::span<const std::string> references,
                               const ChrfOptions& options);

/// 0–100: precision and recall are means over the orders that both sides have n-grams of, then one F.
double chrf_score(const ChrfStatistics& corpus);

/// "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|lines:3003"; see bleu_signature.
std::string chrf_signature(const ChrfOptions& options, int64_t references, int64_t lines);

}  // namespace attnlab
