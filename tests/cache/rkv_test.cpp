// R-KV's scores against the authors' formulas in plain Python (tests/golden/make_rkv.py), while states come
// to slots that others have left, and are moved.
#include "cache/policies/rkv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "cache/policies/key_redundancy.h"

namespace attnlab {
namespace {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

double dot(const Row& x, const Row& y) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

double cosine(const Row& x, const Row& y) { return dot(x, y) / std::sqrt(dot(x, x) * dot(y, y)); }

/// Slots of one head, filled and emptied as a lane does it.
class OneHead {
 public:
  OneHead(const nlohmann::json& golden, int64_t slots)
      : keys_(golden.at("keys").get<Rows>()), queries_(golden.at("queries").get<Rows>()), order_(slots, -1) {}

  int64_t tokens() const { return static_cast<int64_t>(keys_.size()); }
  int64_t slot_of(int64_t token) const { return std::ranges::find(order_, token) - order_.begin(); }
  void drop(int64_t token) { order_[slot_of(token)] = -1; }
  void move(Policy& policy, int64_t from, int64_t to) {
    policy.move(from, to);
    order_[to] = std::exchange(order_[from], -1);
  }
  std::span<const double> read(Policy& policy, int64_t token, int64_t slots) {
    order_.resize(slots, -1);
    const int64_t newest = slot_of(-1);
    order_[newest] = token;
    Row weights(slots), cosines(slots);
    double total = 0;
    for (int64_t s = 0; s < slots; ++s) {
      if (order_[s] < 0) continue;
      const Row& key = keys_[order_[s]];
      total += weights[s] = std::exp(dot(queries_[token], key) / std::sqrt(static_cast<double>(key.size())));
      cosines[s] = cosine(keys_[token], key);
    }
    for (double& w : weights) w /= total;
    return policy.scores({.time = token,
                          .newest = newest,
                          .live = slots - std::ranges::count(order_, -1),
                          .order = order_,
                          .weights = weights,
                          .figures = cosines});
  }

 private:
  Rows keys_, queries_;
  std::vector<int64_t> order_;
};

TEST(Rkv, ScoresAsTheAuthorsCodeDoes) {
  std::ifstream in(ATTNLAB_SOURCE_DIR "/tests/golden/rkv.json");
  const nlohmann::json golden = nlohmann::json::parse(in);
  RkvOptions options;
  options.lambda = golden.at("lambda");
  options.threshold = golden.at("threshold");
  options.window = golden.at("window");
  options.pool = golden.at("pool");
  const std::unique_ptr<Policy> policy = options.build({.size = 15});
  OneHead head(golden, 20);
  std::span<const double> scores;
  for (int64_t t = 0; t < head.tokens(); ++t) {
    scores = head.read(*policy, t, t < 14 ? 20 : 16);
    for (const auto& [after, token] : golden.at("gone").get<std::vector<std::pair<int64_t, int64_t>>>())
      if (after == t) head.drop(token);
    if (t == 13) {  // slots are given up; one state goes to where another has just left
      head.move(*policy, head.slot_of(13), head.slot_of(-1));
      policy->resize(16);
    }
  }
  const auto kept = golden.at("kept").get<std::vector<int64_t>>();
  const auto expected = golden.at("scores").get<Row>();
  ASSERT_EQ(expected.size() + options.window, kept.size());
  // Of the lengths that it divides by, that code adds 1e-8; cosines are kept with 24 bits of 1 − cosine.
  for (size_t i = 0; i < kept.size(); ++i) {
    const double score = scores[head.slot_of(kept[i])];
    EXPECT_NEAR(std::isinf(score) ? 0 : score, i < expected.size() ? expected[i] : 0, 1e-8) << kept[i];
    EXPECT_EQ(score == std::numeric_limits<double>::infinity(), i >= expected.size()) << kept[i];
  }
}

/// Random unit vectors of few directions: many are alike. What has come and gone must leave nothing behind.
TEST(KeyRedundancy, IsWhatTheKeysThatAreLeftSay) {
  constexpr int64_t slots = 24, tokens = 400;
  std::mt19937 numbers(3);
  const auto random = [&] { return std::uniform_real_distribution(-1.0, 1.0)(numbers); };
  KeyRedundancy keys(0.5);
  keys.resize(slots);
  Rows in_slot(slots);
  std::vector<int64_t> order(slots, -1);
  for (int64_t t = 0; t < tokens; ++t) {
    const int64_t slot = t < slots ? t : static_cast<int64_t>(numbers() % slots);
    in_slot[slot] = {random(), random(), random()};
    order[slot] = -1;
    keys.keep(order);
    Row cosines(slots);
    for (int64_t s = 0; s < slots; ++s)
      if (order[s] >= 0) cosines[s] = cosine(in_slot[slot], in_slot[s]);
    order[slot] = t;
    keys.arrive(slot, t, cosines);
  }
  KeyRedundancy anew(0.5);
  anew.resize(slots);
  for (const auto& [slot, time] : keys.by_age()) {
    Row cosines(slots);
    for (const auto& state : anew.by_age()) cosines[state.slot] = cosine(in_slot[slot], in_slot[state.slot]);
    anew.arrive(slot, time, cosines);
  }
  ASSERT_EQ(keys.by_age().size(), static_cast<size_t>(slots));
  for (int64_t s = 0; s < slots; ++s) EXPECT_NEAR(keys.redundancy()[s], anew.redundancy()[s], 1e-12);
}

}  // namespace
}  // namespace attnlab
