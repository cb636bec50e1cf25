// How checkpoints stretch rotary positions to texts longer than those that they began with, as `transformers`
// reads `rope_scaling` (modeling_rope_utils.py, 4.57).
//
// Symbols: d head size, theta base, f_i = theta^(−2i/d) the frequency of pair i < d/2, L the length that the
// model was first trained on, s the factor.
#pragma once

#include <cstdint>
#include <vector>

namespace attnlab {

struct RopeScaling {
  enum class Kind {
    none,
    linear,  ///< f_i / s (Chen et al. 2023, arXiv 2306.15595)
    llama3,  ///< long waves / s, short ones as they are, smoothly in between (Llama 3.1)
    yarn     ///< interpolated below, kept above a band of frequencies (Peng et al. 2023, arXiv 2309.00071)
  };
  Kind kind = Kind::none;
  double factor = 1.0;             ///< s
  int64_t original_positions = 0;  ///< L
  double low_frequency = 1.0;      ///< llama3: waves longer than L / this are divided
  double high_frequency = 4.0;     ///< llama3: waves shorter than L / this are kept
  double beta_fast = 32.0;         ///< yarn: turns within L above which a frequency is kept
  double beta_slow = 1.0;          ///< yarn: and below which it is divided
  bool truncate = true;            ///< yarn: the band begins and ends at whole pairs
  double attention_factor = 1.0;   ///< yarn: of cosine and sine alike; see yarn_attention_factor

  bool operator==(const RopeScaling&) const = default;
};

/// The d/2 frequencies, in double.
std::vector<double> rope_frequencies(int64_t d, double theta, const RopeScaling& scaling);

/// 0.1·m·ln(s) + 1 for s > 1, else 1: what YaRN multiplies cosine and sine by (equation 22, for m = 1).
double yarn_attention_factor(double factor, double m = 1.0);

}  // namespace attnlab
