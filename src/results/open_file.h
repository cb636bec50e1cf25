// Opening run.h5, with a sentence for everything that can be wrong with it.
//
// The writer's file lives in memory and reaches the disk as a whole, by way of its image: HDF5 writes in
// place, piece by piece, and a kill between two pieces leaves a file that no reader accepts.
#pragma once

#include <filesystem>
#include <string>

#include "results/hdf5.h"

namespace attnlab::h5 {

/// An empty file in memory, which messages call `path`.
File create_in_memory(const std::filesystem::path& path);

/// A copy of the file in memory. Throws UserError for a file that is no record, was cut short or has a newer
/// schema, RunError where the system refuses.
File open_in_memory(const std::filesystem::path& path);

/// Opens for reading without a lock. Throws as above.
File open_for_reading(const std::filesystem::path& path);

/// The bytes of a file in memory, as they belong on disk.
std::string image(const File& file, const std::filesystem::path& path);

}  // namespace attnlab::h5
