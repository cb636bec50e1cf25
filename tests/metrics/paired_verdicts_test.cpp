// Paired accuracies against SciPy and NumPy (tests/golden/make_mcnemar.py).
#include "metrics/paired_verdicts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

namespace attnlab {
namespace {

TEST(PairedVerdicts, EqualTheReference) {
  const auto golden = nlohmann::json::parse(std::ifstream(ATTNLAB_SOURCE_DIR "/tests/golden/mcnemar.json"));
  ASSERT_GE(golden.size(), 8u);
  for (const auto& one : golden) {
    const PairedVerdicts verdicts{one["both"], one["only_a"], one["only_b"], one["neither"]};
    EXPECT_NEAR(verdicts.difference(), one["difference"].get<double>(), 1e-14) << one;
    EXPECT_NEAR(verdicts.standard_error(), one["standard_error"].get<double>(), 1e-14) << one;
    const double p = one["p"];
    EXPECT_NEAR(verdicts.p_value(), p, 1e-9 * p) << one;
  }
}

TEST(PairedVerdicts, AreCounted) {
  PairedVerdicts verdicts;
  verdicts.add(true, true);
  verdicts.add(true, false);
  verdicts.add(false, true);
  verdicts.add(false, true);
  verdicts.add(false, false);
  EXPECT_EQ(verdicts.both, 1);
  EXPECT_EQ(verdicts.only_a, 1);
  EXPECT_EQ(verdicts.only_b, 2);
  EXPECT_EQ(verdicts.neither, 1);
  EXPECT_DOUBLE_EQ(verdicts.difference(), 0.2);
}

TEST(PairedVerdicts, OfNothingSayNothing) {
  EXPECT_TRUE(std::isnan(PairedVerdicts{}.difference()));
  EXPECT_TRUE(std::isnan(PairedVerdicts{.both = 1}.standard_error()));
  EXPECT_EQ(PairedVerdicts{}.p_value(), 1.0);
}

}  // namespace
}  // namespace attnlab
