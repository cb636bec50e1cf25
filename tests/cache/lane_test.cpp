// Choosing, protecting and recording, apart from any attention.
#include "cache/lane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/policies/tova.h"
#include "cache/policies/window.h"
#include "core/error.h"

namespace attnlab {
namespace {

using testing::ElementsAre;

Lane tova_lane(LaneOptions options) {
  const int64_t size = options.size;
  return Lane(std::move(options), {}, TovaOptions().build({.size = size}));
}

/// Lets `n` tokens arrive in slots 0, 1, …, and drops nothing until the last has.
void fill(Lane& lane, int64_t n, const std::vector<int64_t>& ids = {}) {
  lane.open(n);
  lane.begin(n, DropAt::end_of_call);
  const std::vector<double> even(n, 1.0);
  for (int64_t t = 0; t < n; ++t) {
    lane.arrive(lane.take(), {.column = t, .id = ids.empty() ? 0 : ids[t]});
    if (t + 1 < n) lane.decide(std::span(even));
  }
}

std::vector<int64_t> kept_after(Lane& lane, const std::vector<double>& weights) {
  lane.decide(std::span(weights));
  std::vector<int64_t> kept;
  for (const int64_t order : lane.order())
    if (order >= 0) kept.push_back(order);
  return kept;
}

TEST(Lane, KeepsWhatTheWorkedExamplesKeep) {
  Lane first = tova_lane({.size = 3}), second = tova_lane({.size = 3});
  fill(first, 5);
  EXPECT_THAT(kept_after(first, {.2, .1, .4, .15, .35}), ElementsAre(0, 2, 4));
  fill(second, 5);
  EXPECT_THAT(kept_after(second, {.3, .1, .25, .05, .3}), ElementsAre(0, 2, 4));
}

TEST(Lane, DropsTheOldestOfEquals) {
  Lane lane = tova_lane({.size = 3});
  fill(lane, 5);
  EXPECT_THAT(kept_after(lane, {.3, .1, .1, .1, .4}), ElementsAre(0, 3, 4));
}

TEST(Lane, DropsTheOldestOfEqualsWhereverItsSlotIs) {
  Lane lane = tova_lane({.size = 3});
  fill(lane, 4);
  EXPECT_THAT(kept_after(lane, {.1, .3, .3, .3}), ElementsAre(1, 2, 3));  // slot 0 is free
  lane.recycle();
  lane.begin(1, DropAt::every_token);
  lane.arrive(lane.take(), {.column = 4});
  EXPECT_THAT(lane.order(), ElementsAre(4, 1, 2, 3));  // the newest sits before the oldest
  EXPECT_THAT(kept_after(lane, {.25, .25, .25, .25}), ElementsAre(4, 2, 3));
}

TEST(Lane, CanDropTheNewest) {
  Lane lane = tova_lane({.size = 3});
  fill(lane, 4);
  EXPECT_THAT(kept_after(lane, {.3, .3, .3, .1}), ElementsAre(0, 1, 2));
}

TEST(Lane, NeverDropsTheFirstStatesOrChosenTokens) {
  Lane lane = tova_lane({.size = 3, .protect_first = 1, .protected_ids = {46}});
  fill(lane, 5, {1, 46, 2, 3, 4});
  EXPECT_THAT(kept_after(lane, {.0, .0, .4, .3, .3}), ElementsAre(0, 1, 2));
}

TEST(Lane, SaysSoWhenProtectedTokensLeaveNothingToDrop) {
  Lane lane = tova_lane({.size = 2, .protected_ids = {46}});
  fill(lane, 3, {46, 46, 46});
  try {
    kept_after(lane, {.3, .3, .4});
    FAIL() << "three protected tokens in two places";
  } catch (const UserError& error) {
    EXPECT_STREQ(
        error.what(),
        "the text has more protected tokens than the 2 states that a layer keeps: raise the cache's size "
        "or protect less");
  }
}

TEST(Lane, DropsTheOldestWhereWeightsAreNoNumbers) {
  Lane lane = tova_lane({.size = 3});
  fill(lane, 4);
  EXPECT_THAT(kept_after(lane, std::vector<double>(4, std::nan(""))), ElementsAre(1, 2, 3));
}

TEST(Lane, RecordsTheColumnOfTheLastTokenThatSawAState) {
  Lane lane({.size = 2}, {}, WindowOptions().build({.size = 2}));
  lane.open(3);
  const std::vector<double> weights(3, 0.3);
  for (const int64_t column : {1, 2, 4, 5}) {  // columns 0 and 3 are padding
    lane.begin(1, DropAt::every_token);
    lane.arrive(lane.take(), {.column = column});
    lane.decide(std::span(weights));
    lane.recycle();
  }
  EXPECT_THAT(lane.expiry(), ElementsAre(Lane::padding, 4, 5, Lane::padding, Lane::kept, Lane::kept));
}

TEST(Lane, MovesStatesIntoFewerSlots) {
  Lane lane = tova_lane({.size = 2});
  fill(lane, 4);
  EXPECT_THAT(kept_after(lane, {.1, .3, .2, .4}), ElementsAre(1, 3));
  std::vector<std::pair<int64_t, int64_t>> moves;
  lane.compact(3, [&](int64_t from, int64_t to) { moves.emplace_back(from, to); });
  EXPECT_THAT(moves, ElementsAre(testing::Pair(3, 0)));
  EXPECT_THAT(lane.order(), ElementsAre(3, 1, -1));
  EXPECT_EQ(lane.take(), 2);
}

}  // namespace
}  // namespace attnlab
