// Stages of tasks for threads of our own, so that ThreadSanitizer sees all of them: those of OpenMP it does
// not.
#include "kernels/task_queue.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace attnlab {
namespace {

constexpr int64_t kTasks = 7, kStages = 300;

/// Every task writes a plain number; the leader adds them up after each stage, and the next stage reads the
/// sum.
int64_t sum_over_stages(int helpers) {
  TaskQueue queue(kTasks);
  std::vector<int64_t> parts(kTasks);
  int64_t sum = 0;
  const auto work = [&](int64_t stage, int64_t task) { parts[task] = sum % 1000 + stage * task; };
  std::vector<std::thread> threads;
  for (int i = 0; i < helpers; ++i) threads.emplace_back([&] { queue.help(work); });
  for (int64_t stage = 0; stage < kStages; ++stage) {
    queue.run(stage, work);
    sum = std::accumulate(parts.begin(), parts.end(), sum);
  }
  queue.close();
  for (std::thread& thread : threads) thread.join();
  return sum;
}

TEST(TaskQueue, HelpersSeeWhatTheLeaderWroteAndTheLeaderWhatTheyWrote) {
  const int64_t alone = sum_over_stages(0);
  for (const int helpers : {1, 2, 3}) EXPECT_EQ(sum_over_stages(helpers), alone) << helpers;
}

TEST(TaskQueue, EveryTaskIsDoneOnce) {
  TaskQueue queue(kTasks);
  std::vector<int> done(kTasks * kStages);
  const auto work = [&](int64_t stage, int64_t task) { ++done[stage * kTasks + task]; };
  std::thread helper([&] { queue.help(work); });
  for (int64_t stage = 0; stage < kStages; ++stage) queue.run(stage, work);
  queue.close();
  helper.join();
  EXPECT_EQ(done, std::vector<int>(kTasks * kStages, 1));
}

}  // namespace
}  // namespace attnlab
