#include "models/beam_options.h"

#include <algorithm>
#include <cmath>

namespace attnlab {

void BeamOptions::visit(Fields& f) {
  f("beam", beam, Range{1, 1024}, "texts kept open for each sentence; 1: greedy, or sampling");
  f("stop", stop, {{"safe", Stop::safe}, {"fairseq", Stop::fairseq}},
    "a sentence is done when no open text can reach the n best any more (safe), or as soon as `beam` texts "
    "have ended (fairseq)");
  f("length_penalty", length_penalty,
    {{"fairseq", Penalty::fairseq}, {"gnmt", Penalty::gnmt}, {"none", Penalty::none}},
    "score of a text of L tokens, its end counted: Σ log p / L^α (fairseq), / ((5 + L) / 6)^α (gnmt: Wu et "
    "al. 2016, tensor2tensor), or Σ log p");
  f("alpha", alpha, Range{-10, 10},
    "α of the length penalty; papers' 0.6 is fairseq's or gnmt's by their program");
  f("max_length_a", max_length_a, Range{0, 1000},
    "a translation has at most a·n + b tokens before its end, n being its own source's, end counted");
  f("max_length_b", max_length_b, Range{0, 1 << 20}, "b of that limit");
  f("max_length", max_length, Range{1, 1 << 20}, "no translation has more tokens before its end");
  f("min_length", min_length, Range{0, 1 << 20}, "nor fewer; 1: none is empty");
  f("n_best", n_best, Range{1, 1024}, "translations of each sentence that are kept");
  f("sampling", sampling, "temperature above 0: tokens are drawn, one text a sentence");
  f.require(n_best <= beam, "n_best", "there are no more best translations than texts in the beam");
  f.require(min_length <= max_length, "min_length", "min_length is above max_length");
  f.require(sampling.temperature == 0 || beam == 1, "beam",
            "sampling draws one text a sentence: beam must be 1");
}

double BeamOptions::score(double sum, int64_t length) const {
  const auto l = static_cast<double>(length);
  if (length_penalty == Penalty::fairseq) return sum / std::pow(l, alpha);
  if (length_penalty == Penalty::gnmt) return sum / std::pow((5 + l) / 6, alpha);
  return sum;
}

int64_t BeamOptions::limit(int64_t source_length) const {
  const double most = max_length_a * static_cast<double>(source_length) + static_cast<double>(max_length_b);
  const double capped = std::min(most, static_cast<double>(max_length));
  return std::max(static_cast<int64_t>(capped), min_length);
}

}  // namespace attnlab
