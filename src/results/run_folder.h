// The folder of one run: results/<experiment>/<id>/{run.h5, metrics.jsonl, config.yaml, log.txt,
// checkpoint/}, and what it says of the run.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

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

/// The same of a record that need not be called run.h5.
RunState state_of_record(const std::filesystem::path& record);

}  // namespace attnlab
