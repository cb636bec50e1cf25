// An array of a record: an HDF5 group with the values, compressed, and a scale for each dimension.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "core/record.h"
#include "results/hdf5.h"

namespace attnlab {

/// Integers as they lie in the file: little-endian, of 32 bits where all fit, else of 64.
struct PackedIntegers {
  int bits = 32;
  std::string bytes;
};
PackedIntegers pack(std::span<const int64_t> values);

/// Writes the array, in the place of an earlier one of its path. Throws UserError where an older version of
/// this program has put a table there.
void write_array(hid_t file, const Array& array, const std::filesystem::path& path);

}  // namespace attnlab
