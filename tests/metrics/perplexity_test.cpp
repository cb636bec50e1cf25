// Perplexities against numpy, their standard errors against the bootstrap (tests/golden/make_perplexity.py).
#include "metrics/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/files.h"

namespace attnlab {
namespace {

using Json = nlohmann::json;

class Golden : public ::testing::Test {
 protected:
  Golden() {
    golden = Json::parse(read_file(ATTNLAB_SOURCE_DIR "/tests/golden/perplexity.json"));
    for (const Json& d : golden.at("documents"))
      documents.push_back({d.at("tokens"), d.at("bytes"), d.at("words"), d.at("nll")});
  }
  void expect(const DocumentFigure& figure, const char* name) const {
    const double value = golden.at("figures").at(name),
                 error = golden.at("bootstrap_standard_errors").at(name);
    EXPECT_NEAR(figure.value, value, 1e-12 * value) << name;
    EXPECT_NEAR(figure.standard_error, error, 0.05 * error) << name;
    EXPECT_EQ(figure.n, static_cast<int64_t>(documents.size())) << name;
  }
  Json golden;
  std::vector<DocumentScore> documents;
};

TEST_F(Golden, Perplexities) {
  expect(pooled_perplexity(documents), "pooled");
  expect(mean_document_perplexity(documents), "mean_document");
  expect(word_perplexity(documents), "word");
  expect(bits_per_byte(documents), "bits_per_byte");
}

/// A uniform guess among V tokens has perplexity V, whatever the averaging.
TEST(Perplexity, OfAUniformGuess) {
  const double nll = std::log(32000.0);
  const DocumentScore documents[] = {{10, 40, 8, 10 * nll}, {1000, 4000, 800, 1000 * nll}};
  EXPECT_NEAR(pooled_perplexity(documents).value, 32000, 1e-6);
  EXPECT_NEAR(mean_document_perplexity(documents).value, 32000, 1e-6);
  EXPECT_NEAR(word_perplexity(documents).value, std::pow(32000, 1.25), 1e-3);
  EXPECT_NEAR(bits_per_byte(documents).value, std::log2(32000.0) / 4, 1e-12);
  EXPECT_NEAR(pooled_perplexity(documents).standard_error, 0, 1e-6);
}

TEST(Perplexity, OfOneDocumentHasNoError) {
  const DocumentScore one[] = {{2, 0, 0, 2.0}};
  EXPECT_DOUBLE_EQ(pooled_perplexity(one).value, std::exp(1.0));
  EXPECT_TRUE(std::isnan(pooled_perplexity(one).standard_error));
}

TEST(Perplexity, OfNothingIsNotANumber) {
  EXPECT_TRUE(std::isnan(pooled_perplexity({}).value));
  EXPECT_TRUE(std::isnan(mean_document_perplexity({}).value));
  const DocumentScore ids_alone[] = {{2, 0, 0, 2.0}, {3, 0, 0, 2.0}};
  EXPECT_TRUE(std::isnan(word_perplexity(ids_alone).value));
  EXPECT_TRUE(std::isnan(bits_per_byte(ids_alone).value));
}

TEST(Perplexity, LeavesDocumentsWithoutScoredTokensOutOfTheMean) {
  const DocumentScore documents[] = {{2, 0, 0, 2.0}, {0, 0, 0, 0.0}};
  EXPECT_DOUBLE_EQ(mean_document_perplexity(documents).value, std::exp(1.0));
  EXPECT_EQ(mean_document_perplexity(documents).n, 1);
}

TEST(PositionCurve, SumsInRangesOfEqualWidth) {
  PositionCurve curve(10, 4);  // 0–2, 3–5, 6–8, 9
  ASSERT_EQ(curve.ranges().size(), 4U);
  EXPECT_EQ(curve.ranges()[2].first, 6);
  EXPECT_EQ(curve.ranges()[3].last, 9);
  curve.add(3, 0.5);
  curve.add(5, 1.0);
  curve.add(9, 2.0);
  PositionCurve other(10, 4);
  other.add(9, 4.0);
  curve.add(other);
  EXPECT_EQ(curve.ranges()[1].tokens, 2);
  EXPECT_DOUBLE_EQ(curve.ranges()[1].nll, 1.5);
  EXPECT_EQ(curve.ranges()[3].tokens, 2);
  EXPECT_DOUBLE_EQ(curve.ranges()[3].nll, 6.0);
  EXPECT_EQ(curve.ranges()[0].tokens, 0);
}

TEST(PositionCurve, HasNoMoreRangesThanPositions) { EXPECT_EQ(PositionCurve(3, 64).ranges().size(), 3U); }

}  // namespace
}  // namespace attnlab
