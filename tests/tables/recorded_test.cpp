// What a record keeps of the experiment around it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tables/recorded_json.h"

namespace attnlab {
namespace {

TEST(RecordedJson, HoldsTheFiguresAndWhichAreAboutTheRun) {
  const Published published{"Someone 2020",
                            "%",
                            {"accuracy"},
                            {{"Ours", {{"label", "A"}}, {{"accuracy", 61.25}}, {{"accuracy", "61.250"}}},
                             {"Theirs", {}, {{"accuracy", 70}}, {{"accuracy", "70"}}}}};
  EXPECT_EQ(nlohmann::json::parse(recorded_json(published, rows_about(published, {{"label", "A"}}))),
            nlohmann::json::parse(R"json(
    {"source": "Someone 2020", "unit": "%", "metrics": ["accuracy"],
     "rows": [{"name": "Ours", "figures": {"accuracy": 61.25}, "written": {"accuracy": "61.250"},
               "match": {"label": "A"}, "this_case": true},
              {"name": "Theirs", "figures": {"accuracy": 70.0}, "written": {"accuracy": "70"},
               "match": {}, "this_case": false}]})json"));
}

TEST(RecordedJson, PublishedFiguresAreReadBackWithTheirDigits) {
  const Published published{"Someone 2020",
                            "%",
                            {"accuracy"},
                            {{"Theirs", {}, {{"accuracy", 70}}, {{"accuracy", "70.0"}}},
                             {"Ours", {{"label", "A"}}, {{"accuracy", 61.25}}, {{"accuracy", "61.250"}}}}};
  const RecordedPublished read =
      published_from(recorded_json(published, rows_about(published, {{"label", "A"}})));
  EXPECT_EQ(read.published.source, "Someone 2020");
  EXPECT_EQ(read.published.unit, "%");
  EXPECT_EQ(read.published.metrics, published.metrics);
  ASSERT_EQ(read.published.rows.size(), 2U);
  EXPECT_EQ(read.published.rows[1].match, published.rows[1].match);
  EXPECT_EQ(read.published.rows[1].written.at("accuracy"), "61.250");
  EXPECT_EQ(read.about, (std::vector<std::size_t>{1}));
}

TEST(RecordedJson, OlderRecordsHaveNeitherDigitsNorWhatIsMatched) {
  const RecordedPublished read = published_from(
      R"json({"source": "S", "unit": "1", "metrics": ["x"],
              "rows": [{"name": "A", "figures": {"x": 0.5}, "this_case": true}]})json");
  ASSERT_EQ(read.published.rows.size(), 1U);
  EXPECT_EQ(read.published.rows[0].written.at("x"), "0.5");
  EXPECT_EQ(read.about, (std::vector<std::size_t>{0}));
}

TEST(RecordedJson, WhatIsNoSuchTextSaysNothing) {
  for (const char* text : {"", "{", "[]", "{\"rows\": 1}", "{\"source\": 1, \"unit\": 2}"}) {
    EXPECT_TRUE(published_from(text).published.rows.empty()) << text;
    EXPECT_TRUE(compare_from(text).empty()) << text;
  }
}

TEST(RecordedJson, HoldsWhatIsCompared) {
  Compare compare;
  compare.to = {{"textbook", "Transformer (textbook)"}};
  compare.speedup = {{"train_seconds", {}}};
  EXPECT_EQ(nlohmann::json::parse(recorded_json(compare)), nlohmann::json::parse(R"json(
    {"to": {"textbook": "Transformer (textbook)"}, "speedup": ["train_seconds"], "fraction": [], "difference": []})json"));
  const std::vector<Comparison> read = compare_from(recorded_json(compare)).each();
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].name(), "train_seconds_speedup_textbook");
  EXPECT_EQ(read[0].label, "Transformer (textbook)");
}

}  // namespace
}  // namespace attnlab
