#include "tables/record_places.h"

#include <algorithm>

#include "core/error.h"

namespace attnlab {

namespace fs = std::filesystem;

namespace {

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

/// What a folder holds, in order, without hidden names.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code none;  // of what is no folder, or may not be read
  for (const auto& entry : fs::directory_iterator(folder, none))
    if (!is_hidden(entry.path())) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace

bool is_place_of_records(const fs::path& path) {
  std::error_code none;  // of a name that cannot be looked at
  return fs::is_directory(path, none) || path.extension() == ".h5";
}

std::vector<fs::path> records_in(const fs::path& place) {
  if (!fs::exists(place)) user_error("there is no file or folder {}", place.string());
  if (!fs::is_directory(place)) return {place};
  std::vector<fs::path> folders{place};
  for (int depth = 0; depth < 3; ++depth) {
    std::vector<fs::path> records, below;
    for (const auto& folder : folders) {
      if (fs::is_regular_file(folder / "run.h5")) records.push_back(folder / "run.h5");
      for (const auto& entry : entries_of(folder))
        if (fs::is_directory(entry)) below.push_back(entry);
    }
    if (!records.empty()) return records;
    folders = std::move(below);
  }
  user_error("{} holds no run: there is no run.h5 in it, in its folders or in theirs", place.string());
}

}  // namespace attnlab
