// Working in the folder of a run: its lock, what runs leave in it, removing it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/files.h"
#include "results/run_folder.h"

namespace attnlab {

/// Makes the folder where it is absent and takes its lock. Throws UserError when another process holds it.
FileLock lock_folder(const RunFolder& folder);

/// Whether a run, or a report made of it, leaves an entry of this name in its folder.
bool written_by_runs(const std::string& name);
/// The entries that runs leave; neither the lock nor previous/.
std::vector<std::filesystem::path> written_entries(const RunFolder& folder);

/// Removes what a run wrote, then the folder and its parents below `top` (an absolute path) as far as they
/// are empty.
void remove_folder(const RunFolder& folder, const std::filesystem::path& top);

}  // namespace attnlab
