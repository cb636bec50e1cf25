// `sweep:` of an experiment: a grid over key paths, explicit cases, or both.
//
//   sweep:
//     cases:
//       - {label: Transformer, model.attention: softmax}
//       - {label: Luna-16, model.attention: {type: luna, projection_length: 16}}
//     grid: {length: [1024, 4096], seed: [1, 2, 3]}
//
// A case that sets a key of the grid itself keeps its value: it is run once for the other keys of the grid.
//
// A label names its case wherever people read: "Luna-16 length=1024". It is no key of the configuration and
// not part of a run's id. Several cases may share a label; then the keys in which they differ are shown
// behind it.
#pragma once

#include <string>
#include <vector>

#include "config/tree.h"

namespace attnlab {

/// One key path of the grid with the values that it takes.
struct Axis {
  std::string path;
  Mark mark;
  std::vector<Tree> values;
};

struct SweepCase {
  std::string label;  ///< "": none, the assignments name the case
  Mark mark;          ///< of the label, or of the case where it has none
  std::vector<Assignment> assignments;
};

struct Sweep {
  std::vector<Axis> grid;
  std::vector<SweepCase> cases;
};

/// A case of the sweep with one value of each axis of the grid.
struct Combination {
  std::string label;
  std::vector<Assignment> assignments;
  std::vector<Assignment> shown;  ///< what names it behind the label: without a label, all
};

/// Reads the tree under `sweep:`; what is wrong with it is added to `problems`.
Sweep read_sweep(const Tree& tree, std::vector<std::string>& problems);

/// The sweep without the keys that `fixed` assigns (or lies above); a labelled case that set one of them
/// otherwise says so in its label.
Sweep without_fixed(Sweep sweep, const std::vector<Assignment>& fixed);

/// Every combination once: cases × grid, the last key of the grid fastest. An empty one for an empty sweep.
/// Throws UserError above 100,000 combinations.
std::vector<Combination> combinations(const Sweep& sweep);

}  // namespace attnlab
