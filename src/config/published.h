// A paper's figures, from a small YAML file that an experiment names as `published:`.
//
//   source: "Ma et al. 2021 (arXiv 2106.01540), table 3, column Text"
//   metric: accuracy            # the figures given, one name or a list: headline figures, or names of ratios
//                               # that the experiment's `compare` makes (train_seconds_speedup_textbook)
//   unit: "%"                   # "%" where the headline is a fraction
//   rows:
//     - {name: Luna-16, match: {model.encoder.attention.type: luna, …projection_length: 16}, accuracy: 65.74}
//     - {name: "Luna-16, 1K", match: {label: Luna-16, length: 1024}, accuracy: 65.74}   # by the case's label
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
      match;  ///< `label`, or key path, with the value as in the resolved configuration
  std::map<std::string, double> figures;            ///< by metric, in the file's unit
  std::map<std::string, std::string> written = {};  ///< the same with the digits of the file
};

struct Published {
  std::string source;
  std::string unit;
  std::vector<std::string> metrics;
  std::vector<PublishedRow> rows;
};

/// Throws UserError with every mistake in the file.
Published read_published(const std::filesystem::path& file);

/// Whether a row is about a run with these values: its resolved options, path → value, and the label of its
/// case as `label`. A row without `match` is about none.
bool matches(const PublishedRow& row, const std::map<std::string, std::string>& values);

/// The rows about a run with these values, by their place.
std::vector<std::size_t> rows_about(const Published& published,
                                    const std::map<std::string, std::string>& values);

}  // namespace attnlab
