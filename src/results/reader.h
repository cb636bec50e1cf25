// Reads run.h5 back, for `attnlab table`, `attnlab list` and resuming.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/record.h"

namespace attnlab {

inline constexpr int64_t schema_version = 2;

struct RunRecord {
  std::map<std::string, Value> attributes;  ///< status, error, started, finished, seed, argv, config, …
  std::map<std::string, Summary> summaries;
  std::string status() const;  ///< "" where the attribute is missing
};

/// Attributes and summaries of a finished or running record. Throws UserError for a file that is no record of
/// ours or was made by a newer schema.
RunRecord read_run(const std::filesystem::path& run_h5);

/// Columns of a table such as "/train", by name, each cut to the rows that may be trusted. Throws UserError
/// where the record holds no such table.
std::map<std::string, std::vector<Value>> read_table(const std::filesystem::path& run_h5,
                                                     const std::string& table);

}  // namespace attnlab
