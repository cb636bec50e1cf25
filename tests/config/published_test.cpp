// A paper's figures from their file.
#include "config/published.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run/test_folder.h"

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
  const std::map<std::string, std::string> values{{"label", "Luna-16"}, {"seed", "1"}};
  EXPECT_TRUE(matches({"", {{"label", "Luna-16"}, {"seed", "1"}}, {}}, values));
  EXPECT_FALSE(matches({"", {{"label", "Luna-16"}, {"seed", "2"}}, {}}, values));
  EXPECT_FALSE(matches({"", {{"label", "Luna"}}, {}}, values));
}

TEST(Published, RowsAboutARunAreKnownByTheirPlace) {
  const Published published{
      "", "1", {"x"}, {{"A", {{"k", "1"}}, {}}, {"B", {}, {}}, {"C", {{"k", "1.0"}}, {}}}};
  EXPECT_EQ(rows_about(published, {{"k", "1"}}), (std::vector<std::size_t>{0, 2}));
}

}  // namespace
}  // namespace attnlab
