// SQuALITY's words and measures.
#include "tasks/generation/benchmarks/squality.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "metrics/statistics.h"

namespace attnlab {
namespace {

Question asked(std::vector<std::string> references) {
  Question question{"q", "What is the plot?", {}};
  for (auto& text : references) question.references.push_back({std::move(text)});
  return question;
}

double mean_of(const ScoreRows& rows, std::size_t column) {
  double sum = 0;
  for (const auto& row : rows) sum += row[column];
  return sum / static_cast<double>(rows.size());
}

/// The example of ZeroSCROLLS's metrics, with the figures that its rouge_score gives.
TEST(Squality, HasTheFiguresOfZeroScrollsOwnExample) {
  const SqualityOptions squality;
  const ScoreRows scores{squality.score(asked({"exact match example"}), "exact match example"),
                         squality.score(asked({"hello", "hi there"}), "hello there"),
                         squality.score(asked({"commander kenobi"}), "general kenobi")};
  const ScoreRows shares = squality.shares(scores);
  const std::vector<Headline> figures = squality.figures();
  EXPECT_EQ(figures[0].name, "rouge_geometric_mean");
  EXPECT_NEAR(100 * mean_of(shares, 0), 55.8136, 1e-4);
  EXPECT_NEAR(100 * mean_of(shares, 1), 72.2222, 1e-4);
  EXPECT_NEAR(100 * mean_of(shares, 2), 33.3333, 1e-4);
  EXPECT_NEAR(100 * mean_of(shares, 3), 72.2222, 1e-4);
  EXPECT_EQ(shares[0].size(), figures.size());
  EXPECT_EQ(scores[0].size(), squality.scores().size());
}

TEST(Squality, StemsInItsOwnCustomAlone) {
  const SqualityOptions squality;
  const std::vector<double> scores = squality.score(asked({"dogs were dying"}), "the dog died");
  EXPECT_EQ(scores[0], 0.0) << "no word is the same";
  EXPECT_GT(scores[3], 0.3) << "dog is the stem of dogs";
}

TEST(GeometricShares, HaveTheStandardErrorOfTheJackknife) {
  ScoreRows rows;
  for (int i = 0; i < 60; ++i)
    rows.push_back({0.3 + 0.1 * std::sin(i), 0.1 + 0.05 * std::cos(3 * i), 0.2 + 0.1 * std::sin(i + 1.0)});
  const auto geometric = [](const ScoreRows& of) {
    return std::cbrt(mean_of(of, 0) * mean_of(of, 1) * mean_of(of, 2));
  };
  const std::vector<double> shares = geometric_shares(rows, 0, 3);
  const Spread s = spread(shares);
  EXPECT_NEAR(s.mean, geometric(rows), 1e-12);
  std::vector<double> left_out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ScoreRows others = rows;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    left_out.push_back(geometric(others));
  }
  const Spread jackknife = spread(left_out);
  const auto n = static_cast<double>(rows.size());
  EXPECT_NEAR(s.standard_error, (n - 1) / std::sqrt(n) * jackknife.standard_deviation,
              0.02 * s.standard_error);
}

TEST(GeometricShares, AreZeroWhereAColumnIs) {
  EXPECT_EQ(geometric_shares({{0.5, 0.0, 0.5}, {0.1, 0.0, 0.2}}, 0, 3), (std::vector<double>{0.0, 0.0}));
}

TEST(Squality, AsksInThePapersWords) {
  SqualityOptions squality;
  const PromptFrame frame = squality.frame(asked({"x"}));
  EXPECT_EQ(frame.before, "");
  EXPECT_EQ(frame.after, "\nAnswer the question in a paragraph.\nQuestion:\nWhat is the plot?\nAnswer:");
  squality.prompt = SqualityPrompt::zeroscrolls;
  EXPECT_EQ(squality.frame(asked({"x"})).omitted, "... [The rest of the story is omitted]");
}

}  // namespace
}  // namespace attnlab
