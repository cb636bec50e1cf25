// How much memory is left, on machines as the kernel describes them: one folder in place of /proc, another in
// place of /sys/fs/cgroup.
#include "core/available_memory.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>

namespace attnlab {
namespace {

namespace fs = std::filesystem;

class AvailableMemory : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "memory-XXXXXX";
    top_ = ::mkdtemp(pattern.data());
    write("proc/meminfo", "MemTotal:       1000 kB\nMemFree:        100 kB\nMemAvailable:    800 kB\n");
  }
  void TearDown() override { fs::remove_all(top_); }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((top_ / name).parent_path());
    std::ofstream(top_ / name) << text;
  }
  int64_t available() const { return available_memory(top_ / "proc", top_ / "cgroup"); }

  fs::path top_;
};

TEST_F(AvailableMemory, IsTheKernelsOwnEstimateWhereNothingLimits) {
  EXPECT_EQ(available(), 800 * 1024);
  write("proc/self/cgroup", "0::/\n");
  write("cgroup/memory.max", "max\n");
  write("cgroup/memory.current", "5000\n");
  EXPECT_EQ(available(), 800 * 1024);
}

TEST_F(AvailableMemory, IsWhatTheTightestGroupLeaves) {
  write("proc/self/cgroup", "0::/jobs/mine\n");
  write("cgroup/jobs/memory.max", "300000\n");
  write("cgroup/jobs/memory.current", "250000\n");
  write("cgroup/jobs/mine/memory.max", "500000\n");
  write("cgroup/jobs/mine/memory.current", "100000\n");
  EXPECT_EQ(available(), 50000);
}

TEST_F(AvailableMemory, CountsFilePagesThatCanBeDroppedAsFree) {
  write("proc/self/cgroup", "0::/mine\n");
  write("cgroup/mine/memory.max", "300000\n");
  write("cgroup/mine/memory.current", "250000\n");
  write("cgroup/mine/memory.stat", "anon 150000\ninactive_file 100000\n");
  EXPECT_EQ(available(), 150000);
}

TEST_F(AvailableMemory, IsNothingWhereAGroupIsFull) {
  write("proc/self/cgroup", "0::/mine\n");
  write("cgroup/mine/memory.max", "300000\n");
  write("cgroup/mine/memory.current", "300001\n");
  EXPECT_EQ(available(), 0);
}

TEST_F(AvailableMemory, ReadsGroupsOfVersionOne) {
  write("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n");
  write("cgroup/memory/memory.limit_in_bytes", "200000\n");  // a container sees its own group as the top
  write("cgroup/memory/memory.usage_in_bytes", "120000\n");
  write("cgroup/memory/memory.stat", "total_inactive_file 20000\n");
  EXPECT_EQ(available(), 100000);
}

TEST_F(AvailableMemory, IsUnknownWhereTheKernelSaysNothing) {
  EXPECT_EQ(available_memory(top_ / "absent", top_ / "absent"), -1);
}

TEST(AvailableMemoryHere, IsLessThanTheMachineHas) {
  const int64_t available = available_memory();
  EXPECT_GT(available, 0);
  EXPECT_LT(available, int64_t{1} << 50);
}

}  // namespace
}  // namespace attnlab
