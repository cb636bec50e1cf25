// How the best texts are looked for, and what best means.
#pragma once

#include "models/sampling.h"

namespace attnlab {

/// s = Σ log p of a text's tokens, L their number; both count the one that ends it.
struct BeamOptions {
  enum class Stop {
    safe,     ///< when no text that is still open can become one of the n best
    fairseq,  ///< when `beam` texts have ended
  };
  enum class Penalty {
    fairseq,  ///< score s / L^α
    gnmt,     ///< score s / ((5 + L) / 6)^α (Wu et al. 2016, eq. 14)
    none,     ///< score s
  };
  int64_t beam = 5;
  Stop stop = Stop::safe;
  Penalty length_penalty = Penalty::fairseq;
  double alpha = 1.0;
  double max_length_a = 2.0;
  int64_t max_length_b = 10;
  int64_t max_length = 1024;
  int64_t min_length = 1;
  int64_t n_best = 1;
  SamplingOptions sampling = {};

  void visit(Fields& f);
  /// Of a text whose log-probability is `sum` and that has `length` tokens, at least 1.
  double score(double sum, int64_t length) const;
  /// The most tokens before the last one that a translation of so many may have.
  int64_t limit(int64_t source_length) const;
};

}  // namespace attnlab
