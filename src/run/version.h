// What was built, from which source, with which libraries.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace attnlab {

/// The commit of the source when this binary was built; "unknown" outside git.
std::string git_commit();
/// "true" when the source differed from its commit, "false", or "unknown" outside git. A file that git does
/// not know makes it differ only in src/.
std::string git_dirty();
/// The files that differed, and those that git did not know, by name with blanks between; cut at 1,000 bytes.
std::string git_changed();
std::string git_untracked();

/// (name, version) of the project, LibTorch, HDF5 and the compiler, under the names of the record's
/// attributes.
std::vector<std::pair<std::string, std::string>> versions();

}  // namespace attnlab
