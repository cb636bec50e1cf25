// `sweep:` of an experiment: a grid over key paths, explicit cases, or both.
//
//   sweep:
//     grid: {model.attention: [softmax, {type: luna, projection_length: 16}], seed: [1, 2, 3]}
//     cases: [{data.max_length: 1024, train.batch_size: 32}, {data.max_length: 4096, train.batch_size: 8}]
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

struct Sweep {
  std::vector<Axis> grid;
  std::vector<std::vector<Assignment>> cases;
};

/// Reads the tree under `sweep:`; what is wrong with it is added to `problems`.
Sweep read_sweep(const Tree& tree, std::vector<std::string>& problems);

/// The sweep without the keys that `fixed` assigns (or lies above).
Sweep without_fixed(Sweep sweep, const std::vector<Assignment>& fixed);

/// Every combination once: cases × grid, the last key of the grid fastest. One empty list for an empty sweep.
/// Throws UserError above 100,000 combinations.
std::vector<std::vector<Assignment>> combinations(const Sweep& sweep);

}  // namespace attnlab
