// What starts next, and what cannot fit, as pure decisions.
#include "run/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace attnlab {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kGiB = int64_t{1} << 30;

/// Runs that are told apart by their index, in the order given.
class Schedule : public testing::Test {
 protected:
  Waiting waiting(double work, int64_t bytes, bool on_gpu = false) {
    runs_.push_back(std::make_unique<PlannedRun>());
    runs_.back()->index = static_cast<int64_t>(runs_.size()) - 1;
    return {runs_.back().get(), {work, bytes, on_gpu}};
  }
  static std::vector<int64_t> indices(const std::vector<Waiting>& all) {
    std::vector<int64_t> found;
    for (const auto& w : all) found.push_back(w.run->index);
    return found;
  }

  std::vector<std::unique_ptr<PlannedRun>> runs_;
};

TEST_F(Schedule, LongestFirstAndEqualOnesInOrder) {
  std::vector<Waiting> all = {waiting(1, 0), waiting(9, 0), waiting(0, 0), waiting(9, 0), waiting(0, 0)};
  longest_first(all);
  EXPECT_THAT(indices(all), ElementsAre(1, 3, 0, 2, 4));
}

TEST_F(Schedule, AShorterRunStartsWhereTheLongestHasToWait) {
  const std::vector<Waiting> all = {waiting(9, 8 * kGiB), waiting(5, 6 * kGiB), waiting(1, kGiB)};
  const Room whole{10 * kGiB, Room::unknown};
  EXPECT_EQ(next_to_start(all, whole), 0U);
  const Room left = beside(whole, all[0].demand);
  EXPECT_EQ(left.host, 2 * kGiB);
  EXPECT_EQ(next_to_start(all, left), 2U);
  EXPECT_EQ(next_to_start(all, beside(left, {0, 2 * kGiB})), std::nullopt);
}

TEST_F(Schedule, TheSumOfWhatRunsStaysBelowWhatThereIs) {
  const Demand three{1, 3 * kGiB};
  Room left{10 * kGiB, Room::unknown};
  int started = 0;
  for (; fits(three, left); ++started) left = beside(left, three);
  EXPECT_EQ(started, 3);
}

TEST_F(Schedule, WhatCannotFitAloneIsTakenOut) {
  std::vector<Waiting> all = {waiting(9, 40 * kGiB), waiting(5, 6 * kGiB), waiting(4, 11 * kGiB)};
  EXPECT_THAT(indices(take_unfitting(all, {10 * kGiB, Room::unknown})), ElementsAre(0, 2));
  EXPECT_THAT(indices(all), ElementsAre(1));
}

TEST_F(Schedule, WhatIsTriedRegardlessStaysAndRunsAlone) {
  std::vector<Waiting> all = {waiting(9, 40 * kGiB), waiting(5, 1)};
  all[0].regardless = true;
  const Room room{10 * kGiB, Room::unknown};
  EXPECT_THAT(take_unfitting(all, room), IsEmpty());
  EXPECT_EQ(next_to_start(all, room), 0U);
  EXPECT_EQ(next_to_start({all[1]}, beside(room, all[0].demand)), std::nullopt);
}

TEST_F(Schedule, WhatIsNotKnownFits) {
  EXPECT_TRUE(fits({1, 0}, {0, 0}));
  EXPECT_TRUE(fits({1, 99 * kGiB}, {Room::unknown, 0}));
  EXPECT_EQ(beside({Room::unknown, 0}, {1, kGiB}).host, Room::unknown);
}

TEST_F(Schedule, TheGpuHasAMemoryOfItsOwn) {
  const Room room{10 * kGiB, 80 * kGiB};
  const Demand demand{1, 40 * kGiB, /*on_gpu=*/true};
  EXPECT_TRUE(fits(demand, room));
  EXPECT_EQ(beside(room, demand).host, 10 * kGiB);
  EXPECT_EQ(beside(room, demand).gpu, 40 * kGiB);
  EXPECT_EQ(why_not({1, 90 * kGiB, true}, room),
            "needs about 90.0 GiB of GPU memory, and 80.0 GiB are available");
}

TEST_F(Schedule, TheReasonIsASentence) {
  EXPECT_EQ(why_not({1, 97 * kGiB + kGiB / 10}, {21 * kGiB - kGiB / 10, 0}),
            "needs about 97.1 GiB of memory, and 20.9 GiB are available");
}

TEST_F(Schedule, TheDeviceDecidesWhoseMemoryIsMeant) {
  PlannedRun run;
  run.options.device = "auto";
  EXPECT_TRUE(demand_of(run, /*gpu_here=*/true).on_gpu);
  EXPECT_FALSE(demand_of(run, /*gpu_here=*/false).on_gpu);
  run.options.device = "cpu";
  EXPECT_FALSE(demand_of(run, true).on_gpu);
}

}  // namespace
}  // namespace attnlab
