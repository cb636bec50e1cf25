// Words are those of Python's str.split(): tests/golden/make_words.py.
#include "data/words.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/files.h"
#include "core/random.h"

namespace attnlab {
namespace {

nlohmann::json golden() {
  return nlohmann::json::parse(read_file(ATTNLAB_SOURCE_DIR "/tests/golden/words.json"));
}

TEST(Words, AreThoseOfPythonsSplit) {
  for (const auto& one : golden()) {
    const auto text = one.at("text").get<std::string>();
    EXPECT_EQ(count_words(text, 0, static_cast<int64_t>(text.size())), one.at("words").get<int64_t>())
        << text;
  }
}

TEST(Words, AreAsManyAsAreCounted) {
  for (const auto& one : golden()) {
    const auto text = one.at("text").get<std::string>();
    EXPECT_EQ(static_cast<int64_t>(words_of(text).size()), one.at("words").get<int64_t>()) << text;
  }
  EXPECT_EQ(words_of(" one\ttwo\u2003three "), (std::vector<std::string_view>{"one", "two", "three"}));
}

TEST(Words, StandBetweenTheEndsOfAStrippedText) {
  for (const auto& one : golden()) {
    const auto text = one.at("text").get<std::string>();
    const auto words = words_of(text);
    const std::string_view left = stripped(text);
    EXPECT_EQ(words_of(left), words) << text;
    if (words.empty()) {
      EXPECT_TRUE(left.empty()) << text;
      continue;
    }
    EXPECT_TRUE(left.starts_with(words.front()) && left.ends_with(words.back())) << text;
  }
}

/// Tokens may end anywhere, inside a character as well: no word is lost or counted twice.
TEST(Words, OfNeighbouringRangesAddUp) {
  Random random(3);
  for (const auto& one : golden()) {
    const auto text = one.at("text").get<std::string>();
    const auto size = static_cast<int64_t>(text.size());
    int64_t words = 0;
    for (int64_t begin = 0; begin < size;) {
      const int64_t end = std::min(size, begin + 1 + static_cast<int64_t>(random.below(5)));
      words += count_words(text, begin, end);
      begin = end;
    }
    EXPECT_EQ(words, one.at("words").get<int64_t>()) << text;
  }
}

TEST(Words, BelongToTheRangeInWhichTheyBegin) {
  EXPECT_EQ(count_words("one two", 0, 5), 2);
  EXPECT_EQ(count_words("one two", 1, 4), 0);
  EXPECT_EQ(count_words("one two", 5, 7), 0);
}

}  // namespace
}  // namespace attnlab
