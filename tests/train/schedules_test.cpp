// Learning rates against torch's own schedulers and the formulas of fairseq and Long Range Arena
// (tests/golden/make_schedules.py).
#include "train/schedules.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "train/options.h"

namespace attnlab {
namespace {

constexpr double peak = 0.02;
constexpr int64_t warmup = 40, total = 300;

std::map<std::string, std::unique_ptr<ScheduleOptions>> as_in_golden() {
  std::map<std::string, std::unique_ptr<ScheduleOptions>> schedules;
  const auto with_warmup = [](auto schedule) {
    schedule->warmup = warmup;
    return schedule;
  };
  auto linear = with_warmup(std::make_unique<LinearScheduleOptions>());
  auto cosine = with_warmup(std::make_unique<CosineScheduleOptions>());
  linear->final_fraction = cosine->final_fraction = 0.1;
  schedules["constant"] = with_warmup(std::make_unique<ConstantScheduleOptions>());
  schedules["linear"] = std::move(linear);
  schedules["cosine"] = std::move(cosine);
  schedules["inverse_sqrt"] = with_warmup(std::make_unique<InverseSqrtScheduleOptions>());
  auto milestones = with_warmup(std::make_unique<MilestonesScheduleOptions>());
  milestones->milestones = {20, 100, 250};  // the first lies within the warm-up, and is passed over
  schedules["milestones"] = std::move(milestones);
  schedules["google_rsqrt"] = with_warmup(std::make_unique<GoogleRsqrtScheduleOptions>());
  return schedules;
}

TEST(Schedules, AgreeWithTheGoldenRates) {
  const auto schedules = as_in_golden();
  std::map<std::string, int> compared;
  std::ifstream golden(ATTNLAB_SOURCE_DIR "/tests/golden/schedules.tsv");
  for (std::string line; std::getline(golden, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    std::string name;
    int64_t done = 0;
    double rate = 0;
    ASSERT_TRUE(fields >> name >> done >> rate) << line;
    // torch's schedulers multiply the last rate at each step: 300 roundings
    EXPECT_NEAR(schedules.at(name)->rate(peak, done, total), rate, 1e-11 * peak) << name << " after " << done;
    ++compared[name];
  }
  ASSERT_EQ(compared.size(), registry<ScheduleOptions>().size()) << "every schedule has golden rates";
  for (const auto& [name, count] : compared) EXPECT_GE(count, 26) << name;
}

TEST(Schedules, WithoutWarmupTheFirstUpdateRunsAtThePeak) {
  for (const char* name : {"constant", "linear", "cosine"})
    EXPECT_EQ(Choice<ScheduleOptions>(name)->rate(peak, 0, total), peak) << name;
}

TEST(Schedules, EndWithinBoundsWhereWarmupOutlastsTheRun) {
  LinearScheduleOptions linear;
  linear.warmup = 100;
  EXPECT_DOUBLE_EQ(linear.rate(peak, 9, 10), peak * 0.1);
  EXPECT_DOUBLE_EQ(linear.rate(peak, 100, 10), peak);
  EXPECT_DOUBLE_EQ(linear.rate(peak, 500, 10), 0.0);
}

TEST(Schedules, MilestonesWithoutWarmupBeginAtThePeak) {
  MilestonesScheduleOptions schedule;
  schedule.warmup = 0;
  schedule.milestones = {3};
  EXPECT_DOUBLE_EQ(schedule.rate(peak, 0, total), peak);
  EXPECT_DOUBLE_EQ(schedule.rate(peak, 2, total), peak);
  EXPECT_DOUBLE_EQ(schedule.rate(peak, 3, total), peak * 0.1);
}

TEST(TrainOptions, EpochsBecomeUpdates) {
  TrainOptions options;
  options.updates = 7;
  EXPECT_EQ(options.planned_updates(100), 7);
  options.epochs = 3;
  EXPECT_EQ(options.planned_updates(100), 300);
  options.accumulate = 8;
  EXPECT_EQ(options.planned_updates(100), 38);  // 37.5 rounded up: every example is seen
  options.epochs = 0.3;
  options.accumulate = 1;
  EXPECT_EQ(options.planned_updates(10), 3);
}

TEST(TrainOptions, EpochsBetweenSnapshotsBecomeUpdates) {
  TrainOptions options;
  options.average_interval = 7;
  EXPECT_EQ(options.snapshot_interval(100), 7);
  options.average_epochs = 1;
  EXPECT_EQ(options.snapshot_interval(100), 100);
  options.accumulate = 8;
  EXPECT_EQ(options.snapshot_interval(100), 13);  // 12.5
  options.average_epochs = 0.01;
  EXPECT_EQ(options.snapshot_interval(100), 1);
}

}  // namespace
}  // namespace attnlab
