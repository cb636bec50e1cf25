// BLEU (Papineni et al. 2002) as sacreBLEU 2.6.0 computes it (Post 2018), of a whole corpus: sentences give
// counts, which are summed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "metrics/bleu_tokenizers.h"

namespace attnlab {

inline constexpr std::size_t bleu_orders = 4;

/// What is done where n-grams of an order have no match (Chen and Cherry 2014).
enum class BleuSmoothing {
  exponential,  ///< "exp": the k-th such order counts 1 / 2^k matches, as mteval-v13a.pl does
  none,
  floor,  ///< value matches, 0.1
  add_k,  ///< value more matches and n-grams from the second order on, 1
};

struct BleuOptions {
  BleuTokenizer tokenizer = BleuTokenizer::mteval_13a;
  BleuSmoothing smoothing = BleuSmoothing::exponential;
  std::optional<double> smoothing_value = std::nullopt;  ///< of floor and add_k
  bool lowercase = false;
  bool effective_order = false;  ///< orders beyond the prediction's length do not count; for single sentences
};

/// As papers report BLEU on WMT'14 EN-DE, of tokenised text only.
BleuOptions compound_split_bleu();

/// Of a sentence, or summed.
struct BleuStatistics {
  int64_t prediction_length = 0;  ///< words
  int64_t reference_length = 0;   ///< of the reference closest in length, the shorter of two
  std::array<int64_t, bleu_orders> matches{}, totals{};  ///< n-grams of the prediction, clipped and all

  BleuStatistics& operator+=(const BleuStatistics& other);
  bool operator==(const BleuStatistics&) const = default;
};

/// Texts are UTF-8, a line each; there is at least one reference. A match counts as often as the reference
/// has it that has it most.
BleuStatistics bleu_statistics(std::string_view prediction, std::span<const std::string> references,
                               const BleuOptions& options);

struct BleuScore {
  double bleu = 0;                               ///< 0–100
  std::array<double, bleu_orders> precisions{};  ///< per cent, smoothed
  double brevity_penalty = 1;
};
/// 0 where an order of the corpus has no n-grams, or no order a match.
BleuScore bleu_score(const BleuStatistics& corpus, const BleuOptions& options);

/// In sacreBLEU's order but for the lines, without a version, which is the caller's:
/// "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|lines:3003". Every line has `references`; 0: they vary.
std::string bleu_signature(const BleuOptions& options, int64_t references, int64_t lines);

}  // namespace attnlab
