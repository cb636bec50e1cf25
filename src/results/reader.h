// Reads run.h5 back, for `attnlab table`, `attnlab list` and resuming.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/record.h"

namespace attnlab {

inline constexpr int64_t schema_version = 2;

struct RunRecord {
  std::map<std::string, Value> attributes;  ///< status, error, started, finished, seed, argv, config, …
  std::map<std::string, Summary> summaries;

  /// The attribute; `fallback` where it is missing or of another type.
  template <class T>
  T attribute(const std::string& name, T fallback = {}) const {
    const auto found = attributes.find(name);
    const T* value = found == attributes.end() ? nullptr : std::get_if<T>(&found->second);
    return value ? *value : fallback;
  }
  std::string status() const { return attribute<std::string>("status"); }
};

/// An attribute's value as text.
std::string text_of(const Value& value);

/// Attributes and summaries of a finished or running record. Throws UserError for a file that is no record of
/// ours or was made by a newer schema.
RunRecord read_run(const std::filesystem::path& run_h5);

/// Columns of a table such as "/train", by name, each cut to the rows that may be trusted. Throws UserError
/// where the record holds no such table.
std::map<std::string, std::vector<Value>> read_table(const std::filesystem::path& run_h5,
                                                     const std::string& table);

}  // namespace attnlab
