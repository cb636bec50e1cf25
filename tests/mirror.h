// Data of other publishers that may not be copied into the repository: the tests find it through
// $ATTNLAB_MIRROR, the folder or address that scripts/fetch_data takes, and say so where it is not set.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

namespace attnlab {

/// The path below the mirror, or "" where there is no mirror or it has no such file.
inline std::filesystem::path in_mirror(const std::string& path) {
  const char* mirror = ::getenv("ATTNLAB_MIRROR");
  if (!mirror || !std::filesystem::exists(std::filesystem::path(mirror) / path)) return {};
  return std::filesystem::path(mirror) / path;
}

inline std::string not_in_mirror(const std::string& path) {
  return "needs " + path + " below $ATTNLAB_MIRROR, which is not set or lacks it";
}

}  // namespace attnlab

/// Skips the test, with the reason, where the mirror does not hold `below`; else defines `name` as its path.
#define ATTNLAB_FROM_MIRROR(name, below)                        \
  const std::filesystem::path name = attnlab::in_mirror(below); \
  if (name.empty()) GTEST_SKIP() << attnlab::not_in_mirror(below)
