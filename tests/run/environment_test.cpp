// Odds and ends of a run: exit statuses, the words of a command line, the machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "run/attributes.h"
#include "run/device.h"
#include "run/exit.h"
#include "run/gpu.h"
#include "run/machine.h"
#include "test_folder.h"

namespace attnlab {
namespace {

TEST(Exit, StatusesAreThoseOfTheShell) {
  const auto status = [](auto error) { return outcome_of(std::make_exception_ptr(error)).exit_status; };
  EXPECT_EQ(outcome_of(nullptr).exit_status, 0);
  EXPECT_EQ(status(RunError("x")), 1);
  EXPECT_EQ(status(UserError("x")), 2);
  EXPECT_EQ(status(Interrupted(2)), 130);
  EXPECT_EQ(status(Interrupted(15)), 143);
  EXPECT_EQ(status(42), 1);
}

TEST(ShellLine, QuotesWhatAShellWouldTakeApart) {
  EXPECT_EQ(shell_line({"attnlab", "run", "a b.yaml", "seed=1", "it's", ""}),
            "attnlab run 'a b.yaml' seed=1 'it'\\''s' ''");
}

TEST(Machine, IsFound) {
  const Machine machine = this_machine();
  EXPECT_GE(machine.cores, 1);
  EXPECT_GT(machine.memory, 0);
  EXPECT_NE(machine.cpu, "");
  EXPECT_GT(free_disk("/absent/folder"), 0);  // that of the nearest parent
}

TEST(Device, CudaIsRefusedWithAReasonWhereThereIsNone) {
  if (!gpu_name().empty()) GTEST_SKIP() << "this machine has " << gpu_name();
  EXPECT_THAT(user_error_of([] { choose_device("cuda"); }),
              testing::HasSubstr("device: cuda was asked for, but the NVIDIA driver finds no device"));
  EXPECT_TRUE(choose_device("auto").is_cpu());
}

TEST(Gpu, StateIsSaidAsFarAsTheDriverKnowsIt) {
  GpuState state;
  EXPECT_EQ(state.words(), "") << "no device";
  state.architecture = "9.0";
  state.processors = 132;
  state.memory = int64_t{80} << 30;
  EXPECT_EQ(state.words(), "architecture 9.0, 132 multiprocessors, 80.0 GiB in all") << "NVML is silent";
  state.driver = "580.65.06";
  state.clock = 1755;
  state.highest_clock = 1980;
  state.memory_clock = 2619;
  state.power_limit = 700;
  state.free_memory = int64_t{79} << 30;
  EXPECT_EQ(state.words(),
            "driver 580.65.06, architecture 9.0, 132 multiprocessors, 1755 of 1980 MHz, memory 2619 MHz, at "
            "most 700 W, 80.0 GiB in all, 79.0 GiB free");
}

TEST(Threads, ZeroIsAllCores) {
  EXPECT_EQ(set_threads(1), 1);
  EXPECT_EQ(at::get_num_threads(), 1);
  EXPECT_EQ(set_threads(0), this_machine().cores);
}

}  // namespace
}  // namespace attnlab
