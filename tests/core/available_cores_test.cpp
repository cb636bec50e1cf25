// How many cores a control group's quota leaves, on machines as the kernel describes them.
#include "core/available_cores.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>

namespace attnlab {
namespace {

namespace fs = std::filesystem;

class QuotaCores : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "cores-XXXXXX";
    top_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(top_); }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((top_ / name).parent_path());
    std::ofstream(top_ / name) << text;
  }
  int64_t quota() const { return quota_cores(top_ / "proc", top_ / "cgroup"); }

  fs::path top_;
};

TEST_F(QuotaCores, AreUnlimitedWhereTheKernelSaysSoOrNothing) {
  EXPECT_EQ(quota(), 0);
  write("proc/self/cgroup", "0::/mine\n3:cpu,cpuacct:/mine\n");
  write("cgroup/mine/cpu.max", "max 100000\n");
  write("cgroup/cpu/mine/cpu.cfs_quota_us", "-1\n");
  write("cgroup/cpu/mine/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 0);
}

TEST_F(QuotaCores, AreRoundedUpInVersionTwo) {
  write("proc/self/cgroup", "0::/mine\n");
  write("cgroup/mine/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota(), 2);
  write("cgroup/mine/cpu.max", "20000 100000\n");
  EXPECT_EQ(quota(), 1);
}

TEST_F(QuotaCores, AreThoseOfTheTightestGroupAbove) {
  write("proc/self/cgroup", "0::/pods/mine\n");
  write("cgroup/pods/cpu.max", "300000 100000\n");
  write("cgroup/pods/mine/cpu.max", "800000 100000\n");
  EXPECT_EQ(quota(), 3);
}

TEST_F(QuotaCores, AreReadInVersionOne) {
  write("proc/self/cgroup", "5:cpu,cpuacct:/docker/abc\n");  // a container sees its own group as the top
  write("cgroup/cpu/cpu.cfs_quota_us", "400000\n");
  write("cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 4);
}

TEST(AvailableCores, AreAtLeastOne) { EXPECT_GE(available_cores(), 1); }

}  // namespace
}  // namespace attnlab
