// Opening, creating and closing run.h5, with a sentence for everything that can be wrong with it.
#pragma once

#include <filesystem>

#include "results/hdf5.h"

namespace attnlab::h5 {

/// Creates the file `part`, which messages call `path`.
File create(const std::filesystem::path& part, const std::filesystem::path& path);

/// Opens for appending, under HDF5's file lock. Throws UserError for a file that is no record, was cut short
/// or has a newer schema, RunError where it is locked or the system refuses.
File open_for_writing(const std::filesystem::path& path);

/// Opens for reading without a lock, so that a running record can be read and never stands in its writer's
/// way.
File open_for_reading(const std::filesystem::path& path);

/// The file's descriptor; it stays HDF5's.
int descriptor(const File& file, const std::filesystem::path& path);

/// Gives back reserved space behind the end of the file's content.
void trim(const File& file, int descriptor, const std::filesystem::path& path);

/// Closes after syncing to the disk; unlike the destructor it throws RunError where that fails.
void close(File file, const std::filesystem::path& path);

}  // namespace attnlab::h5
