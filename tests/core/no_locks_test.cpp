// Locks on a file system that has none. This program's own flock stands in for it.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "core/error.h"
#include "core/files.h"

namespace {
int lock_error = 0;  ///< what flock answers; 0: as the kernel does
}

extern "C" int flock(int descriptor, int operation) noexcept {
  if (lock_error == 0) return static_cast<int>(syscall(SYS_flock, descriptor, operation));
  errno = lock_error;
  return -1;
}

namespace attnlab {
namespace {

TEST(NoLocks, AreDoneWithoutAndSaid) {
  const std::filesystem::path file = testing::TempDir() + "no_locks";
  for (const int error : {ENOSYS, ENOLCK, EOPNOTSUPP}) {
    lock_error = error;
    testing::internal::CaptureStderr();
    EXPECT_TRUE(FileLock::try_acquire(file));
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(said.find("has no locks") != std::string::npos, error == ENOSYS) << said;  // once a folder
    EXPECT_FALSE(FileLock::is_held(file));
  }
  lock_error = EIO;
  EXPECT_THROW(FileLock::try_acquire(file), RunError);
  lock_error = 0;
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace attnlab
