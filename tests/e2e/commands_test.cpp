// The commands, end to end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "lab.h"
#include "results/reader.h"

namespace attnlab {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* kSweep = R"(include: tiny.yaml
sweep:
  cases:
    - {train.updates: 4}
    - {train.updates: 90, train.learning_rate: 900}
    - {train.updates: 6}
)";

TEST(Run, WritesTheFolderThatTheSchemaNames) {
  const Lab lab;
  const Finished run = lab.attnlab({"run", "tiny.yaml"});
  ASSERT_EQ(run.status, 0) << run.err;
  for (const char* name : {"run.h5", "metrics.jsonl", "config.yaml", "log.txt", "checkpoint/last.safetensors",
                           "checkpoint/best.safetensors"})
    EXPECT_TRUE(fs::exists(lab.run_folder() / name)) << name;
  const RunRecord record = read_run(lab.run_folder() / "run.h5");
  EXPECT_EQ(record.status(), "done");
  EXPECT_GE(record.summaries.at("accuracy").value, 0.0);
  EXPECT_LE(record.summaries.at("accuracy").value, 1.0);
  EXPECT_EQ(record.summaries.at("accuracy").n, 40);
  EXPECT_EQ(std::get<std::string>(record.attributes.at("argv")),
            std::string(ATTNLAB_BINARY) + " run tiny.yaml");
  EXPECT_EQ(std::get<std::string>(record.attributes.at("data_checksum")).size(), 64U);
  EXPECT_EQ(read_table(lab.run_folder() / "run.h5", "/train").at("step").size(), 30U);
}

TEST(Run, LimitIsSaidInTheResults) {
  const Lab lab;
  ASSERT_EQ(lab.attnlab({"run", "tiny.yaml", "train.updates=2", "--limit", "10"}).status, 0);
  const RunRecord record = read_run(lab.run_folder() / "run.h5");
  EXPECT_EQ(record.summaries.at("accuracy").n, 10);
  EXPECT_EQ(std::get<int64_t>(record.attributes.at("limit")), 10);
}

TEST(Run, EvaluatesOtherWeightsWithoutTraining) {
  const Lab lab;
  ASSERT_EQ(lab.attnlab({"run", "tiny.yaml"}).status, 0);
  const fs::path first = lab.run_folder();
  const Finished run =
      lab.attnlab({"run", "tiny.yaml", "train=none", "init_from=" + first.string(), "results_folder=again"});
  ASSERT_EQ(run.status, 0) << run.err;
  const fs::path second = fs::directory_iterator(lab.path() / "again" / "tiny")->path();
  EXPECT_EQ(read_table(first / "run.h5", "/eval/test").at("nll"),
            read_table(second / "run.h5", "/eval/test").at("nll"));
}

TEST(Run, TracesTheStepsAskedFor) {
  const Lab lab;
  const Finished run = lab.attnlab({"run", "tiny.yaml", "profile.steps=2-3", "train.updates=6"});
  ASSERT_EQ(run.status, 0) << run.err;
  const auto trace = nlohmann::json::parse(contents_of(lab.run_folder() / "trace.json"));
  EXPECT_THAT(trace.at("traceEvents").dump(), HasSubstr("aten::"));
}

TEST(Show, ReadsBackToItself) {
  const Lab lab;
  const Finished first = lab.attnlab({"show", "tiny.yaml", "seed=9"});
  ASSERT_EQ(first.status, 0) << first.err;
  lab.write("shown.yaml", first.out);
  EXPECT_EQ(lab.attnlab({"show", "shown.yaml"}).out, first.out);
  const auto id = [&](const Words& words) { return lab.attnlab(words).out.substr(0, 80); };
  EXPECT_EQ(id({"list", "shown.yaml"}).substr(0, 60), id({"list", "tiny.yaml", "seed=9"}).substr(0, 60));
}

TEST(Sweep, GoesOnAfterAFailureAndIsResumable) {
  const Lab lab;
  lab.write("sweep.yaml", kSweep);
  EXPECT_THAT(lab.attnlab({"list", "sweep.yaml"}).out,
              testing::AllOf(ContainsRegex("0 +[0-9a-f]{10} +not started +(train[.])?updates=4 "),
                             HasSubstr("attnlab run sweep.yaml --index 2")));
  const Finished one = lab.attnlab({"sweep", "sweep.yaml", "--index", "0"});
  EXPECT_EQ(one.status, 0) << one.err;
  const Finished rest = lab.attnlab({"sweep", "sweep.yaml"});
  EXPECT_EQ(rest.status, 1) << rest.err;
  EXPECT_THAT(rest.out, HasSubstr("3 runs: 1 diverged, 2 done"));
  const std::string list = lab.attnlab({"list", "sweep.yaml"}).out;
  EXPECT_THAT(list, ContainsRegex("\n1 +[0-9a-f]+ +diverged"));
  EXPECT_THAT(list, ContainsRegex("\n2 +[0-9a-f]+ +done"));

  EXPECT_THAT(lab.attnlab({"sweep", "sweep.yaml"}).out, testing::Not(HasSubstr("starting")));
  EXPECT_THAT(lab.attnlab({"sweep", "sweep.yaml", "--retry-failed"}).out, HasSubstr("starting (1 of 1)"));
  EXPECT_THAT(lab.attnlab({"table", "sweep.yaml"}).out, ContainsRegex("0/1 .*1 diverged"));
}

TEST(Sweep, JobsRunSideBySide) {
  const Lab lab;
  lab.write("seeds.yaml", "include: tiny.yaml\nsweep: {grid: {seed: [1, 2, 3]}}\n");
  const Finished sweep = lab.attnlab({"sweep", "seeds.yaml", "--jobs", "2", "train.updates=5"});
  EXPECT_EQ(sweep.status, 0) << sweep.err;
  EXPECT_THAT(sweep.out, HasSubstr("3 runs: 3 done"));
  EXPECT_THAT(lab.attnlab({"table", "seeds.yaml", "train.updates=5"}).out, ContainsRegex("seeds +3/3 "));
  const Finished some =
      lab.attnlab({"table", "seeds.yaml", "--columns", "parameters,accuracy", "train.updates=5"});
  EXPECT_THAT(some.out, ContainsRegex("^case +runs +parameters +accuracy +notes\nseeds +3/3 ")) << some.err;
}

TEST(Sweep, PassesAStopOnAndCanBeResumed) {
  const Lab lab;
  lab.write("seeds.yaml", "include: tiny.yaml\ntrain: {updates: 50000}\nsweep: {grid: {seed: [1, 2]}}\n");
  const auto sweep = lab.start({"sweep", "seeds.yaml"});
  ASSERT_TRUE(sweep->says("parameters"));
  sweep->signal(SIGTERM);
  EXPECT_EQ(sweep->finish().status, 143);
  EXPECT_THAT(lab.attnlab({"list", "seeds.yaml"}).out,
              testing::AllOf(ContainsRegex("\n0 .* interrupted "), ContainsRegex("\n1 .* not started ")));
}

TEST(Doctor, SaysWhatItFound) {
  const Lab lab;
  const Finished doctor = lab.attnlab({"doctor"});
  EXPECT_EQ(doctor.status, 0);
  for (const char* word : {"torch", "hdf5", "threads", "instruction sets", "data set imdb", "free disk"})
    EXPECT_THAT(doctor.out, HasSubstr(word));
}

TEST(Explain, TellsOfAComponentAndItsKeys) {
  const Lab lab;
  EXPECT_THAT(lab.attnlab({"explain", "luna"}).out, HasSubstr("projection_length"));
  EXPECT_THAT(lab.attnlab({"explain", "train.schedule"}).out, HasSubstr("inverse_sqrt"));
}

// Of `attnlab predict FOLDER`, which no configuration file has.
TEST(Explain, TellsTheKeysOfContinuations) {
  const Lab lab;
  const Finished keys = lab.attnlab({"explain", "predict"});
  ASSERT_EQ(keys.status, 0) << keys.err;
  for (const char* part : {"predict\n", "max_new_tokens = 128", "temperature = 0", "beyond_positions = false",
                           "protect_first = 0", "window"})
    EXPECT_THAT(keys.out, HasSubstr(part));
  EXPECT_THAT(lab.attnlab({"explain", "beyond_positions"}).out,
              testing::StartsWith("predict.beyond_positions\n"));
  EXPECT_THAT(lab.attnlab({"explain", "seed"}).out, testing::StartsWith("seed\n")) << "a run's comes first";
  EXPECT_THAT(lab.attnlab({"explain", "--all"}).out,
              testing::AllOf(HasSubstr("\n## predict\n"), HasSubstr("\n| `cache.size` | whole number")));
}

TEST(Explain, AllIsAPageWithATableForEachComponent) {
  const Lab lab;
  const Finished page = lab.attnlab({"explain", "--all"});
  ASSERT_EQ(page.status, 0) << page.err;
  for (const char* part :
       {"# Configuration reference\n", "## `model.encoder.attention`, `model.cross_attention`\n",
        "### `luna`\n", "### `imdb`\n", "| `projection_length` | whole number",
        "| `train` | section, or none"})
    EXPECT_THAT(page.out, HasSubstr(part));
  const Finished both = lab.attnlab({"explain", "--all", "luna"});
  EXPECT_EQ(both.status, 2);
  EXPECT_THAT(both.err, HasSubstr("excludes --all"));
}

/// Every experiment of the project, with every run of its sweep, is free of mistakes.
TEST(Experiments, AllResolve) {
  const Lab lab;
  int count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(ATTNLAB_SOURCE_DIR) / "experiments")) {
    if (entry.path().extension() != ".yaml" || entry.path().parent_path().filename() == "published") continue;
    ++count;
    const Finished show = lab.attnlab({"show", entry.path().string(), "--index", "0"});
    EXPECT_EQ(show.status, 0) << entry.path() << ": " << show.err;
    const Finished table =
        lab.attnlab({"table", entry.path().string()});  // resolves every run, reads published/
    EXPECT_EQ(table.status, 0) << entry.path() << ": " << table.err;
  }
  EXPECT_GT(count, 0) << "no experiments found";
}

}  // namespace
}  // namespace attnlab
