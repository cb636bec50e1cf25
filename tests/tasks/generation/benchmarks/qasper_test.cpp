// QASPER's words and measure.
#include "tasks/generation/benchmarks/qasper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

namespace attnlab {
namespace {

using testing::HasSubstr;

TEST(Qasper, TakesTheTypeOfTheReferenceThatWins) {
  const QasperOptions qasper;
  const Question question{
      "q",
      "Which corpus?",
      {{"the IMDB corpus", "extractive"}, {"IMDB reviews", "abstractive"}, {"Unanswerable", "none"}}};
  const auto scores = [&](const char* answer) { return qasper.score(question, answer); };
  EXPECT_DOUBLE_EQ(scores("reviews of IMDB")[0], 0.8);  // 2 of 3 words, 2 of 2
  EXPECT_DOUBLE_EQ(scores("reviews of IMDB")[2], 0.8);
  EXPECT_TRUE(std::isnan(scores("reviews of IMDB")[1]));
  EXPECT_DOUBLE_EQ(scores("unanswerable")[4], 1.0);
  EXPECT_DOUBLE_EQ(scores("nothing of it")[1], 0.0) << "of equals the first reference wins";
  EXPECT_EQ(scores("x").size(), qasper.scores().size());
  EXPECT_EQ(qasper.figures().size(), qasper.scores().size());
}

TEST(Qasper, MeansOverQuestionsAreTheOfficialEvaluators) {
  const auto golden = nlohmann::json::parse(std::ifstream(ATTNLAB_SOURCE_DIR "/tests/golden/token_f1.json"));
  const QasperOptions qasper;
  const std::vector<Headline> figures = qasper.figures();
  std::vector<double> sums(figures.size()), counts(figures.size());
  for (const auto& one : golden["questions"]) {
    Question question{"q", "?", {}};
    for (const auto& reference : one[1]) question.references.push_back({reference[0], reference[1]});
    const std::vector<double> scores = qasper.score(question, one[0]);
    for (std::size_t i = 0; i < scores.size(); ++i)
      if (!std::isnan(scores[i])) sums[i] += scores[i], ++counts[i];
  }
  EXPECT_EQ(counts[0], 300);
  EXPECT_NEAR(sums[0] / counts[0], golden["mean"].get<double>(), 1e-9);
  for (std::size_t i = 1; i < figures.size(); ++i)
    EXPECT_NEAR(sums[i] / counts[i], golden["by_type"][figures[i].name.substr(3)].get<double>(), 1e-9)
        << figures[i].name;
}

TEST(Qasper, AsksInTheWordsOfEachCustom) {
  QasperOptions qasper;
  const Question question{"q", "Which corpus?", {{"x"}}};
  EXPECT_THAT(qasper.frame(question).after, HasSubstr("write “unanswerable”"));
  EXPECT_EQ(qasper.cut(), Cut::end);
  qasper.prompt = QasperPrompt::longbench;
  EXPECT_EQ(qasper.cut(), Cut::middle);
  // data: config/dataset2prompt.json of THUDM/LongBench
  EXPECT_EQ(
      qasper.frame(question).before,
      "You are given a scientific article and a question. Answer the question as concisely as you can, "
      "using a single phrase or sentence if possible. If the question cannot be answered based on the "
      "information in the article, write \"unanswerable\". If the question is a yes/no question, answer "
      "\"yes\", \"no\", or \"unanswerable\". Do not provide any explanation.\n\nArticle: ");
  EXPECT_EQ(qasper.frame(question).after,
            "\n\n Answer the question based on the above article as concisely as you can, using a single "
            "phrase or sentence if possible. If the question cannot be answered based on the information in "
            "the article, write \"unanswerable\". If the question is a yes/no question, answer \"yes\", "
            "\"no\", or \"unanswerable\". Do not provide any explanation.\n\nQuestion: Which "
            "corpus?\n\nAnswer:");
}

}  // namespace
}  // namespace attnlab
