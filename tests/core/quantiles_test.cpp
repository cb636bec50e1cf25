#include "core/quantiles.h"

#include <gtest/gtest.h>

namespace attnlab {
namespace {

// numpy.quantile([3, 1, 4, 1, 5, 9, 2, 6], [0.25, 0.5, 0.75]) and of one number
TEST(Quantiles, AreThoseOfNumpy) {
  const std::vector<double> rounds{3, 1, 4, 1, 5, 9, 2, 6};
  EXPECT_DOUBLE_EQ(quantile(rounds, 0.25), 1.75);
  EXPECT_DOUBLE_EQ(quantile(rounds, 0.5), median(rounds));
  EXPECT_DOUBLE_EQ(quantile(rounds, 0.75), 5.25);
  EXPECT_EQ(quantile({7}, 0.75), 7);
  EXPECT_EQ(quantile(rounds, 1), 9);
}

}  // namespace
}  // namespace attnlab
