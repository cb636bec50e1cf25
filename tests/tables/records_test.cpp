// Tables of records alone: which rows there are, in which order, and what is told of each run.
#include "tables/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "results/record_file.h"
#include "run/test_folder.h"
#include "tables/against.h"
#include "tables/experiment_table.h"
#include "tables/natural_order.h"
#include "tables/record_places.h"
#include "tables/recorded_row.h"
#include "tables/table_json.h"

namespace attnlab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What a test's record says of its run.
struct Told {
  std::string id, label;
  int64_t seed = 1;
  std::string config = "{length: 1024, precision: fp32, threads: 1}";
  double accuracy = 0.5;
  std::string status = "done", error = "";
  std::map<std::string, double> shares = {};  ///< by question
  /// By document: tokens and the sum of their losses.
  std::vector<std::pair<std::string, std::pair<int64_t, double>>> documents = {};
};

class Records : public testing::Test {
 protected:
  void write(const Told& told, const std::string& experiment = "lab") {
    const auto folder = folder_ / (experiment + "/" + told.id);
    std::filesystem::create_directories(folder);
    const auto record = open_record(folder);
    record->attribute("experiment", experiment);
    record->attribute("run_id", told.id);
    record->attribute("label", told.label);
    record->attribute("case", told.label + " seed=" + std::to_string(told.seed));
    record->attribute("seed", told.seed);
    record->attribute("config", told.config);
    record->attribute("compare", compare_);
    record->attribute("status", told.status);
    record->attribute("error", told.error);
    if (told.status == "done") {
      record->summarise(
          {"accuracy", told.accuracy, "1", "test accuracy", Summary::Better::higher, 100, 0.05});
      record->summarise({"accuracy_majority", 0.5, "1", "", Summary::Better::neither, 100, 0.05, floor_of_,
                         floor_of_.empty() ? "" : "majority class"});
    }
    if (!told.shares.empty()) {
      record->define(
          {"/shares",
           "",
           {{"question", Column::Type::text, "1", ""}, {"accuracy", Column::Type::real, "1", ""}}});
      for (const auto& [question, share] : told.shares) {
        const Value row[] = {question, share};
        record->append("/shares", row);
      }
    }
    if (!told.documents.empty()) write_documents(*record, told);
    record->flush();
  }

  static void write_documents(RecordSink& record, const Told& told) {
    record.define({"/eval/test",
                   "",
                   {{"id", Column::Type::text, "1", ""},
                    {"tokens", Column::Type::integer, "token", ""},
                    {"nll", Column::Type::real, "nat", ""}}});
    for (const auto& [id, sums] : told.documents) {
      const Value row[] = {id, sums.first, sums.second};
      record.append("/eval/test", row);
    }
  }

  std::vector<ExperimentRuns> experiments() const { return recorded_runs({folder_.path()}, {"threads"}); }
  ExperimentTable table() const { return experiment_table(experiments().at(0), {}); }
  std::vector<std::string> rows() const {
    std::vector<std::string> names;
    for (const auto& row : table().rows)
      if (row.kind == TableRow::Kind::ours) names.push_back(row.name + " " + std::to_string(row.done));
    return names;
  }

  TemporaryFolder folder_;
  std::string compare_, floor_of_ = "accuracy";
};

TEST_F(Records, OfOneLabelStandInOneRowOverTheirSeeds) {
  write({"a", "Luna-16", 1, "{x: 1}", 0.6});
  write({"b", "Luna-16", 2, "{x: 1}", 0.7});
  write({"c", "Luna-128", 1, "{x: 2}", 0.5});
  EXPECT_THAT(rows(), ElementsAre("Luna-16 2", "Luna-128 1"));
  const Estimate accuracy = table().rows[0].figures.at("accuracy");
  EXPECT_DOUBLE_EQ(accuracy.value, 0.65);
  EXPECT_EQ(accuracy.runs, 2);
  EXPECT_EQ(accuracy.least, 0.6);
  EXPECT_EQ(accuracy.most, 0.7);
}

TEST_F(Records, ReferencesComeFirstAndRatiosAreMadeUnderEqualKeys) {
  compare_ = R"({"to": {"ref": "Z"}, "speedup": ["accuracy"], "fraction": []})";
  write({"a", "A length=1024", 1, "{length: 1024}", 0.75});
  write({"b", "Z length=1024", 1, "{length: 1024}", 0.5});
  write({"c", "A length=4096", 1, "{length: 4096}", 0.75});
  EXPECT_THAT(rows(), ElementsAre("Z length=1024 1", "A length=1024 1", "A length=4096 1"));
  EXPECT_DOUBLE_EQ(table().rows[1].figures.at("accuracy_speedup_ref").value, 1.5);
  EXPECT_EQ(table().rows[2].notes, "not compared with ref: the sweep has no Z with length=4096");
}

TEST_F(Records, DifferencesArePairedOverTheQuestionsThatBothHave) {
  compare_ = R"({"to": {"full": "Full"}, "speedup": [], "fraction": [], "difference": ["accuracy"]})";
  write({.id = "a", .label = "Full", .accuracy = 0.5, .shares = {{"q1", 0.2}, {"q2", 0.5}, {"q3", 0.8}}});
  write({.id = "b",
         .label = "Tova",
         .accuracy = 0.45,
         .shares = {{"q1", 0.1}, {"q2", 0.5}, {"q3", 0.6}, {"q4", 1.0}}});
  write({.id = "c", .label = "Window", .accuracy = 0.25});
  const ExperimentTable all = table();
  EXPECT_EQ(all.columns[0].errors_over, "questions") << "what a ± is over, for the head of the column";
  const Estimate paired = all.rows[1].figures.at("accuracy_difference_full");
  EXPECT_NEAR(paired.value, -0.1, 1e-12) << "-0.1, 0 and -0.2";
  EXPECT_NEAR(paired.standard_error, 0.1 / std::sqrt(3.0), 1e-12);
  const Estimate of_means = all.rows[2].figures.at("accuracy_difference_full");
  EXPECT_NEAR(of_means.value, -0.25, 1e-12);
  EXPECT_TRUE(std::isnan(of_means.standard_error)) << "what two means have in common is not known";
  EXPECT_EQ(all.rows[0].figures.at("accuracy_difference_full").value, 0.0);
}

TEST_F(Records, AgainstARowArePairedAndCounted) {
  write({.id = "a1", .label = "Full", .seed = 1, .shares = {{"q1", 0.2}, {"q2", 0.5}, {"q3", 0.8}}});
  write({.id = "a2", .label = "Full", .seed = 2, .shares = {{"q1", 0.4}, {"q2", 0.5}, {"q3", 0.6}}});
  for (const int64_t seed : {1, 2})
    write({.id = "b" + std::to_string(seed),
           .label = "Tova",
           .seed = seed,
           .shares = {{"q1", 0.1}, {"q2", 0.5}, {"q3", 0.8}, {"q4", 1.0}}});
  const TextTable table = against(experiments().at(0), "Full", {}, true);
  // Over seeds Full has 0.3, 0.5 and 0.7: -0.2, 0 and 0.1, whose sample deviation is sqrt(0.07 / 3).
  ASSERT_EQ(table.rows.size(), 1U);
  const auto& row = table.rows[0];
  EXPECT_THAT(row, ElementsAre("Tova", "2", "accuracy", "difference", testing::_, testing::_, "questions",
                               "1", "1", "1", ""));
  EXPECT_NEAR(std::stod(row[4]), -0.1 / 3, 1e-12);
  EXPECT_NEAR(std::stod(row[5]), std::sqrt(0.07 / 3 / 3), 1e-12);
  EXPECT_THROW(against(experiments().at(0), "Ful", {}, true), UserError);
}

/// Seed 3 of Tova has no partner, and says the opposite of the two that have.
TEST_F(Records, AgainstARowWithFewerSeedsLeaveOutTheUnpaired) {
  for (const int64_t seed : {1, 2})
    write({.id = "a" + std::to_string(seed),
           .label = "Full",
           .seed = seed,
           .shares = {{"q1", 0.5}, {"q2", 0.5}}});
  for (const int64_t seed : {1, 2, 3})
    write({.id = "b" + std::to_string(seed),
           .label = "Tova",
           .seed = seed,
           .shares = {{"q1", seed == 3 ? 1.0 : 0.25}, {"q2", seed == 3 ? 1.0 : 0.5}}});
  write({.id = "c4", .label = "Window", .seed = 4, .shares = {{"q1", 0.25}, {"q2", 0.5}}});
  const TextTable table = against(experiments().at(0), "Full", {}, true);
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_THAT(table.rows[0], ElementsAre("Tova", "2", "accuracy", "difference", "-0.125", testing::_,
                                         "questions", "0", "1", "1", "without seed 3, which one side lacks"));
  EXPECT_THAT(table.rows[1], ElementsAre("Window", "1/2", "accuracy", "difference", "-0.125", testing::_,
                                         "questions", "0", "1", "1", "no seed in common: 4 against 1, 2"));
}

/// Logarithms of the documents' ratios are 0.1, 0.2 and 0; mean 0.1, sample deviation 0.1. Their geometric
/// mean less 1 is e^0.1 - 1, its error e^0.1 0.1 / sqrt(3); both by Python's math.
TEST_F(Records, AgainstARowOverDocumentsAreRatiosOfPerplexities) {
  write({.id = "a", .label = "Full", .documents = {{"x", {100, 300}}, {"y", {50, 100}}, {"z", {10, 40}}}});
  write({.id = "b",
         .label = "Tova",
         .documents = {{"x", {100, 310}}, {"y", {50, 110}}, {"z", {10, 40}}, {"only here", {10, 90}}}});
  const TextTable table = against(experiments().at(0), "Full", {}, true);
  ASSERT_EQ(table.rows.size(), 1U);
  const auto& row = table.rows[0];
  EXPECT_THAT(row, ElementsAre("Tova", "1", "perplexity", "relative", testing::_, testing::_, "documents",
                               "2", "0", "1", ""));
  EXPECT_NEAR(std::stod(row[4]), 0.10517091807564771, 1e-12);
  EXPECT_NEAR(std::stod(row[5]), 0.06380707270515211, 1e-12);
  const TextTable shown = against(experiments().at(0), "Full", {"perplexity"}, false);
  EXPECT_THAT(shown.rows.at(0),
              ElementsAre("Tova", "1", "perplexity", "10.5 ± 6.4 %", "3 documents", "2", "0", "1", ""));
}

/// As above, of answers by story.
TEST_F(Records, AgainstARowOverAnswersAreRatiosOfTheirPerplexities) {
  const auto write_answers = [&](const Told& told, double nll_of_x) {
    write(told);
    const auto record = open_record(folder_ / ("lab/" + told.id));
    record->define({"/eval/answers",
                    "",
                    {{"id", Column::Type::text, "1", ""},
                     {"tokens", Column::Type::integer, "token", ""},
                     {"nll", Column::Type::real, "nat", ""}}});
    for (const auto& [id, nll] : {std::pair("x", nll_of_x), std::pair("y", 90.0)}) {
      const Value row[] = {std::string(id), int64_t{100}, nll};
      record->append("/eval/answers", row);
    }
    record->flush();
  };
  write_answers({.id = "a", .label = "Full"}, 300);
  write_answers({.id = "b", .label = "Tova"}, 320);
  const TextTable table = against(experiments().at(0), "Full", {}, true);
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_THAT(table.rows[0], ElementsAre("Tova", "1", "perplexity_answers", "relative", testing::_,
                                         testing::_, "documents", "1", "0", "1", ""));
  EXPECT_NEAR(std::stod(table.rows[0][4]), std::expm1(0.1), 1e-12);
}

/// Of x 420 nat against 400, both over 150 tokens.
TEST_F(Records, AgainstARowLinesOfOneDocumentCountTogether) {
  write({.id = "a", .label = "Full", .documents = {{"x", {100, 300}}, {"x", {50, 100}}, {"y", {10, 40}}}});
  write({.id = "b", .label = "Tova", .documents = {{"x", {100, 310}}, {"x", {50, 110}}, {"y", {10, 40}}}});
  const TextTable table = against(experiments().at(0), "Full", {}, true);
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_THAT(table.rows[0], ElementsAre("Tova", "1", "perplexity", "relative", testing::_, testing::_,
                                         "documents", "1", "0", "1", ""));
  EXPECT_NEAR(std::stod(table.rows[0][4]), std::expm1(20.0 / 150 / 2), 1e-12);
}

TEST_F(Records, PerplexitiesOverOtherTokensOfADocumentAreTold) {
  write({.id = "a", .label = "Full", .documents = {{"x", {100, 300}}, {"y", {50, 100}}}});
  write({.id = "b", .label = "Baseline", .documents = {{"x", {100, 310}}, {"y", {40, 110}}}});
  const TextTable table = against(experiments().at(0), "Full", {}, true);
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_EQ(table.rows[0].back(), "1 document over another number of tokens");
}

/// Beyond position 512 x has 3 nat a token against 2.5, y 2 against 2; before it, what no policy changes.
TEST_F(Records, AgainstARowBeyondAPositionAreOfWhatLiesBehindIt) {
  const auto write_positions = [&](const Told& told, double nll_of_x) {
    write(told);
    const auto record = open_record(folder_ / ("lab/" + told.id));
    record->define({"/eval/test_position",
                    "",
                    {{"id", Column::Type::text, "1", ""},
                     {"first", Column::Type::integer, "token", ""},
                     {"tokens", Column::Type::integer, "token", ""},
                     {"nll", Column::Type::real, "nat", ""}}});
    const std::vector<std::vector<Value>> rows = {
        {"x", int64_t{0}, int64_t{512}, 4000.0}, {"x", int64_t{512}, int64_t{60}, nll_of_x - 90},
        {"x", int64_t{1024}, int64_t{40}, 90.0}, {"y", int64_t{0}, int64_t{512}, 3000.0},
        {"y", int64_t{512}, int64_t{50}, 100.0}, {"short", int64_t{0}, int64_t{100}, 400.0}};
    for (const auto& row : rows) record->append("/eval/test_position", row);
    record->flush();
  };
  write_positions({.id = "a", .label = "Full", .documents = {{"x", {612, 4250}}}}, 250);
  write_positions({.id = "b", .label = "Tova", .documents = {{"x", {612, 4300}}}}, 300);
  const auto table = against(experiments().at(0), "Full", {"perplexity_beyond_512"}, true);
  ASSERT_EQ(table.rows.size(), 1U);
  const auto& row = table.rows[0];
  EXPECT_THAT(row, ElementsAre("Tova", "1", "perplexity_beyond_512", "relative", testing::_, testing::_,
                               "documents", "1", "0", "1", ""));
  EXPECT_NEAR(std::stod(row[4]), std::expm1(0.25), 1e-12) << "the logarithms of the ratios are 0.5 and 0";
  EXPECT_THAT(user_error_of([&] { against(experiments().at(0), "Full", {"perplexity_beyond_500"}, true); }),
              HasSubstr("--against cannot pair it"))
      << "no range begins there";
}

TEST_F(Records, AgainstARowSayWhatCannotBePaired) {
  write({.id = "a", .label = "Full", .documents = {{"x", {100, 300}}}});
  write({.id = "b", .label = "Tova", .documents = {{"y", {50, 110}}}});
  EXPECT_THAT(user_error_of([&] { against(experiments().at(0), "Full", {"cache_bytes"}, true); }),
              HasSubstr("'cache_bytes' is not recorded question by question, example by example or document "
                        "by document, so that --against cannot pair it; of these runs it can pair "
                        "perplexity"));
  EXPECT_THAT(user_error_of([&] { against(experiments().at(0), "Full", {}, true); }),
              HasSubstr("--against Full: there is nothing to pair"))
      << "other documents";
}

TEST_F(Records, OfASweepRepeatedWithAnOverrideAreNoMoreSeeds) {
  write({"a", "Luna-16", 1, "{precision: fp32, threads: 1}"});
  write({"b", "Luna-16", 1, "{precision: bf16, threads: 2}"});
  EXPECT_THAT(rows(), ElementsAre("Luna-16 precision=bf16 1", "Luna-16 precision=fp32 1"))
      << "threads cannot change a result";
  EXPECT_EQ(table().rows[0].condition.at("precision"), "bf16");
  EXPECT_EQ(table().rows[0].label, "Luna-16");
}

TEST_F(Records, OfSeedsThatEachHaveTrainedAModelAreOneRow) {
  write({"a", "Scored", 1, "{model: results/trained/0123456789, length: 5}"});
  write({"b", "Scored", 2, "{model: results/trained/abcdef0123, length: 5}"});
  EXPECT_THAT(rows(), ElementsAre("Scored 2"));
}

TEST_F(Records, OfOtherModelsAreOtherRowsWhateverTheirSeeds) {
  write({"a", "Scored", 1, "{model: models/llama}"});
  write({"b", "Scored", 2, "{model: models/mistral}"});
  write({"c", "Tuned", 1, "{model: results/trained/0123456789}"});
  write({"d", "Tuned", 1, "{model: results/trained/abcdef0123}"});
  EXPECT_EQ(rows().size(), 4U);
}

TEST_F(Records, SaySeedsThatOtherModelsHave) {
  for (const int64_t seed : {1, 2, 3}) write({"a" + std::to_string(seed), "A", seed});
  write({"b", "B", 2});
  EXPECT_EQ(table().rows[1].missing_seeds, (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(table().rows[1].notes, "no record of seeds 1, 3");
}

TEST_F(Records, ThatFailedOrWereKilledAreToldWithTheirReason) {
  write({"a", "A", 1, "{x: 1}", 0, "failed", "no space left. Delete something"});
  write({"b", "B", 1, "{x: 2}", 0, "running"});
  EXPECT_EQ(table().rows[0].notes, "1 failed: no space left");
  EXPECT_EQ(table().rows[1].notes, "1 interrupted");
}

TEST_F(Records, ThatCannotBeReadAreLeftOutWithTheirReason) {
  write({"a", "A"});
  folder_.write("lab/bad/run.h5", "no HDF5");
  EXPECT_THAT(rows(), ElementsAre("A 1"));
  ASSERT_EQ(table().unreadable.size(), 1U);
  EXPECT_THAT(table().unreadable[0], HasSubstr("bad/run.h5 is no HDF5 file"));
  EXPECT_THAT(user_error_of([&] { recorded_runs({folder_ / "lab/bad"}, {}); }), HasSubstr("is no HDF5 file"))
      << "the only record there is";
}

TEST_F(Records, OlderOnesHaveFloorsThatDoNotSayWhatTheyAre) {
  floor_of_ = "";
  write({"a", "A"});
  const auto rows = table().rows;
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].kind, TableRow::Kind::floor);
  EXPECT_EQ(rows[1].name, "majority class");
  EXPECT_EQ(rows[1].figures.count("accuracy"), 1U);
}

TEST_F(Records, PublishedRowsOfAllRunsAreKeptOnce) {
  const auto published = [](const std::string& about) {
    const auto row = [&](const std::string& name) {
      return R"({"name": ")" + name + R"(", "figures": {"accuracy": 65.5}, "this_case": )" +
             (name == about ? "true}" : "false}");
    };
    return R"({"source": "S", "unit": "%", "metrics": ["accuracy"], "rows": [)" + row("A") + "," + row("B") +
           "," + row("C") + "]}";
  };
  for (const char* label : {"A", "B"}) {
    write({label, label});
    open_record(folder_ / "lab" / label)->attribute("published", published(label));
  }
  const auto rows = table().rows;
  EXPECT_EQ(rows[0].published.at("accuracy").at(0).row, "A");
  EXPECT_EQ(rows[1].published.at("accuracy").at(0).written, "65.5");
  EXPECT_EQ(rows.back().kind, TableRow::Kind::published);
  EXPECT_EQ(rows.back().name, "C");
}

TEST_F(Records, OfSeveralExperimentsAreToldApart) {
  write({"a", "A"}, "one");
  write({"b", "A"}, "two");
  ASSERT_EQ(experiments().size(), 2U);
  EXPECT_EQ(experiments()[1].experiment, "two");
  EXPECT_EQ(recorded_runs({folder_ / "one", folder_ / "two/b/run.h5"}, {}).size(), 2U);
  EXPECT_EQ(recorded_runs({folder_ / "two/b"}, {}).size(), 1U);
  EXPECT_EQ(recorded_runs({folder_ / "two/b", folder_ / "two"}, {}).at(0).runs.size(), 1U) << "named twice";
}

TEST_F(Records, AreSoughtInAFolderItsFoldersAndTheirs) {
  write({"a", "A"});
  folder_.write("._lab/x/run.h5", "what macOS leaves");
  EXPECT_EQ(records_in(folder_.path()).size(), 1U);
  EXPECT_THAT(user_error_of([&] { records_in(folder_ / "none"); }), HasSubstr("there is no file or folder"));
  std::filesystem::create_directories(folder_ / "empty");
  EXPECT_THAT(user_error_of([&] { records_in(folder_ / "empty"); }), HasSubstr("holds no run"));
}

TEST_F(Records, AsJsonHaveEveryRunBehindARow) {
  write({"a b", "A", 1, "{x: 1}", 0.5});
  write({"b", "A", 2, "{x: 1}", std::numeric_limits<double>::quiet_NaN()});
  const auto told = nlohmann::json::parse(tables_json(experiments(), {})).at("experiments").at(0);
  EXPECT_EQ(told.at("experiment"), "lab");
  const auto& row = told.at("rows").at(0);
  EXPECT_EQ(row.at("runs"), nlohmann::json::parse("[0, 1]"));
  EXPECT_EQ(row.at("done"), 2);
  EXPECT_TRUE(row.at("figures").at("accuracy").at("value").is_null()) << "NaN";
  EXPECT_EQ(told.at("rows").at(1).at("of"), "accuracy");
  const auto& run = told.at("runs").at(0);
  EXPECT_EQ(run.at("record"), "file://" + (folder_ / "lab").string() + "/a%20b/run.h5");
  EXPECT_EQ(run.at("figures").at("accuracy").at("standard_error"), 0.05);
  EXPECT_EQ(told.at("columns").at(0).at("name"), "accuracy");
}

RecordedRow row_of(const std::string& label, const RecordedOptions& options) {
  RunRecord record;
  record.attributes["label"] = label;
  return recorded_row(record, options);
}

TEST(RecordedRow, IsALabelAndAssignments) {
  const RecordedOptions options{
      {"encoding.max_length", "1"}, {"model.attention.type", "luna"}, {"seed", "1"}};
  const RecordedRow row = row_of(
      "Luna (tied) l=16 encoding.max_length=1024 model.attention={type: luna, dim: 8} seed=3", options);
  EXPECT_EQ(row.label, "Luna (tied) l=16") << "l is no option";
  ASSERT_EQ(row.assignments.size(), 2U);
  EXPECT_EQ(row.assignments[0].second, "1024");
  EXPECT_EQ(row.assignments[1].second, "{type: luna, dim: 8}");
  EXPECT_EQ(row_of("attention=luna", options).name(), "attention=luna");
  EXPECT_EQ(row_of("attention=luna", options).label, "");
}

TEST(RecordedRow, OfAnOlderRecordIsItsCaseWithoutTheSeed) {
  RunRecord record;
  record.attributes["case"] = std::string("dim=8 seed=2");
  record.attributes["config"] = std::string("model: {dim: 8}\nseed: 2\n");
  EXPECT_EQ(recorded_row(record, recorded_options(record)).name(), "dim=8");
  record.attributes["config"] = std::string("model: {dim: [\n");
  EXPECT_TRUE(recorded_options(record).empty()) << "cut short";
}

TEST(NaturalOrder, ComparesNumbersAsNumbers) {
  EXPECT_TRUE(naturally_before("Luna-16", "Luna-128"));
  EXPECT_FALSE(naturally_before("Luna-128", "Luna-16"));
  EXPECT_TRUE(naturally_before("256 tokens", "1,024 tokens"));
  EXPECT_FALSE(naturally_before("1,024 tokens", "256 tokens"));
  EXPECT_TRUE(naturally_before("1,024 tokens l=16", "1,024 tokens l=128"));
  EXPECT_TRUE(naturally_before("2,16", "16,2"));  // no thousands: 2 before 16
  EXPECT_TRUE(naturally_before("a", "b"));
  EXPECT_TRUE(naturally_before("a", "a b"));
  EXPECT_FALSE(naturally_before("a", "a"));
}

}  // namespace
}  // namespace attnlab
