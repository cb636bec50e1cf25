// Which policies look at weights: those that say they do not are never handed any by steps on a GPU.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "cache/policy.h"

namespace attnlab {
namespace {

/// Scores of a lane of eight states after two tokens.
std::vector<double> scores_of(const PolicyOptions& options, std::vector<double> weights) {
  std::vector<int64_t> order(8);
  std::iota(order.begin(), order.end(), 0);
  const std::vector<double> norms = {3, 1, 4, 1, 5, 9, 2, 6}, figures = {2, 7, 1, 8, 2, 8, 1, 8};
  const auto policy = options.build({.size = 4, .seed = 5});
  std::vector<double> scores;
  for (int64_t time = 7; time < 9; ++time) {
    const auto got = policy->scores({.time = time,
                                     .newest = 7,
                                     .live = 8,
                                     .order = order,
                                     .weights = weights,
                                     .figures = figures,
                                     .key_norms = norms,
                                     .surprisal = norms});
    scores.assign(got.begin(), got.end());
    std::rotate(weights.begin(), weights.begin() + 1, weights.end());
  }
  return scores;
}

TEST(PolicyNeeds, PoliciesThatNeedNoWeightsDoNotReadThem) {
  const std::vector<double> weights = {0.1, 0.3, 0.05, 0.05, 0.2, 0.1, 0.15, 0.05};
  std::set<std::string> without;
  for (const auto& policy : registry<PolicyOptions>()) {
    const auto options = policy.make();
    if (options->needs().weights) continue;
    without.insert(policy.name);
    EXPECT_EQ(scores_of(*options, std::vector<double>(8, NAN)), scores_of(*options, weights)) << policy.name;
  }
  EXPECT_EQ(without, (std::set<std::string>{"keydiff", "knorm", "random", "window"}));
}

}  // namespace
}  // namespace attnlab
