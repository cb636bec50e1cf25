#include "results/run_folder.h"

#include "core/files.h"

namespace attnlab {

namespace fs = std::filesystem;

bool is_locked(const RunFolder& folder) { return FileLock::is_held(folder.lock()); }

RunState state_of(const RunFolder& folder) { return state_of_record(folder.record()); }

RunState state_of_record(const fs::path& record) {
  RunState state;
  const bool locked = is_locked({record.parent_path()});
  if (!fs::exists(record)) {
    state.status = locked ? "running" : "not started";
    return state;
  }
  try {
    state.record = read_run(record);
    state.status = state.record->status();
    state.error = state.record->attribute<std::string>("error");
  } catch (const std::exception& e) {
    state.status = locked ? "running" : "unreadable";
    state.error = e.what();
  }
  if (state.status == "running" && !locked) state.status = "interrupted";
  if (state.status.empty()) state.status = "interrupted";  // killed while the record was being made
  if (locked) state.status = "running";
  return state;
}

}  // namespace attnlab
