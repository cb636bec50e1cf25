#include "metrics/lbfgs.h"

#include <gtest/gtest.h>

#include <cmath>

namespace attnlab {
namespace {

TEST(Lbfgs, SolvesAnIllConditionedQuadratic) {
  // 1/2 Σ c_i (x_i − i)² with c from 1 to 1e4
  const auto objective = [](std::span<const double> x, std::span<double> gradient) {
    double value = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double c = std::pow(10.0, static_cast<double>(i) / 5), distance = x[i] - static_cast<double>(i);
      value += c * distance * distance / 2;
      gradient[i] = c * distance;
    }
    return value;
  };
  const LbfgsResult found = minimise(objective, std::vector<double>(21, 0.0));
  EXPECT_TRUE(found.converged);
  for (std::size_t i = 0; i < found.x.size(); ++i) EXPECT_NEAR(found.x[i], static_cast<double>(i), 1e-6);
}

TEST(Lbfgs, FindsTheMinimumOfASoftplusSum) {
  // log(1 + e^x) + log(1 + e^(−2x)) has its minimum where σ(x) = 2σ(−2x): e^x = t with t³ = t + 2
  const auto objective = [](std::span<const double> x, std::span<double> gradient) {
    gradient[0] = 1 / (1 + std::exp(-x[0])) - 2 / (1 + std::exp(2 * x[0]));
    return std::log1p(std::exp(x[0])) + std::log1p(std::exp(-2 * x[0]));
  };
  const double t = std::exp(minimise(objective, {30.0}).x[0]);
  EXPECT_NEAR(t * t * t, t + 2, 1e-5);
}

TEST(Lbfgs, StopsAtItsLimitOfIterations) {
  const auto objective = [](std::span<const double> x, std::span<double> gradient) {
    gradient[0] = std::tanh(x[0]);
    return std::log(std::cosh(x[0]));
  };
  LbfgsOptions options;
  options.max_iterations = 2;
  const LbfgsResult found = minimise(objective, {20.0}, options);
  EXPECT_EQ(found.iterations, 2);
  EXPECT_FALSE(found.converged);
}

}  // namespace
}  // namespace attnlab
