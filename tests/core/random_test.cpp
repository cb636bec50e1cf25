#include "core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

namespace attnlab {
namespace {

// First outputs of SplitMix64 from seed 1234567, as published with its reference implementation (Vigna).
TEST(Random, IsSplitMix64) {
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317ULL);
  EXPECT_EQ(random.next(), 3203168211198807973ULL);
  EXPECT_EQ(random.next(), 9817491932198370423ULL);
}

TEST(Random, StreamsDifferInSeedPurposeAndIndex) {
  std::set<uint64_t> seeds;
  for (uint64_t seed : {0, 1, 2})
    for (const char* purpose : {"shuffle", "dropout", ""})
      for (uint64_t index : {0, 1, 2}) seeds.insert(derive_seed(seed, purpose, index));
  EXPECT_EQ(seeds.size(), 27u);
  EXPECT_EQ(derive_seed(5, "shuffle", 3), derive_seed(5, "shuffle", 3));
}

TEST(Random, BelowStaysBelowAndReachesEverything) {
  Random random(1);
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) ++counts[random.below(7)];
  for (const int c : counts) EXPECT_NEAR(c, 10000, 5 * 93);  // five standard deviations of a binomial
}

TEST(Random, UniformLiesInTheHalfOpenUnitInterval) {
  Random random(2);
  double total = 0;
  for (int i = 0; i < 100000; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    total += u;
  }
  EXPECT_NEAR(total / 100000, 0.5, 5 * 0.2887 / 316.2);
}

TEST(Shuffle, IsAPermutationThatDependsOnTheSeedAlone) {
  std::vector<int> a(100), b(100), c(100);
  for (auto* v : {&a, &b, &c}) std::iota(v->begin(), v->end(), 0);
  Random one(9), same(9), other(10);
  shuffle<int>(a, one);
  shuffle<int>(b, same);
  shuffle<int>(c, other);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
  std::sort(a.begin(), a.end());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a[static_cast<size_t>(i)], i);
}

}  // namespace
}  // namespace attnlab
