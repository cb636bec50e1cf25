// Token F1 against the rules of QASPER's official evaluator in Python (tests/golden/make_token_f1.py).
#include "metrics/token_f1.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace attnlab {
namespace {

const nlohmann::json& golden_f1() {
  static const auto all =
      nlohmann::json::parse(std::ifstream(ATTNLAB_SOURCE_DIR "/tests/golden/token_f1.json"));
  return all;
}

TEST(TokenF1, WordsAreThoseOfTheReference) {
  for (const auto& one : golden_f1()["tokens"])
    EXPECT_EQ(squad_tokens(one[0].get<std::string>()), one[1].get<std::vector<std::string>>()) << one;
}

TEST(TokenF1, EqualsTheReference) {
  for (const auto& one : golden_f1()["f1"])
    EXPECT_NEAR(token_f1(one[0].get<std::string>(), one[1].get<std::string>()), one[2].get<double>(), 1e-8)
        << one;
}

TEST(TokenF1, TheBestReferenceCounts) {
  const std::vector<std::string> references{"dog", "the cat sat", "A cat"};
  EXPECT_EQ(best_token_f1("cat", references), 1.0);
  EXPECT_EQ(best_token_f1("horse", references), 0.0);
}

TEST(TokenF1, StrayBytesAreReadAsOneCharacterEach) {
  EXPECT_EQ(squad_tokens("caf\xe9 \xff"), (std::vector<std::string>{"caf\uFFFD", "\uFFFD"}));
}

}  // namespace
}  // namespace attnlab
