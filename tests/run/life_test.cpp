// The life of a run: what is written when, how each ending is recorded, and what a second start finds.
#include "run/life.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "results/reader.h"
#include "results/record_file.h"
#include "run/exit.h"
#include "run/folder.h"
#include "test_folder.h"

namespace attnlab {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class Life : public testing::Test {
 protected:
  PlannedRun plan(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
    std::vector<std::string> all = overrides;
    all.push_back("results_folder=" + (folder_ / "results").string());
    return plan_run(folder_.write("toy.yaml", yaml), all, std::nullopt);
  }
  PlannedRun ending(const std::string& how) { return plan("{task: toy, ending: " + how + "}"); }
  static int start(const PlannedRun& run, bool fresh = false) {
    return live(run, {fresh, {"attnlab", "run", "a b"}});
  }
  static RunRecord record(const PlannedRun& run) { return read_run(run.folder / "run.h5"); }
  static std::string text(const PlannedRun& run, const std::string& name) {
    return std::get<std::string>(record(run).attributes.at(name));
  }
  static int64_t whole(const PlannedRun& run, const std::string& name) {
    return std::get<int64_t>(record(run).attributes.at(name));
  }
  /// As a kill leaves it: recorded as running, the lock free.
  static void leave_as_killed(const PlannedRun& run) {
    open_record(run.folder)->attribute("status", std::string("running"));
  }

  TemporaryFolder folder_;
};

TEST_F(Life, ADoneRunHoldsRecordConfigurationAndLog) {
  const PlannedRun run = ending("done");
  EXPECT_EQ(start(run), exit_done);
  EXPECT_EQ(run.folder, folder_ / "results" / "toy" / run.id);
  for (const char* name : {"run.h5", "metrics.jsonl", "config.yaml", "log.txt"})
    EXPECT_TRUE(fs::exists(run.folder / name)) << name;
  EXPECT_EQ(record(run).status(), "done");
  EXPECT_EQ(record(run).summaries.at("accuracy").value, 0.5);
}

TEST_F(Life, TheRecordSaysWhatIsNeededToRepeatTheRun) {
  const PlannedRun run = plan("{description: two words, task: toy, seed: 7, threads: 1}");
  ASSERT_EQ(start(run), exit_done);
  EXPECT_EQ(text(run, "config"), run.yaml);
  EXPECT_EQ(text(run, "argv"), "attnlab run 'a b'");
  EXPECT_EQ(text(run, "experiment"), "toy");
  EXPECT_EQ(text(run, "description"), "two words");
  EXPECT_EQ(text(run, "run_id"), run.id);
  EXPECT_EQ(text(run, "error"), "");
  for (const char* absent : {"case", "label", "published", "compare"})
    EXPECT_EQ(text(run, absent), "") << absent;
  EXPECT_EQ(text(run, "device"), "cpu");
  EXPECT_EQ(whole(run, "seed"), 7);
  EXPECT_EQ(whole(run, "threads"), 1);
  EXPECT_EQ(whole(run, "sessions"), 1);
  EXPECT_EQ(text(run, "version_torch"), TORCH_VERSION);
  for (const char* name : {"host", "cpu", "system", "git_commit", "git_dirty", "version_hdf5", "compiler"})
    EXPECT_NE(text(run, name), "") << name;
  EXPECT_THAT(text(run, "started"), testing::MatchesRegex("....-..-..T..:..:..Z"));
  EXPECT_LE(text(run, "started"), text(run, "finished"));
}

TEST_F(Life, TheRecordSaysWhatTheExperimentSaysAboutTheRun) {
  folder_.write("p.yaml",
                "{source: S, metric: seconds_speedup_a, rows: [{name: X, match: {label: A}, "
                "seconds_speedup_a: 2}]}");
  const PlannedRun run = plan(
      "{task: toy, published: p.yaml, compare: {to: {a: A}, speedup: [seconds]}, "
      "sweep: {cases: [{label: A, floor: 0.25}], grid: {length: [5], seed: [3]}}}");
  ASSERT_EQ(start(run), exit_done);
  EXPECT_EQ(text(run, "case"), "A length=5 seed=3");
  EXPECT_EQ(text(run, "label"), "A length=5");
  EXPECT_EQ(text(run, "published"),
            R"({"source":"S","unit":"","metrics":["seconds_speedup_a"],)"
            R"("rows":[{"name":"X","figures":{"seconds_speedup_a":2.0},)"
            R"("written":{"seconds_speedup_a":"2"},"match":{"label":"A"},"this_case":true}]})");
  EXPECT_EQ(text(run, "compare"), R"({"to":{"a":"A"},"speedup":["seconds"],"fraction":[],"difference":[]})");
  EXPECT_EQ(record(run).summaries.at("accuracy_floor").floor_of, "accuracy");
  EXPECT_EQ(record(run).summaries.at("accuracy_floor").row, "majority class");
  EXPECT_EQ(record(run).summaries.at("accuracy").floor_of, "");
}

struct Ending {
  std::string how, status, error;
  int exit_status;
};

class LifeEnds : public Life, public testing::WithParamInterface<Ending> {};

TEST_P(LifeEnds, AreRecordedWithTheirReason) {
  const PlannedRun run = ending(GetParam().how);
  EXPECT_EQ(start(run), GetParam().exit_status);
  EXPECT_EQ(record(run).status(), GetParam().status);
  EXPECT_THAT(text(run, "error"), HasSubstr(GetParam().error));
  EXPECT_FALSE(is_locked({run.folder}));
}

INSTANTIATE_TEST_SUITE_P(, LifeEnds,
                         testing::Values(Ending{"failed", "failed", "Input/output error", 1},
                                         Ending{"diverged", "diverged", "not finite at step 3", 1},
                                         Ending{"bad_alloc", "out_of_memory", "out of memory", 1},
                                         Ending{"no_memory", "out_of_memory", "out of memory: it did not fit",
                                                1},
                                         Ending{"torch_memory", "out_of_memory", "can't allocate memory", 1},
                                         Ending{"interrupted", "interrupted", "signal 15", 143},
                                         Ending{"late_user_error", "failed", "found late", 2}),
                         [](const auto& info) { return info.param.how; });

TEST_F(Life, AMistakeFoundAtTheStartLeavesNothingBehind) {
  const PlannedRun run = ending("user_error");
  EXPECT_THAT(user_error_of([&] { start(run); }), HasSubstr("data set toy is not in .data"));
  EXPECT_FALSE(fs::exists(folder_ / "results"));
}

TEST_F(Life, AMistakeFoundAtTheStartRemovesNothingThatWasThere) {
  const PlannedRun run = ending("user_error");
  fs::create_directories(run.folder);
  std::ofstream(run.folder / "notes.txt") << "mine";
  EXPECT_THROW(start(run), UserError);
  EXPECT_EQ(contents(run.folder / "notes.txt"), "mine");
  EXPECT_FALSE(fs::exists(run.folder / "config.yaml"));
}

TEST_F(Life, AMistakeAfterAKilledFreshStartPutsTheOldResultBack) {
  const PlannedRun run = ending("user_error");
  fs::create_directories(RunFolder{run.folder}.previous());
  open_record(RunFolder{run.folder}.previous())->attribute("status", std::string("done"));
  EXPECT_THROW(start(run), UserError);
  EXPECT_EQ(record(run).status(), "done");
}

TEST_F(Life, NorDoesAFreshStart) {
  EXPECT_THROW(start(ending("user_error"), /*fresh=*/true), UserError);
  EXPECT_FALSE(fs::exists(folder_ / "results"));
}

TEST_F(Life, AMistakeLeavesAnInterruptedRunResumable) {
  const PlannedRun run = ending("user_error");
  fs::create_directories(run.folder);
  leave_as_killed(run);
  EXPECT_EQ(start(run), exit_user);
  EXPECT_EQ(record(run).status(), "interrupted");
  EXPECT_THAT(text(run, "error"), HasSubstr("data set toy"));
}

TEST_F(Life, ADoneRunIsNotDoneAgain) {
  const PlannedRun run = ending("done");
  ASSERT_EQ(start(run), exit_done);
  const std::string before = contents(run.folder / "metrics.jsonl");
  EXPECT_EQ(start(run), exit_done);
  EXPECT_EQ(contents(run.folder / "metrics.jsonl"), before);
}

TEST_F(Life, FreshStartsOver) {
  const PlannedRun run = ending("done");
  ASSERT_EQ(start(run), exit_done);
  ASSERT_EQ(start(run, /*fresh=*/true), exit_done);
  EXPECT_EQ(whole(run, "sessions"), 1);
  EXPECT_EQ(read_table(run.folder / "run.h5", "/train").at("step").size(), 1U);
  EXPECT_FALSE(fs::exists(RunFolder{run.folder}.previous()));
}

TEST_F(Life, FreshRefusesToRemoveWhatNoRunWrites) {
  const PlannedRun run = ending("done");
  ASSERT_EQ(start(run), exit_done);
  std::ofstream(run.folder / "notes.txt") << "mine";
  EXPECT_THAT(user_error_of([&] { start(run, true); }), HasSubstr("notes.txt"));
  EXPECT_EQ(record(run).status(), "done");
}

TEST_F(Life, FreshPutsTheOldResultBackWhereTheNewStartIsRefused) {
  const PlannedRun run = ending("user_error");
  fs::create_directories(run.folder);
  open_record(run.folder)->attribute("status", std::string("done"));
  EXPECT_THROW(start(run, true), UserError);
  EXPECT_EQ(record(run).status(), "done");
}

TEST_F(Life, AKilledRunIsResumedWithItsRows) {
  const PlannedRun run = ending("done");
  ASSERT_EQ(start(run), exit_done);
  const std::string started = text(run, "started");
  leave_as_killed(run);
  EXPECT_EQ(state_of({run.folder}).status, "interrupted");
  EXPECT_EQ(start(run), exit_done);
  EXPECT_EQ(whole(run, "sessions"), 2);
  EXPECT_EQ(text(run, "started"), started);
  EXPECT_EQ(read_table(run.folder / "run.h5", "/train").at("step").size(), 2U);
}

TEST_F(Life, WhatEarlierSessionsComputedWithIsNotForgotten) {
  const PlannedRun run = ending("done");
  ASSERT_EQ(start(run), exit_done);
  open_record(run.folder)->attribute("states", std::string("native, full"));
  leave_as_killed(run);
  ASSERT_EQ(start(run), exit_done);
  EXPECT_EQ(text(run, "states"), "full, native") << "the second session made none";
  EXPECT_EQ(text(run, "sdpa"), "");
}

TEST_F(Life, ASecondProcessOnTheFolderIsRefused) {
  const PlannedRun run = ending("done");
  const FileLock other = lock_folder({run.folder});
  EXPECT_THAT(user_error_of([&] { start(run); }), HasSubstr("in use: another process works on this run"));
  EXPECT_EQ(state_of({run.folder}).status, "running");
}

TEST_F(Life, AFileThatIsNoRecordIsRefused) {
  const PlannedRun run = ending("done");
  ASSERT_EQ(start(run), exit_done);
  fs::resize_file(run.folder / "run.h5", 100);
  EXPECT_THAT(user_error_of([&] { start(run); }), HasSubstr("run.h5"));
  EXPECT_EQ(state_of({run.folder}).status, "unreadable");
}

}  // namespace
}  // namespace attnlab
