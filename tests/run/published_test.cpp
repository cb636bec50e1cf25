// A paper's figures from their file, and what a record keeps of them.
#include "run/published.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "run/plan.h"
#include "run/recorded_json.h"
#include "test_folder.h"

namespace attnlab {
namespace {

using testing::HasSubstr;

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

TEST(Published, MatchesByTheLabelOfTheCase) {
  const auto values = values_of(RunOptions{}, "Luna-16");
  EXPECT_TRUE(matches({"", {{"label", "Luna-16"}, {"seed", "1"}}, {}}, values));
  EXPECT_FALSE(matches({"", {{"label", "Luna-16"}, {"seed", "2"}}, {}}, values));
  EXPECT_FALSE(matches({"", {{"label", "Luna"}}, {}}, values));
}

TEST(RecordedJson, HoldsTheFiguresAndWhichAreAboutTheRun) {
  const Published published{
      "Someone 2020",
      "%",
      {"accuracy"},
      {{"Ours", {{"label", "A"}}, {{"accuracy", 61.25}}}, {"Theirs", {}, {{"accuracy", 70}}}}};
  EXPECT_EQ(nlohmann::json::parse(recorded_json(published, {{"label", "A"}})), nlohmann::json::parse(R"json(
    {"source": "Someone 2020", "unit": "%", "metrics": ["accuracy"],
     "rows": [{"name": "Ours", "figures": {"accuracy": 61.25}, "this_case": true},
              {"name": "Theirs", "figures": {"accuracy": 70.0}, "this_case": false}]})json"));
}

TEST(RecordedJson, HoldsWhatIsCompared) {
  Compare compare;
  compare.to = {{"textbook", "Transformer (textbook)"}};
  compare.speedup = {{"train_seconds", {}}};
  EXPECT_EQ(nlohmann::json::parse(recorded_json(compare)), nlohmann::json::parse(R"json(
    {"to": {"textbook": "Transformer (textbook)"}, "speedup": ["train_seconds"], "fraction": []})json"));
}

}  // namespace
}  // namespace attnlab
