// Libraries that are opened while the program runs.
#pragma once

#include <filesystem>
#include <string>

namespace attnlab {

/// The folder of the shared library, or program, that holds this function.
std::filesystem::path folder_of(const void* function);

/// Opens a library so that what it holds is seen by all. Returns "" or the reason why not.
std::string open_library(const std::filesystem::path& library);

/// A function of a library that was opened, or null.
void* function_named(const std::filesystem::path& library, const char* name);

}  // namespace attnlab
