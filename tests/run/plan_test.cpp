// From experiment files to runs.
#include "run/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "test_folder.h"
#include "toy_task.h"

namespace attnlab {
namespace {

using testing::HasSubstr;

constexpr const char* kSweep = "{task: toy, sweep: {grid: {value: [1, 2], seed: [1, 2, 3]}}}";

TEST(Plan, HasARunForEachCombinationInAFixedOrder) {
  const TemporaryFolder folder;
  const Plan plan = plan_experiment(folder.write("toy.yaml", kSweep), {});
  ASSERT_EQ(plan.runs.size(), 6U);
  EXPECT_EQ(plan.experiment, "toy");
  EXPECT_EQ(plan.runs[4].index, 4);
  EXPECT_EQ(plan.runs[4].name, "value=2 seed=2");
  EXPECT_EQ(plan.runs[4].options.seed, 2);
}

TEST(Plan, AnIndexNamesTheSameRunAsTheWholePlan) {
  const TemporaryFolder folder;
  const auto file = folder.write("toy.yaml", kSweep);
  EXPECT_EQ(plan_run(file, {}, 4).id, plan_experiment(file, {}).runs[4].id);
  EXPECT_THAT(user_error_of([&] { plan_run(file, {}, 6); }), HasSubstr("6 runs, with indices 0 to 5"));
  EXPECT_THAT(user_error_of([&] { plan_run(file, {}, std::nullopt); }), HasSubstr("describes 6 runs"));
}

TEST(Plan, AResolvedConfigurationReadsBackToTheSameRun) {
  const TemporaryFolder folder;
  const PlannedRun run = plan_run(folder.write("toy.yaml", kSweep), {"width=64"}, 3);
  const PlannedRun again = plan_run(folder.write("other.yaml", run.yaml), {}, std::nullopt);
  EXPECT_EQ(again.yaml, run.yaml);
  EXPECT_EQ(again.id, run.id);
  EXPECT_EQ(again.experiment, "toy");
  EXPECT_EQ(again.folder, run.folder);
}

TEST(Plan, KeysWithoutEffectLeaveTheIdAlone) {
  const TemporaryFolder folder;
  const auto file = folder.write("toy.yaml", "task: toy\n");
  const auto id = [&](const std::string& override) { return plan_run(file, {override}, std::nullopt).id; };
  const std::string plain = plan_run(file, {}, std::nullopt).id;
  for (const char* key : {"threads=3", "results_folder=a", "data_folder=b", "profile.steps=1-2"})
    EXPECT_EQ(id(key), plain) << key;
  for (const char* key : {"seed=2", "limit=5", "init_from=a", "device=cpu", "value=1"})
    EXPECT_NE(id(key), plain) << key;
}

TEST(Plan, WhereResultsAreIsNoPartOfWhatARunStartsFrom) {
  const TemporaryFolder folder;
  folder.write("first.yaml", "{task: toy}");
  const auto file = folder.write("second.yaml", "{task: toy, init_from: 'first.yaml#'}");
  const PlannedRun here = plan_run(file, {"results_folder=here"}, std::nullopt),
                   there =
                       plan_run(file, {"results_folder=" + (folder.path() / "there").string()}, std::nullopt);
  EXPECT_NE(here.options.init_from, there.options.init_from);
  EXPECT_EQ(here.id, there.id);
  EXPECT_NE(here.id, plan_run(file, {"init_from=here/first/other", "results_folder=here"}, std::nullopt).id);
}

TEST(Plan, RunsThatDifferInNothingThatMattersAreRefused) {
  const TemporaryFolder folder;
  const auto file = folder.write("toy.yaml", "{task: toy, sweep: {grid: {threads: [1, 2]}}}");
  EXPECT_THAT(user_error_of([&] { plan_experiment(file, {}); }),
              HasSubstr("runs 0 (threads=1) and 1 (threads=2)"));
}

TEST(Plan, EveryMistakeIsToldAtOnce) {
  const TemporaryFolder folder;
  const auto file =
      folder.write("toy.yaml", "task: toy\nsed: 1\nheads: 3\nwidth: many\nprofile: {steps: 5}\n");
  const std::string words = user_error_of([&] { plan_experiment(file, {}); });
  EXPECT_THAT(words, HasSubstr("toy.yaml:2: sed: unknown key; did you mean 'seed'?"));
  EXPECT_THAT(words, HasSubstr("toy.yaml:4: width:"));
  EXPECT_THAT(words, HasSubstr("toy.yaml:5: profile.steps: must be two steps A-B"));
}

TEST(Plan, EvaluationAloneNeedsWeights) {
  const TemporaryFolder folder;
  const auto file = folder.write("toy.yaml", "task: toy\ntrain: none\n");
  EXPECT_THAT(user_error_of([&] { plan_experiment(file, {}); }),
              HasSubstr("toy.yaml:2: train: none only evaluates, and needs init_from"));
  EXPECT_THAT(user_error_of([&] { plan_experiment(file, {"train=off"}); }),
              HasSubstr("train: expected a map of keys or none, got the text 'off'"));
}

TEST(Plan, WhatARunStartsFromMayItselfHaveStartedFromAnother) {
  const TemporaryFolder folder;
  const auto first =
      folder.write("first.yaml", "{task: toy, sweep: {cases: [{label: a, value: 1}, {label: b, value: 2}]}}");
  const auto second = folder.write("second.yaml", "{task: toy, init_from: 'first.yaml#b', value: 3}");
  const auto third = folder.write("third.yaml", "{task: toy, init_from: 'second.yaml#'}");
  const PlannedRun middle = plan_run(second, {}, std::nullopt);
  EXPECT_EQ(middle.options.init_from, plan_run(first, {}, 1).folder);
  EXPECT_EQ(plan_run(third, {}, std::nullopt).options.init_from, middle.folder);
}

TEST(Plan, ARunThatStartsFromItselfIsRefused) {
  const TemporaryFolder folder;
  const auto alone = folder.write("alone.yaml", "{task: toy, init_from: 'alone.yaml#'}");
  EXPECT_THAT(user_error_of([&] { plan_run(alone, {}, std::nullopt); }),
              HasSubstr("alone.yaml# starts from itself"));
  const auto one = folder.write("one.yaml", "{task: toy, init_from: 'other.yaml#'}");
  folder.write("other.yaml", "{task: toy, init_from: 'one.yaml#'}");
  EXPECT_THAT(user_error_of([&] { plan_run(one, {}, std::nullopt); }), HasSubstr("# starts from itself"));
}

TEST(Plan, OfATrainingOfSeveralSeedsARunStartsFromItsOwn) {
  const TemporaryFolder folder;
  const auto trained =
      folder.write("trained.yaml", "{task: toy, sweep: {grid: {value: [1, 2], seed: [5, 6]}}}");
  const auto reader = folder.write("reader.yaml", "{task: toy, init_from: 'trained.yaml#value=2'}");
  EXPECT_EQ(plan_run(reader, {"seed=6"}, std::nullopt).options.init_from, plan_run(trained, {}, 3).folder);
  EXPECT_THAT(user_error_of([&] { plan_run(reader, {"seed=7"}, std::nullopt); }),
              HasSubstr("trained.yaml#value=2 has runs of seeds 5, 6, none of seed 7"));
  const auto alone = folder.write("alone.yaml", "{task: toy, init_from: 'one.yaml#'}");
  const auto one = folder.write("one.yaml", "{task: toy, seed: 3}");
  EXPECT_EQ(plan_run(alone, {"seed=7"}, std::nullopt).options.init_from,
            plan_run(one, {}, std::nullopt).folder);
}

TEST(Plan, EvaluationAloneIsAnotherRunWhateverTheTrainingWouldBe) {
  const TemporaryFolder folder;
  const auto file = folder.write("toy.yaml", "{task: toy, init_from: a, train: {updates: 5}}");
  const PlannedRun trained = plan_run(file, {}, std::nullopt);
  const PlannedRun evaluated = plan_run(file, {"train=none"}, std::nullopt);
  EXPECT_NE(evaluated.id, trained.id);
  EXPECT_THAT(evaluated.yaml, HasSubstr("\ntrain: none\n"));
  const auto other = folder.write("other.yaml", "{task: toy, init_from: a, train: none}");
  EXPECT_EQ(plan_run(other, {}, std::nullopt).id, evaluated.id);
  EXPECT_EQ(plan_run(folder.write("shown.yaml", evaluated.yaml), {}, std::nullopt).id, evaluated.id);
  EXPECT_EQ(plan_run(other, {"train.updates=5"}, std::nullopt).id, trained.id);
}

TEST(Plan, FoldersComeFromTheKeyThenTheEnvironment) {
  RunOptions options;
  ::unsetenv("ATTNLAB_RESULTS");
  EXPECT_EQ(options.results(), "results");
  ::setenv("ATTNLAB_RESULTS", "/elsewhere", 1);
  EXPECT_EQ(options.results(), "/elsewhere");
  options.results_folder = "here";
  EXPECT_EQ(options.results(), "here");
  ::unsetenv("ATTNLAB_RESULTS");
}

TEST(ProfileSteps, AreARangeFromOneOn) {
  const auto range = [](const char* steps) { return ProfileOptions{steps}.range(); };
  EXPECT_EQ(range("5-10"), std::pair(int64_t{5}, int64_t{10}));
  EXPECT_EQ(range("7-7"), std::pair(int64_t{7}, int64_t{7}));
  for (const char* wrong : {"", "5", "5-", "-5", "0-3", "9-3", "1-2-3", "a-b", "1 - 2"})
    EXPECT_EQ(range(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace attnlab
