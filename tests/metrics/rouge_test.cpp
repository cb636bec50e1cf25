// ROUGE and its stemmer against rouge_score and NLTK (tests/golden/make_rouge.py).
#include "metrics/rouge.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "metrics/porter_stemmer.h"

namespace attnlab {
namespace {

const nlohmann::json& golden_rouge() {
  static const auto all = nlohmann::json::parse(std::ifstream(ATTNLAB_SOURCE_DIR "/tests/golden/rouge.json"));
  return all;
}

TEST(Rouge, EqualsTheReference) {
  for (const auto& one : golden_rouge()["cases"])
    for (const bool stemmer : {false, true}) {
      const auto reference = one[0].get<std::string>(), prediction = one[1].get<std::string>();
      const RougeScores scores = rouge(reference, prediction, stemmer);
      const auto& expected = one[stemmer ? 3 : 2];
      for (std::size_t i = 0; i < scores.size(); ++i) {
        const double p = expected[2 * i].get<double>(), r = expected[2 * i + 1].get<double>();
        const std::string where = std::string(rouge_names[i]) + (stemmer ? " stemmed: " : ": ") + one.dump();
        EXPECT_NEAR(scores[i].precision, p, 1e-6) << where;
        EXPECT_NEAR(scores[i].recall, r, 1e-6) << where;
        EXPECT_NEAR(scores[i].f, p + r > 0 ? 2 * p * r / (p + r) : 0, 1e-6) << where;
      }
    }
}

TEST(Rouge, TakesTheBestReferenceOfEachKind) {
  const std::vector<std::string> references{"a b c d", "d c b a x", "a b"};
  const RougeScores best = best_rouge(references, "a b", false);
  EXPECT_EQ(best[0].f, 1.0);
  EXPECT_EQ(best[1].f, 1.0);
  const RougeScores alone = best_rouge(std::span(references).first(1), "a b", false);
  EXPECT_EQ(alone[0].recall, 0.5);
  // Of equals the first: precision and recall tell which one it was.
  const std::vector<std::string> equal{"a a", "a"};
  EXPECT_EQ(best_rouge(equal, "a a a", false)[0].recall, 1.0);
}

TEST(PorterStemmer, EqualsTheReference) {
  for (const auto& [word, stem] : golden_rouge()["stems"].items())
    EXPECT_EQ(porter_stem(word), stem.get<std::string>()) << word;
}

}  // namespace
}  // namespace attnlab
