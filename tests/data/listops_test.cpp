#include "data/listops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "core/error.h"
#include "data/listops_grammar.h"
#include "data/temporary.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::message_of;
using testing::text_of;

// tests/golden/make_listops.py evaluates with NumPy.
TEST(ListOpsGrammar, AgreesWithAnotherEvaluator) {
  std::ifstream golden(ATTNLAB_SOURCE_DIR "/tests/golden/listops.tsv");
  int lines = 0;
  for (std::string line; std::getline(golden, line); ++lines) {
    const std::size_t tab = line.find('\t');
    const auto symbols = listops::parse(line.substr(0, tab));
    EXPECT_EQ(listops::evaluate(symbols), std::stoi(line.substr(tab + 1))) << line;
    EXPECT_EQ(listops::to_text(symbols), line.substr(0, tab));
  }
  EXPECT_EQ(lines, 200);
}

TEST(ListOpsGrammar, ReadsThePublishedFilesRoundBrackets) {
  EXPECT_EQ(listops::parse("( ( ( [MED 2 ) 5 ) ] )"), listops::parse("[MED 2 5 ]"));
  EXPECT_EQ(listops::evaluate(listops::parse("[MED 2 5 ]")), 3);  // int(3.5)
}

TEST(ListOpsGrammar, SaysWhatIsWrong) {
  const auto said = [](const char* text) { return message_of<UserError>([&] { listops::parse(text); }); };
  EXPECT_THAT(said("[MAX 2 12 ]"), HasSubstr("\"12\""));
  EXPECT_THAT(said("[AVG 2 ]"), HasSubstr("\"[AVG\""));
  EXPECT_THAT(said("[MAX 2 3]"), HasSubstr("\"3]\""));
  EXPECT_THAT(said("[MAX 2 [MIN 3 ]"), HasSubstr("[MAX is not closed"));
  EXPECT_THAT(said("2 ]"), HasSubstr("closes nothing"));
  EXPECT_THAT(said("[SM ]"), HasSubstr("[SM has no arguments"));
  EXPECT_THAT(said("2 3"), HasSubstr("2 values stand side by side"));
  EXPECT_THAT(said(" \r\n"), HasSubstr("empty"));
}

class ListOps : public ::testing::Test {
 protected:
  std::vector<std::string> texts(Split split) {
    const auto data = options.open(place)[split];
    std::vector<std::string> all;
    for (int64_t i = 0; i < data->size(); ++i) all.push_back(text_of(*data, i));
    return all;
  }
  testing::TemporaryFolder folder;
  DataPlace place{folder.path() / "no such folder", folder.path() / "cache"};
  ListOpsOptions options;
};

TEST_F(ListOps, HasTheSizesAsked) {
  EXPECT_EQ(texts(Split::train).size(), 4000u);
  EXPECT_EQ(texts(Split::validation).size(), 500u);
  EXPECT_EQ(texts(Split::test).size(), 1000u);
  options.min_length = 30;
  options.max_length = 40;
  for (const auto& text : texts(Split::test)) {
    EXPECT_GE(text.size(), 30u);
    EXPECT_LE(text.size(), 40u);
  }
}

TEST_F(ListOps, LabelsAreTheValues) {
  const auto data = options.open(place)[Split::test];
  std::set<int32_t> seen;
  for (int64_t i = 0; i < data->size(); ++i) {
    EXPECT_EQ(data->label(i), listops::evaluate(data->symbols(i)));
    EXPECT_EQ(options.encode(listops::to_text(data->symbols(i))),
              std::vector<uint8_t>(data->symbols(i).begin(), data->symbols(i).end()));
    seen.insert(data->label(i));
  }
  EXPECT_EQ(seen.size(), 10u);
  EXPECT_EQ(data->id(7), "test/7");
}

TEST_F(ListOps, RespectsDepthAndArguments) {
  options.max_depth = 4;
  options.max_args = 3;
  int64_t deepest = 0, most = 0;
  for (const auto& text : texts(Split::test)) {
    std::vector<int64_t> arguments{0};  // of the operators that are open
    for (const char symbol : text) {
      if (symbol == listops::kEnd) {
        EXPECT_GE(arguments.back(), 2);
        most = std::max(most, arguments.back());
        arguments.pop_back();
        continue;
      }
      ++arguments.back();
      if (symbol >= listops::kMin) arguments.push_back(0);
      deepest = std::max(deepest, static_cast<int64_t>(arguments.size()));
    }
  }
  EXPECT_EQ(deepest, 4);  // three operators and a digit
  EXPECT_EQ(most, 3);
}

TEST_F(ListOps, NoExpressionIsTwiceInAnySplit) {
  std::set<std::string> all;
  std::size_t count = 0;
  for (const Split split : {Split::train, Split::validation, Split::test})
    for (const auto& text : texts(split)) {
      all.insert(text);
      ++count;
    }
  EXPECT_EQ(all.size(), count);
}

TEST_F(ListOps, IsTheSameWhereverItIsMade) {
  const auto here = texts(Split::test);
  place.cache = folder.path() / "another";
  EXPECT_EQ(texts(Split::test), here);
  options.seed = 1;
  EXPECT_NE(texts(Split::test), here);
}

// Recorded when the generator was written: results of different machines and versions stay comparable.
TEST_F(ListOps, IsTheSameOnEveryMachine) {
  EXPECT_EQ(options.open(place).checksum, "c6d718af85d5274d6b6d2581572cf851d51e981c7ae9017d953514137e780182");
}

TEST_F(ListOps, ALargerTrainingSetKeepsTheTestSet) {
  const auto before = texts(Split::test);
  options.train_examples = 5000;
  EXPECT_EQ(texts(Split::train).size(), 5000u);
  EXPECT_EQ(texts(Split::test), before);
}

TEST_F(ListOps, SaysWhenTheLengthsDoNotHoldSoMany) {
  options.min_length = 1;
  options.max_length = 4;  // digits and [OP a b ]: 410 expressions over the three splits
  EXPECT_THAT(
      message_of<UserError>([&] { options.open(place); }),
      ::testing::AllOf(HasSubstr("of 4000 different train expressions"), HasSubstr("lengths 1 to 4")));
}

}  // namespace
}  // namespace attnlab
