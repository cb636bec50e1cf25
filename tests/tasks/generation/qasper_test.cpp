// QASPER's words and measure.
#include "tasks/generation/benchmarks/qasper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

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
