// attnlab table, over runs of the toy task.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "core/files.h"
#include "results/reader.h"
#include "results/record_file.h"
#include "run/commands.h"
#include "run/life.h"
#include "test_folder.h"

namespace attnlab {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class TableOfRuns : public testing::Test {
 protected:
  std::string table(const std::string& format, const std::vector<std::string>& columns = {}) {
    return printed([&] { return table_command({file_, overrides()}, {format, columns}); });
  }
  std::string list() {
    return printed([&] { return list_command({file_, overrides()}); });
  }
  template <class Command>
  static std::string printed(const Command& command) {
    testing::internal::CaptureStdout();
    try {
      EXPECT_EQ(command(), 0);
    } catch (const std::exception& e) {
      ADD_FAILURE() << e.what();
    }
    return testing::internal::GetCapturedStdout();
  }
  std::vector<std::string> overrides() const { return {"results_folder=" + (folder_ / "results").string()}; }
  void run(int64_t index) { live(plan_run(file_, overrides(), index), {}); }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.write(
      "toy.yaml",
      "{task: toy, published: p.yaml, sweep: {cases: ["
      "{value: 0.60, seed: 1}, {value: 0.60, seed: 2}, {value: 0.5, seed: 1}, {ending: failed}]}}");
  std::filesystem::path published_ =
      folder_.write("p.yaml",
                    "source: Someone 2020\nmetric: accuracy\nunit: \"%\"\nrows:\n"
                    "  - {name: Ours, match: {value: 0.6}, accuracy: 61.25}\n"
                    "  - {name: Theirs, accuracy: 70}\n");
};

TEST_F(TableOfRuns, HasARowACaseWithSeedsTogetherAndSaysWhatIsMissing) {
  for (const int64_t index : {0, 1, 3}) run(index);
  const std::string text = table("text");
  EXPECT_THAT(text, ContainsRegex("value=0.6(0)? +2/2 +60 +61.25 \\(Ours\\)"));
  EXPECT_THAT(text, ContainsRegex("value=0.5 +0/1 +1 not started"));
  EXPECT_THAT(text, ContainsRegex("ending=failed +0/1 +1 failed: cannot read x: Input/output error\n"));
  EXPECT_THAT(text, ContainsRegex("Theirs \\(published only\\) +70"));
  EXPECT_THAT(text, HasSubstr("Published: Someone 2020"));
}

TEST_F(TableOfRuns, ShowsTheStandardErrorOfASingleRun) {
  run(2);
  EXPECT_THAT(table("text"), HasSubstr("50.0 ± 5.0 (se)"));
}

TEST_F(TableOfRuns, CsvHasANumberACell) {
  run(2);
  const std::string text = table("csv");
  EXPECT_THAT(text,
              testing::StartsWith("case,kind,label,ending,value,runs_done,runs_total,accuracy,accuracy_sd,"
                                  "accuracy_se,published_accuracy,notes,run_ids,git_commit"));
  EXPECT_THAT(text, HasSubstr("\nvalue=0.5,ours,,,0.5,1,1,50,,5,,,"));
  EXPECT_THAT(text, ContainsRegex("\nvalue=0.60?,ours,,,0.60?,0,2,,,,61.25,2 not started,"));
  EXPECT_THAT(text, HasSubstr("\nTheirs,published,,,,,,,,,70,"));
}

TEST_F(TableOfRuns, CsvHasTheChecksumsThatRecordsHaveInShort) {
  run(2);
  EXPECT_THAT(table("csv"), Not(HasSubstr("_checksum")));
  const auto record = open_record(plan_run(file_, overrides(), 2).folder);
  record->attribute("model_checksum", sha256("a model"));
  record->attribute("data_checksum", sha256("data"));
  record->flush();
  const std::string text = table("csv");
  EXPECT_THAT(text, HasSubstr(",version_torch,data_checksum,model_checksum\n"));
  // printf data | sha256sum; printf 'a model' | sha256sum
  EXPECT_THAT(text, ContainsRegex("\nvalue=0.5,ours,[^\n]*,3a6eb0790f39,97ff8a35544d\n"));
  EXPECT_THAT(text, ContainsRegex("\nTheirs,published,[^\n]*,,\n"));
}

/// From the experiment's file into the record, and from either into every form of the table.
TEST_F(TableOfRuns, DeparturesStandInTheRecordAndUnderEveryTable) {
  folder_.write("toy.yaml",
                "{task: toy, departures: ['two reviews held out', 'a smaller batch'], "
                "sweep: {cases: [{value: 0.5}, {value: 0.6}]}}");
  run(0);
  const RunRecord record = read_run(plan_run(file_, overrides(), 0).folder / "run.h5");
  EXPECT_EQ(record.attribute<std::string>("departures"), "two reviews held out\na smaller batch");
  const Target places[] = {{file_, overrides()}, {folder_ / "results", {}}};
  for (const Target& place : places) {
    const auto told = [&](const std::string& format) {
      return printed([&] { return table_command(place, {format, {}}); });
    };
    EXPECT_THAT(told("text"), HasSubstr("\nDeparts from its source: two reviews held out\n"
                                        "Departs from its source: a smaller batch\n"));
    EXPECT_THAT(told("markdown"), HasSubstr("\n\nDeparts from its source: a smaller batch\n"));
    EXPECT_THAT(told("latex"), HasSubstr("\n% Departs from its source: a smaller batch\n"));
    EXPECT_EQ(nlohmann::json::parse(told("json")).at("experiments").at(0).at("departures"),
              nlohmann::json::array({"two reviews held out", "a smaller batch"}));
  }
}

constexpr const char* kComparedTable =
    R"(case                     runs  accuracy, ± se over examples  published  seconds [s]  seconds × plain  published  peak [MiB]  peak / plain  notes
Plain [old] length=1024  1/1             0.750 ± 0.050 (se)                    6.00             1.00                   2.00         1.00
Plain [old] length=2048  0/1                                                                                                               1 not started
Quick length=1024        1/1             0.625 ± 0.050 (se)                    1.50             4.00        3.5        1.00         0.500
Quick length=2048        1/1             0.625 ± 0.050 (se)                    1.50                                    1.00                not compared with plain: Plain [old] length=2048: 1 not started
Lost length=1024         0/1                                                                                                               1 out_of_memory: out of memory
Lost length=2048         0/1                                                                                                               1 not started
majority class (floor)                   0.500 ± 0.040 (se)
Other (published only)                                             0.5

Values: mean ± standard deviation (sd) over runs that are done; (se): the standard error of a single run, over its examples, questions or documents.
× plain: how many times better than Plain [old]; / plain: as a fraction of its; − plain: less its, paired over questions or examples where they are recorded; everything else that is swept equal.
Published: Someone 2020
)";

/// Two models at two lengths; the second length is too much for the reference.
class ComparedRuns : public TableOfRuns {
 protected:
  ComparedRuns() {
    folder_.write("toy.yaml",
                  "task: toy\npublished: p.yaml\n"
                  "compare: {to: {plain: 'Plain [old]'}, speedup: [seconds], fraction: [peak]}\n"
                  "sweep:\n  cases:\n"
                  "    - {label: 'Plain [old]', seconds: 6, peak: 2097152, value: 0.75, floor: 0.5}\n"
                  "    - {label: Quick, seconds: 1.5, peak: 1048576, value: 0.625, floor: 0.5}\n"
                  "    - {label: Lost, ending: bad_alloc}\n"
                  "  grid: {length: [1024, 2048]}\n");
    folder_.write("p.yaml",
                  "source: Someone 2020\nmetric: [seconds_speedup_plain, accuracy]\nunit: \"1\"\nrows:\n"
                  "  - {name: Quick 1K, match: {label: Quick, length: 1024}, seconds_speedup_plain: 3.5}\n"
                  "  - {name: Other, accuracy: 0.5}\n");
  }
};

TEST_F(ComparedRuns, StandUnderTheirLabelsWithRatiosFloorsAndReasons) {
  for (const int64_t index : {0, 2, 3, 4}) run(index);
  EXPECT_EQ(table("text", {"accuracy", "seconds", "peak"}), kComparedTable);
}

/// The lines of a CSV that have figures of ours, by what they begin with.
std::set<std::string> our_lines(const std::string& csv) {
  std::set<std::string> lines;
  std::istringstream in(csv);
  for (std::string line; std::getline(in, line);)
    if (line.find(",ours,") != std::string::npos && line.find(",1,1,") != std::string::npos)
      lines.insert(line.substr(0, line.find(",not compared")));
  return lines;
}

TEST_F(ComparedRuns, OfTheResultsFolderAloneHaveTheSameFigures) {
  for (const int64_t index : {0, 2, 3, 4}) run(index);
  const std::vector<std::string> columns{"accuracy", "seconds", "peak"};
  const std::string planned = table("csv", columns);
  const std::string recorded = printed([&] {
    return table_command({folder_ / "results", {}}, {"csv", columns});
  });
  EXPECT_EQ(our_lines(recorded), our_lines(planned));
  EXPECT_EQ(our_lines(recorded).size(), 3U);
  EXPECT_THAT(recorded, ContainsRegex("\nmajority class,floor,,,,,0.5,"));
  EXPECT_THAT(recorded, ContainsRegex("\nOther,published,"));
  EXPECT_THAT(recorded, ContainsRegex("\nLost length=1024,ours,Lost,1024,0,1,.*1 out_of_memory"));
}

TEST_F(ComparedRuns, CanBeSetBesideEachOther) {
  for (const int64_t index : {0, 2}) run(index);
  const auto folder = [&](int64_t index) { return plan_run(file_, overrides(), index).folder; };
  const std::string text = printed([&] { return compare_command(folder(0), folder(2) / "run.h5"); });
  EXPECT_THAT(text, ContainsRegex("a: .* \\(Plain \\[old\\] length=1024\\), done\n"));
  EXPECT_THAT(text, ContainsRegex("\nvalue +0.75 +0.625\n"));
  EXPECT_THAT(text, ContainsRegex("\naccuracy +0.750 ± 0.050 +0.625 ± 0.050 +0.833\n"));
  EXPECT_THAT(text, ContainsRegex("\nseconds \\[s\\] +6 +1.5 +0.250\n"));
  EXPECT_THAT(text, Not(HasSubstr("length ")));
  EXPECT_THAT(user_error_of([&] { compare_command(folder_ / "results", folder(0)); }),
              HasSubstr("holds 2 runs: name the folder of one"));
}

TEST_F(ComparedRuns, AreListedByLabel) {
  EXPECT_THAT(list(), ContainsRegex("\n2 +[0-9a-f]{10} +not started +Quick length=1024 +attnlab run "));
}

TEST_F(ComparedRuns, CsvHasTheSweptKeysAndRawUnits) {
  for (const int64_t index : {0, 2}) run(index);
  const std::string text = table("csv", {"peak"});
  EXPECT_THAT(text, testing::StartsWith("case,kind,label,length,runs_done,runs_total,peak,peak_sd,peak_se,"
                                        "peak_fraction_plain,peak_fraction_plain_sd,peak_fraction_plain_se,"
                                        "notes,"));
  EXPECT_THAT(text, HasSubstr("\nQuick length=1024,ours,Quick,1024,1,1,1048576,,0,0.5,,,,"));
}

TEST_F(ComparedRuns, FloorsArePrintedOnlyBesideTheirFigure) {
  run(0);
  EXPECT_THAT(table("csv"), ContainsRegex("\nmajority class,floor,,,,,0.5,,0.04,"));
  EXPECT_THAT(table("text", {"seconds"}), Not(HasSubstr("majority class")));
  EXPECT_THAT(table("text", {"seconds"}), Not(HasSubstr("Other")));
}

TEST_F(ComparedRuns, LatexRowsBeginWithNothingThatALineBreakWouldRead) {
  const std::string text = table("latex");
  EXPECT_THAT(text, HasSubstr("Plain {[}old] length=1024 & 0/1"));
  EXPECT_THAT(text, HasSubstr("seconds $\\times$ plain"));
  EXPECT_THAT(text, HasSubstr("\n% Published: Someone 2020\n"));
}

TEST_F(ComparedRuns, UnknownFiguresAreRefused) {
  EXPECT_EQ(user_error_of([&] {
              table_command({file_, overrides()}, {"text", {"secnds"}});
            }),
            "--columns: no task of this experiment has the figure 'secnds'; did you mean 'seconds'?");
  folder_.write(
      "toy.yaml",
      "task: toy\nsweep: {cases: [{label: A}]}\n"
      "compare:\n  to: {a: A}\n  speedup: [second, accuracy_floor]\n  fraction: [accuracy_floor]\n");
  EXPECT_EQ(user_error_of([&] { plan_experiment(file_, {}); }),
            file_.string() +
                ":5: compare.speedup: no task of this experiment has the headline figure 'second'; "
                "did you mean 'seconds'?\n" +
                file_.string() +
                ":5: compare.speedup: 'accuracy_floor' has no better direction; list it under "
                "fraction");
}

}  // namespace
}  // namespace attnlab
