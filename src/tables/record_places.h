// Finding records.
#pragma once

#include <filesystem>
#include <vector>

namespace attnlab {

/// Whether `attnlab table` reads this as results and not as an experiment file: a folder, or a record.
bool is_place_of_records(const std::filesystem::path& path);

/// The records at a place: itself where it is a file; run.h5 in the folder, else in its folders, else in
/// theirs. Hidden names are none: macOS leaves a file ._NAME beside each that it copies. Throws UserError
/// where there is none.
std::vector<std::filesystem::path> records_in(const std::filesystem::path& place);

}  // namespace attnlab
