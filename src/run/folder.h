// The folder of one run: results/<experiment>/<id>/{run.h5, metrics.jsonl, config.yaml, log.txt,
// checkpoint/}.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/files.h"
#include "results/reader.h"

namespace attnlab {

struct RunFolder {
  std::filesystem::path path;

  std::filesystem::path record() const { return path / "run.h5"; }
  std::filesystem::path config() const { return path / "config.yaml"; }
  std::filesystem::path log() const { return path / "log.txt"; }
  std::filesystem::path checkpoint() const { return path / "checkpoint"; }
  std::filesystem::path trace() const { return path / "trace.json"; }
  std::filesystem::path previous() const { return path / "previous"; }
  std::filesystem::path lock() const { return path / "lock"; }
};

/// Makes the folder where it is absent and takes its lock. Throws UserError when another process holds it.
FileLock lock_folder(const RunFolder& folder);

/// Whether some process works on the run now.
bool is_locked(const RunFolder& folder);

/// What a folder says about its run.
struct RunState {
  std::string status;  ///< "not started", "running", "interrupted", "done", "failed", "diverged",
                       ///< "out_of_memory", "skipped", "unreadable"; "stale" (run/inputs.h)
  std::string error;   ///< as recorded, or why the record cannot be read
  std::optional<RunRecord> record;
};

/// A record that says `running` while nobody holds the lock is shown as interrupted.
RunState state_of(const RunFolder& folder);

/// Whether a run, or a report made of it, leaves an entry of this name in its folder.
bool written_by_runs(const std::string& name);
/// The entries that runs leave; neither the lock nor previous/.
std::vector<std::filesystem::path> written_entries(const RunFolder& folder);

/// Removes what a run wrote, then the folder and its parents below `top` (an absolute path) as far as they
/// are empty.
void remove_folder(const RunFolder& folder, const std::filesystem::path& top);

}  // namespace attnlab
