// A paper's figures, from a small YAML file that an experiment names as `published:`.
//
//   source: "Ma et al. 2021 (arXiv 2106.01540), table 3, column Text"
//   metric: accuracy            # the headline figures given, one name or a list
//   unit: "%"                   # "%" where the headline is a fraction
//   rows:
//     - {name: Luna-16, match: {model.encoder.attention.type: luna, …projection_length: 16}, accuracy: 65.74}
//     - {name: Reformer, accuracy: 56.10}                 # no match: printed as published only
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace attnlab {

struct PublishedRow {
  std::string name;
  std::vector<std::pair<std::string, std::string>>
      match;                              ///< key path, value as in the resolved configuration
  std::map<std::string, double> figures;  ///< by metric, in the file's unit
};

struct Published {
  std::string source;
  std::string unit;
  std::vector<std::string> metrics;
  std::vector<PublishedRow> rows;
};

/// Throws UserError with every mistake in the file.
Published read_published(const std::filesystem::path& file);

/// Whether a row is about a run with these resolved options (path → value). A row without `match` is about
/// none.
bool matches(const PublishedRow& row, const std::map<std::string, std::string>& options);

}  // namespace attnlab
