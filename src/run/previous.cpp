#include "run/previous.h"

#include <vector>

#include "core/error.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// The old result on its way into previous/ or back; one rename makes it previous/. A kill on the way: back.
fs::path moving(const RunFolder& folder) { return folder.path / "previous.part"; }
/// What was previous/ and is being removed.
fs::path forgotten(const RunFolder& folder) { return folder.path / "forgotten.part"; }
/// An empty folder that stands while the folder's own files are being removed.
fs::path clearing(const RunFolder& folder) { return folder.path / "clearing.part"; }

void clear(const RunFolder& folder) {
  fs::create_directory(clearing(folder));
  for (const auto& entry : written_entries(folder))
    if (entry != clearing(folder)) fs::remove_all(entry);
  fs::remove(clearing(folder));
}

void move_back(const RunFolder& folder) {
  for (const auto& entry : fs::directory_iterator(moving(folder)))
    fs::rename(entry.path(), folder.path / entry.path().filename());
  fs::remove(moving(folder));
}

bool is_done(const RunFolder& folder) {
  try {
    return fs::exists(folder.record()) && read_run(folder.record()).status() == "done";
  } catch (const std::exception&) {
    return false;  // cut short, or no record at all
  }
}

void refuse_foreign_entries(const RunFolder& folder) {
  for (const auto& entry : fs::directory_iterator(folder.path))
    if (const auto& path = entry.path(); path != folder.lock() && path != folder.previous() &&
                                         !is_hidden(path) && !written_by_runs(path.filename().string()))
      user_error("--fresh would remove {}, which no run writes: move it away first", path.string());
}

}  // namespace

void repair(const RunFolder& folder) {
  fs::remove_all(forgotten(folder));
  if (fs::exists(clearing(folder))) clear(folder);
  if (fs::exists(moving(folder))) move_back(folder);
  // The run was killed between the last word of its record and forget_previous.
  if (fs::exists(folder.previous()) && is_done(folder)) forget_previous(folder);
}

void set_aside(const RunFolder& folder) {
  refuse_foreign_entries(folder);
  if (fs::exists(folder.previous())) return clear(folder);
  const std::vector<fs::path> entries = written_entries(folder);
  if (entries.empty()) return;
  fs::create_directory(moving(folder));
  for (const auto& entry : entries) fs::rename(entry, moving(folder) / entry.filename());
  fs::rename(moving(folder), folder.previous());
}

void put_back(const RunFolder& folder) {
  if (!fs::exists(folder.previous())) return;
  clear(folder);
  fs::rename(folder.previous(), moving(folder));
  move_back(folder);
}

void forget_previous(const RunFolder& folder) {
  if (!fs::exists(folder.previous())) return;
  fs::rename(folder.previous(), forgotten(folder));
  fs::remove_all(forgotten(folder));
}

}  // namespace attnlab
