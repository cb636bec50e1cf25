#include "data/subset.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "data/temporary.h"

namespace attnlab {
namespace {

using testing::InMemory;

/// 30 examples of class 0, 10 of class 1, 1 of class 2.
InMemory uneven() {
  std::vector<int32_t> labels(41, 0);
  std::fill(labels.begin() + 30, labels.end(), 1);
  labels.back() = 2;
  return InMemory(std::vector<std::vector<uint8_t>>(41), labels);
}

int64_t count(const LabelledSequences& data, const std::vector<int64_t>& indices, int32_t label) {
  return std::count_if(indices.begin(), indices.end(), [&](int64_t i) { return data.label(i) == label; });
}

TEST(BalancedOrder, TakesClassesInTurnUntilOneRunsOut) {
  const InMemory data = uneven();
  auto order = balanced_order(data, 0);
  const std::vector<int64_t> head(order.begin(), order.begin() + 9);
  EXPECT_EQ(count(data, head, 0), 4);
  EXPECT_EQ(count(data, head, 1), 4);
  EXPECT_EQ(count(data, head, 2), 1);
  std::sort(order.begin(), order.end());
  for (int64_t i = 0; i < 41; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(HoldOut, TakesTheSameShareOfEveryClass) {
  const InMemory data = uneven();
  const auto parts = hold_out(data, balanced_order(data, 0), 0.2);
  EXPECT_EQ(count(data, parts.held, 0), 6);
  EXPECT_EQ(count(data, parts.held, 1), 2);
  EXPECT_EQ(count(data, parts.held, 2), 0);
  EXPECT_EQ(parts.held.size() + parts.rest.size(), 41u);
}

TEST(Select, ShowsTheChosenExamplesInTheirOrder) {
  const auto data = std::make_shared<InMemory>(std::vector<std::vector<uint8_t>>{{1}, {2}, {3}},
                                               std::vector<int32_t>{0, 1, 2});
  const auto two = select(data, {2, 0});
  EXPECT_EQ(two->size(), 2);
  EXPECT_EQ(two->symbols(0)[0], 3);
  EXPECT_EQ(two->label(1), 0);
  EXPECT_EQ(two->id(0), "example/2");
}

}  // namespace
}  // namespace attnlab
