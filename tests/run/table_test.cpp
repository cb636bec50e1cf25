// Tables: their formats, the statistics over seeds, and published figures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "run/commands.h"
#include "run/figures.h"
#include "run/life.h"
#include "run/numbers.h"
#include "run/published.h"
#include "run/text_table.h"
#include "test_folder.h"

namespace attnlab {
namespace {

using testing::HasSubstr;

const TextTable kTable{{"name", "value"}, {{"a|b", "1 ± 2"}, {"50%, \"so\"", "3"}}};

TEST(TextTable, TextIsAlignedByCharactersNotBytes) {
  EXPECT_EQ(render({{"x", "y"}, {{"±", "1"}, {"ab", "2"}}}, "text"), "x   y\n±   1\nab  2\n");
}

TEST(TextTable, MarkdownEscapesItsBars) {
  EXPECT_THAT(render(kTable, "markdown"), HasSubstr("| a\\|b "));
  EXPECT_THAT(render(kTable, "markdown"), HasSubstr("\n| ---"));
}

TEST(TextTable, CsvQuotesAsRfc4180Says) {
  EXPECT_EQ(render(kTable, "csv"), "name,value\na|b,1 ± 2\n\"50%, \"\"so\"\"\",3\n");
}

TEST(TextTable, LatexEscapesItsSpecialCharacters) {
  const std::string text = render(kTable, "latex");
  EXPECT_THAT(text, HasSubstr("50\\%, \"so\" & 3 \\\\"));
  EXPECT_THAT(text, HasSubstr("1 $\\pm$ 2"));
}

TEST(Numbers, HaveTheDecimalsOfTheirUncertainty) {
  EXPECT_EQ(with_uncertainty(0.64231, 0.0107), "0.642 ± 0.011");
  EXPECT_EQ(with_uncertainty(65.7412, 1.26), "65.7 ± 1.3");
  EXPECT_EQ(with_uncertainty(0.64231, 0), "0.6423");
  EXPECT_EQ(number(5312768), "5312768");
  EXPECT_EQ(number(15118.4), "15118");
}

TEST(Figures, MeanAndSampleDeviation) {
  // statistics.mean and statistics.stdev of Python for the same numbers.
  const Figure figure{{0.62, 0.64, 0.65, 0.61}, 0};
  EXPECT_NEAR(figure.mean(), 0.63, 1e-12);
  EXPECT_NEAR(figure.deviation(), 0.018257418583505554, 1e-15);
  EXPECT_TRUE(std::isnan(Figure({{0.5}, 0.1}).deviation()));
}

TEST(Published, IsReadWithEveryMistakeTold) {
  const TemporaryFolder folder;
  const auto file = folder.write("p.yaml",
                                 "metric: accuracy\nsorce: x\nrows:\n  - {name: A, accuracy: high}\n"
                                 "  - {match: {seed: 1}, acuracy: 1}\n");
  const std::string words = user_error_of([&] { read_published(file); });
  EXPECT_THAT(words, HasSubstr("p.yaml:2: sorce: unknown key; did you mean 'source'?"));
  EXPECT_THAT(words, HasSubstr("rows[0].accuracy: expected a number"));
  EXPECT_THAT(words, HasSubstr("rows[1].acuracy: unknown key; did you mean 'accuracy'?"));
  EXPECT_THAT(words, HasSubstr("rows[1].name: missing"));
}

TEST(Published, MatchesByResolvedValuesNotBySpelling) {
  const std::map<std::string, std::string> options{
      {"model.attention.type", "luna"}, {"length", "16"}, {"p", "1.0e-05"}};
  EXPECT_TRUE(
      matches({"", {{"model.attention", "luna"}, {"length", "16.0"}, {"p", "0.00001"}}, {}}, options));
  EXPECT_FALSE(matches({"", {{"model.attention", "softmax"}}, {}}, options));
  EXPECT_FALSE(matches({"", {{"absent", "1"}}, {}}, options));
  EXPECT_FALSE(matches({"", {}, {}}, options));
}

class TableOfRuns : public testing::Test {
 protected:
  std::string table(const std::string& format) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(table_command({file_, overrides()}, format), 0);
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
  EXPECT_THAT(text, testing::ContainsRegex("value=0.6(0)? +2/2 +60 +61.25 \\(Ours\\)"));
  EXPECT_THAT(text, testing::ContainsRegex("value=0.5 +0/1 +1 not started"));
  EXPECT_THAT(text, testing::ContainsRegex("ending=failed +0/1 +1 failed"));
  EXPECT_THAT(text, testing::ContainsRegex("Theirs \\(published only\\) +70"));
  EXPECT_THAT(text, HasSubstr("Published: Someone 2020"));
}

TEST_F(TableOfRuns, ShowsTheStandardErrorOfASingleRun) {
  run(2);
  EXPECT_THAT(table("text"), HasSubstr("50.0 ± 5.0 (se)"));
}

TEST_F(TableOfRuns, CsvHasANumberACell) {
  run(2);
  const std::string text = table("csv");
  EXPECT_THAT(text, testing::StartsWith(
                        "case,runs_done,runs_total,accuracy,accuracy_sd,accuracy_se,published_accuracy,"
                        "notes,run_ids,git_commit"));
  EXPECT_THAT(text, testing::ContainsRegex("\n[^,]*value=0.5[^,]*,1,1,50,,5,,"));
}

}  // namespace
}  // namespace attnlab
