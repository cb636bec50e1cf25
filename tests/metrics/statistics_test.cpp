#include "metrics/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace attnlab {
namespace {

TEST(Accuracy, HasTheBinomialStandardError) {
  const Proportion p = accuracy(1300, 2000);
  EXPECT_DOUBLE_EQ(p.value, 0.65);
  EXPECT_NEAR(p.standard_error, 0.010665365, 1e-9);  // sqrt(.65 · .35 / 2000)
  EXPECT_EQ(p.n, 2000);
  EXPECT_EQ(accuracy(5, 5).standard_error, 0);
}

TEST(Accuracy, CountsAgreement) {
  const std::vector<int32_t> predictions = {0, 1, 1, 0}, labels = {0, 1, 0, 1};
  EXPECT_DOUBLE_EQ(accuracy(predictions, labels).value, 0.5);
  EXPECT_THROW(accuracy(std::span(predictions).first(3), labels), std::logic_error);
}

TEST(Accuracy, OfNothingIsNotANumber) {
  EXPECT_TRUE(std::isnan(accuracy(0, 0).value));
  EXPECT_THROW(accuracy(3, 2), std::logic_error);
}

// numpy.mean, numpy.std(ddof=1), scipy.stats.sem
TEST(Spread, IsThatOfASample) {
  const Spread s = spread(std::vector<double>{2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_DOUBLE_EQ(s.mean, 5);
  EXPECT_NEAR(s.standard_deviation, 2.138089935299395, 1e-14);
  EXPECT_NEAR(s.standard_error, 0.7559289460184545, 1e-14);
  EXPECT_EQ(s.n, 8);
}

TEST(Spread, SurvivesALargeMean) {
  EXPECT_DOUBLE_EQ(spread(std::vector<double>{1e9 + 1, 1e9 + 2, 1e9 + 3}).standard_deviation, 1);
}

TEST(Spread, OfOneSeedIsUnknown) {
  const Spread one = spread(std::vector<double>{0.65});
  EXPECT_EQ(one.mean, 0.65);
  EXPECT_TRUE(std::isnan(one.standard_deviation));
  EXPECT_TRUE(std::isnan(one.standard_error));
  EXPECT_TRUE(std::isnan(spread({}).mean));
}

TEST(MajorityClass, IsTheMostFrequentAndOfEqualsTheLowest) {
  EXPECT_EQ(majority_class(std::vector<int32_t>{2, 1, 2, 0}, 3), 2);
  EXPECT_EQ(majority_class(std::vector<int32_t>{2, 1, 1, 2}, 3), 1);
  EXPECT_THROW(majority_class(std::vector<int32_t>{3}, 3), std::logic_error);
}

}  // namespace
}  // namespace attnlab
