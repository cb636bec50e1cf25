// Shares of different n-grams.
#include "metrics/repetition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace attnlab {
namespace {

using Ids = std::vector<int64_t>;

TEST(Distinct, IsTheShareOfDifferentNGrams) {
  const Ids ids{1, 2, 1, 2, 1, 3};
  EXPECT_DOUBLE_EQ(distinct(ids, 1), 3.0 / 6);
  EXPECT_DOUBLE_EQ(distinct(ids, 2), 3.0 / 5);  // 12 21 13 of 12 21 12 21 13
  EXPECT_DOUBLE_EQ(distinct(ids, 4), 3.0 / 3);
  EXPECT_DOUBLE_EQ(distinct(Ids(100, 7), 4), 1.0 / 97);
}

TEST(Distinct, IsNotDefinedForATextShorterThanN) {
  EXPECT_TRUE(std::isnan(distinct(Ids{1, 2}, 3)));
  EXPECT_TRUE(std::isnan(distinct(Ids{}, 1)));
}

TEST(Distinct, OfWordsComparesThemAsWritten) {
  const auto words = white_space_words("The dog saw the\n dog. The dog");
  EXPECT_THAT(words, testing::ElementsAre("The", "dog", "saw", "the", "dog.", "The", "dog"));
  EXPECT_DOUBLE_EQ(distinct(words, 1), 5.0 / 7);
  EXPECT_DOUBLE_EQ(distinct(words, 2), 5.0 / 6);
  EXPECT_TRUE(white_space_words(" \n").empty());
}

}  // namespace
}  // namespace attnlab
