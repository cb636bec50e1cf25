// A headline figure: a scalar dataset under /summary with its unit, meaning, n and standard error as
// attributes.
#pragma once

#include <filesystem>
#include <string>

#include "core/record.h"
#include "results/hdf5.h"

namespace attnlab {

void create_summary_group(hid_t file, const std::filesystem::path& path);

/// Writes or replaces the figure.
void write_summary(hid_t file, const Summary& figure, const std::filesystem::path& path);

Summary read_summary(hid_t summary_group, const std::string& name, const std::filesystem::path& path);

}  // namespace attnlab
