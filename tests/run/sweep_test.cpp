// A whole sweep of toy runs in child processes: order, what is skipped, and what becomes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "results/reader.h"
#include "results/record_file.h"
#include "run/commands.h"
#include "run/exit.h"
#include "run/folder.h"
#include "run/life.h"
#include "test_folder.h"

namespace attnlab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kHuge = "bytes=9000000000000000000";  // 8 EiB

class ToySweep : public testing::Test {
 protected:
  Target target(const std::string& yaml, std::vector<std::string> overrides = {}) const {
    overrides.push_back("results_folder=" + (folder_ / "results").string());
    return {folder_.write("toy.yaml", yaml), overrides};
  }
  /// Exit status; what it said is kept in `said_`.
  int sweep(const Target& target, const SweepOptions& options = {}) {
    testing::internal::CaptureStderr();
    const int status = sweep_command(target, options);
    said_ = testing::internal::GetCapturedStderr();
    return status;
  }
  /// Indices of the runs in the order in which they were started.
  std::vector<int> started() const {
    std::vector<int> order;
    const std::regex line(R"(\[(\d+)\] [^\n]*: starting \()");
    for (std::sregex_iterator m(said_.begin(), said_.end(), line), end; m != end; ++m)
      order.push_back(std::stoi((*m)[1]));
    return order;
  }
  static RunState state(const Target& target, std::size_t index = 0) {
    return state_of({plan_experiment(target.config, target.overrides).runs.at(index).folder});
  }

  TemporaryFolder folder_;
  std::string said_;
};

TEST_F(ToySweep, StartsTheLongestFirst) {
  const Target t = target(
      "{task: toy, sweep: {cases: [{value: 1, flops: 10}, {value: 2, flops: 1e12}, "
      "{value: 3, flops: 500}]}}");
  EXPECT_EQ(sweep(t), exit_done) << said_;
  EXPECT_THAT(started(), ElementsAre(1, 2, 0));
}

TEST_F(ToySweep, RunsOfUnknownWorkKeepTheirOrder) {
  const Target t = target("{task: toy, sweep: {grid: {seed: [5, 3, 4]}}}");
  EXPECT_EQ(sweep(t, {.jobs = 2}), exit_done) << said_;
  EXPECT_THAT(started(), ElementsAre(0, 1, 2));
}

TEST_F(ToySweep, RecordsWhyARunIsSkippedAndDoesTheOthers) {
  const Target t =
      target("{task: toy, sweep: {cases: [{value: 1, bytes: 9000000000000000000}, {value: 2}]}}");
  EXPECT_EQ(sweep(t), exit_failed);
  EXPECT_THAT(said_, HasSubstr("2 runs: 1 done, 1 skipped"));
  EXPECT_EQ(state(t, 1).status, "done");
  const RunState skipped = state(t, 0);
  EXPECT_EQ(skipped.status, "skipped");
  EXPECT_THAT(skipped.error,
              testing::MatchesRegex("needs about 8381903171\\.. GiB of memory, and [0-9.]+ GiB are "
                                    "available"));
  EXPECT_EQ(std::get<std::string>(skipped.record->attributes.at("experiment")), "toy");
  EXPECT_THAT(std::get<std::string>(skipped.record->attributes.at("config")), HasSubstr("value: 1"));
  EXPECT_FALSE(is_locked({plan_run(t.config, t.overrides, 0).folder}));
}

TEST_F(ToySweep, ASkippedRunStartsAsNewOnceItFits) {
  const Target large = target("task: toy", {kHuge}), small = target("task: toy");
  EXPECT_EQ(sweep(large), exit_failed);
  EXPECT_EQ(sweep(large), exit_failed);
  EXPECT_THAT(started(), testing::IsEmpty()) << "it still does not fit";
  EXPECT_EQ(sweep(small), exit_done);
  EXPECT_THAT(said_, Not(HasSubstr("resuming")));
  const RunState done = state(small);
  EXPECT_EQ(done.status, "done");
  EXPECT_EQ(done.error, "");
  EXPECT_EQ(std::get<int64_t>(done.record->attributes.at("sessions")), 1);
  EXPECT_NE(std::get<std::string>(done.record->attributes.at("started")), "");
}

TEST_F(ToySweep, RetryFailedTriesASkippedRunAllTheSame) {
  const Target large = target("task: toy", {kHuge});
  EXPECT_EQ(sweep(large), exit_failed);
  EXPECT_EQ(sweep(large, {.retry_failed = true}), exit_done);
  EXPECT_EQ(state(large).status, "done");
}

TEST_F(ToySweep, RunTriesASkippedRunWithoutAQuestion) {
  const Target large = target("task: toy", {kHuge});
  EXPECT_EQ(sweep(large), exit_failed);
  EXPECT_EQ(live(plan_run(large.config, large.overrides, std::nullopt), {}), exit_done);
}

TEST_F(ToySweep, AMistakeFoundInASkippedRunRemovesItsRecord) {
  const Target large = target("{task: toy, ending: user_error}", {kHuge});
  EXPECT_EQ(sweep(large), exit_failed);
  EXPECT_THAT(user_error_of([&] { live(plan_run(large.config, large.overrides, std::nullopt), {}); }),
              HasSubstr("data set toy"));
  EXPECT_EQ(state(large).status, "not started");
}

TEST_F(ToySweep, WhatAnInterruptedRunLeftStands) {
  const Target large = target("{task: toy, ending: interrupted}", {kHuge});
  EXPECT_EQ(live(plan_run(large.config, large.overrides, std::nullopt), {}), 143);
  EXPECT_EQ(sweep(large), exit_failed);
  EXPECT_THAT(said_, HasSubstr("skipped (1 of 1): needs about"));
  EXPECT_EQ(state(large).status, "interrupted");
}

}  // namespace
}  // namespace attnlab
