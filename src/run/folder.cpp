#include "run/folder.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <thread>

#include "core/error.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// `attnlab list` holds a lock for the moment of looking; a run that starts at that moment tries again.
constexpr int kAttempts = 5;
constexpr auto kPause = std::chrono::milliseconds(40);

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) run_error("cannot create {}: {}", path.string(), error.message());
}

}  // namespace

bool written_by_runs(const std::string& name) {
  // The last two are what scripts/report leaves beside a run that it is given.
  constexpr std::array<std::string_view, 10> names = {
      "run.h5", "metrics.jsonl", "config.yaml", "log.txt",     "checkpoint",
      "model",  "vocabulary",    "trace.json",  "report.html", "plots"};
  if (name.ends_with(".part")) return true;  // left by a kill between writing and renaming
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<fs::path> written_entries(const RunFolder& folder) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder.path))
    if (written_by_runs(entry.path().filename().string())) entries.push_back(entry.path());
  return entries;
}

FileLock lock_folder(const RunFolder& folder) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    make_folder(folder.path);
    auto lock = FileLock::try_acquire(folder.lock());
    if (lock) return std::move(*lock);  // a run that is refused removes its folder with the lock in it
    std::this_thread::sleep_for(kPause);
  }
  user_error("{} is in use: another process works on this run", folder.path.string());
}

void remove_folder(const RunFolder& folder, const fs::path& top) {
  std::error_code ignored;
  for (const auto& entry : written_entries(folder)) fs::remove_all(entry, ignored);
  fs::remove(folder.lock(), ignored);
  for (fs::path p = fs::absolute(folder.path); p != top && fs::remove(p, ignored);) p = p.parent_path();
}

}  // namespace attnlab
