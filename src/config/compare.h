// `compare:` of an experiment: figures of every case as ratios to those of reference cases.
//
//   compare:
//     to: {textbook: Transformer (textbook), fused: Transformer (fused)}   # short name: label of a case
//     speedup: [train_seconds, infer_seconds]   # how many times better: reference / ours where lower is
//     better fraction: [train_allocator_peak]          # ours / reference
//
// A case is compared with the case of that label in which every other swept key, but for the seed, is the
// same.
#pragma once

#include <string>
#include <vector>

#include "config/sweep.h"

namespace attnlab {

/// One ratio that becomes a figure of its own: train_seconds_speedup_textbook.
struct Comparison {
  enum class Kind { speedup, fraction };
  Kind kind;
  std::string metric;     ///< headline figure
  std::string reference;  ///< short name
  std::string label;      ///< of the reference's case
  Mark mark;              ///< of the metric
  /// "<metric>_speedup_<reference>" or "<metric>_fraction_<reference>".
  std::string name() const;
};

struct Compare {
  struct Word {
    std::string text;
    Mark mark;
  };
  struct Reference {
    std::string name, label;
  };
  std::vector<Reference> to;
  std::vector<Word> speedup, fraction;

  bool empty() const { return to.empty(); }
  /// Metrics in the order written, speed-ups first, each for every reference.
  std::vector<Comparison> each() const;
};

/// Reads the tree under `compare:`. What is wrong is added to `problems`: unknown keys, labels that no case
/// of the sweep has, lists without a name. Whether the metrics exist only the tasks can tell.
Compare read_compare(const Tree& tree, const Sweep& sweep, std::vector<std::string>& problems);

}  // namespace attnlab
