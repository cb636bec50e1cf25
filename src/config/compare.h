// `compare:` of an experiment: figures of every case beside those of reference cases.
//
//   compare:
//     to: {textbook: Transformer (textbook), fused: Transformer (fused)}   # short name: label of a case
//     speedup: [train_seconds, infer_seconds]   # times better: reference / ours where lower is better
//     fraction: [train_allocator_peak]          # ours / reference
//     difference: [f1]                          # ours − reference, in the figure's unit
//
// A case is compared with the case of that label in which every other swept key, but for the seed, is the
// same.
#pragma once

#include <string>
#include <vector>

#include "config/sweep.h"

namespace attnlab {

/// One ratio or difference that becomes a figure of its own: train_seconds_speedup_textbook.
struct Comparison {
  enum class Kind { speedup, fraction, difference };
  Kind kind;
  std::string metric;     ///< headline figure
  std::string reference;  ///< short name
  std::string label;      ///< of the reference's case
  Mark mark;              ///< of the metric
  /// "<metric>_speedup_<reference>", with the kind's word.
  std::string name() const;
};

/// "speedup", "fraction", "difference".
std::string_view word_of(Comparison::Kind kind);

struct Compare {
  struct Word {
    std::string text;
    Mark mark;
  };
  struct Reference {
    std::string name, label;
  };
  std::vector<Reference> to;
  std::vector<Word> speedup, fraction, difference;

  bool empty() const { return to.empty(); }
  const std::vector<Word>& metrics(Comparison::Kind kind) const;
  /// Metrics in the order written, speed-ups first, differences last, each for every reference.
  std::vector<Comparison> each() const;
};

/// Reads the tree under `compare:`. What is wrong is added to `problems`: unknown keys, labels that no case
/// of the sweep has, lists without a name. Whether the metrics exist only the tasks can tell.
Compare read_compare(const Tree& tree, const Sweep& sweep, std::vector<std::string>& problems);

}  // namespace attnlab
