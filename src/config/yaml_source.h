// YAML files with `include:`, as trees.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/tree.h"

namespace attnlab {

/// A configuration as written, with everything that was already found wrong with it. read_options reports
/// those problems together with its own.
struct Config {
  Tree tree;
  std::vector<std::string> problems;  ///< "file:line: key.path: sentence" each
  bool incomplete = false;            ///< an included file could not be read, so keys may be missing
};

/// Reads a YAML file. `include:` (a path or a list of paths, relative to the including file) may stand in any
/// map: the included maps come first, in their order, and the map's own keys win (see merged()). Duplicate
/// keys, merge keys
/// (`<<`), missing, malformed and circular includes become problems. Throws UserError where the file itself
/// cannot be read or is no YAML.
Config load_yaml(const std::filesystem::path& path);

/// The same from text, without includes. `name` stands in messages for the file.
Config parse_yaml(std::string_view text, const std::string& name);

/// A value from the command line: any YAML value. Throws UserError.
Tree parse_value(std::string_view text, const std::string& key_path);

}  // namespace attnlab
