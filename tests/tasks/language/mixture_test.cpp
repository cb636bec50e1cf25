// Two tasks in one training: which micro-batch is of which, what is learned of an answer, what training does
// with it.
#include "tasks/language/mixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/experiment.h"
#include "data/tokenizer.h"
#include "tasks/generation/benchmarks/squality.h"
#include "tasks/language/answer_texts.h"
#include "tasks/language/train_lm_task.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using Ids = std::vector<int64_t>;

TEST(TaskDraws, AreAFunctionOfTheMicroBatchAlone) {
  TaskDraws in_order({3, 1}, 7), second_rank({3, 1}, 7), resumed({3, 1}, 7), other({3, 1}, 8);
  int64_t text = 0, answers = 0, differ = 0;
  for (int64_t m = 0; m < 4000; ++m) {
    const TaskDraws::Draw draw = in_order.draw(m);
    EXPECT_EQ(draw.batch, draw.task == 0 ? text++ : answers++) << m;
    if (m % 2 == 1) {
      EXPECT_EQ(second_rank.draw(m).task, draw.task);
      EXPECT_EQ(second_rank.draw(m).batch, draw.batch);
    }
    if (m == 1999) {
      EXPECT_EQ(resumed.draw(m).batch, draw.batch);
    }
    differ += other.draw(m).task != draw.task;
  }
  EXPECT_EQ(in_order.draw(5).batch, TaskDraws({3, 1}, 7).draw(5).batch) << "and back";
  // Five standard deviations of a binomial of 4,000 draws: 137.
  EXPECT_NEAR(static_cast<double>(answers), 1000, 137);
  EXPECT_NEAR(static_cast<double>(differ), 4000 * 2 * 0.75 * 0.25, 150);
}

TEST(TaskDraws, OfOneTaskAreItsBatchesInOrder) {
  for (int64_t m : {0, 1, 17, 300}) {
    EXPECT_EQ(TaskDraws({2, 0}, 1).draw(m).task, 0U);
    EXPECT_EQ(TaskDraws({2, 0}, 1).draw(m).batch, m);
    EXPECT_EQ(TaskDraws({0, 2}, 1).draw(m).task, 1U);
    EXPECT_EQ(TaskDraws({0, 2}, 1).draw(m).batch, m);
  }
}

/// Training with the story's texts and with questions about it, in a context that holds both.
class MixtureTask : public TrainLmTask {
 protected:
  MixtureTask() {
    const std::string story = content(ATTNLAB_SOURCE_DIR "/tests/golden/story.txt").substr(0, 400);
    put("train", {{"1",
                   story,
                   {"Who saw it?", "Where?"},
                   {{"The little dog did.", "A big brown dog."}, {"In the park."}}},
                  {"2", "Once there was a girl.", {"Who?"}, {{"A girl.", "She."}}}});
    put("dev", {{"3", "He went home and was happy.", {"How was he?"}, {{"Happy.", "He was happy."}}}});
    options.model.max_positions = options.context = 192;
    options.batch_size = 2;
    options.mixes = true;
    dynamic_cast<SqualityOptions&>(*options.mixture.questions).split = Split::train;
    options.train.updates = 30;
    options.train.evaluate_with = EvaluateWith::last;
  }

  struct Told {
    std::string id, text;
    std::vector<std::string> questions;
    std::vector<std::vector<std::string>> answers;
  };
  void put(const std::string& split, const std::vector<Told>& documents) const {
    std::string lines;
    for (const Told& one : documents) {
      nlohmann::json line = {{"metadata", {{"passage_id", one.id}}}, {"document", one.text}};
      for (size_t q = 0; q < one.questions.size(); ++q) {
        nlohmann::json question = {{"question_text", one.questions[q]}, {"question_number", q + 1}};
        for (const std::string& answer : one.answers[q])
          question["responses"].push_back({{"response_text", answer}});
        line["questions"].push_back(question);
      }
      lines += line.dump() + "\n";
    }
    write("data/squality/squality_v1-3_" + split + ".jsonl", lines);
  }
  AnswerTexts texts(int64_t context) const {
    return {options.mixture.questions.share(), {folder / "data", {}}, tokenizer, true, context};
  }
  /// As tova.md has it.
  static std::string asked(const std::string& document, const std::string& question) {
    return document + "\nAnswer the question in a paragraph.\nQuestion:\n" + question + "\nAnswer:";
  }

  /// Of the tokenizer that a run trained, EOS counted.
  int64_t answer_tokens(const std::string& answer) const {
    return std::ssize(Tokenizer::open(folder / "run/model").encode(answer, false)) + 1;
  }

  const Tokenizer tokenizer = Tokenizer::open(ATTNLAB_SOURCE_DIR "/tests/golden/small_tokenizer.model");
};

TEST_F(MixtureTask, AnAnswerFollowsItsPromptAndIsAllThatIsLearned) {
  const AnswerTexts all = texts(192);
  ASSERT_EQ(all.size(), 5);
  const std::vector<std::pair<int64_t, std::string>> order = {// the first answers of all questions first
                                                              {0, "The little dog did."},
                                                              {0, "In the park."},
                                                              {1, "A girl."},
                                                              {0, "A big brown dog."},
                                                              {1, "She."}};
  for (int64_t i = 0; i < 5; ++i) {
    const auto& [document, answer] = order[static_cast<size_t>(i)];
    EXPECT_EQ(all.document(i), document);
    const AnswerTexts::Text& text = all.text(i);
    Ids learned(text.ids.end() - text.learned, text.ids.end());
    EXPECT_EQ(learned.back(), *tokenizer.eos_id());
    learned.pop_back();
    EXPECT_EQ(tokenizer.decode(learned), answer);
  }
  const std::string prompt = asked("Once there was a girl.", "Who?");
  Ids whole = tokenizer.encode(prompt + " A girl.", true);
  EXPECT_EQ(all.text(2).learned,
            static_cast<int64_t>(whole.size() - tokenizer.encode(prompt, true).size() + 1));
  whole.push_back(*tokenizer.eos_id());
  EXPECT_EQ(all.text(2).ids, whole);
}

TEST_F(MixtureTask, ADocumentLosesItsEndSoThatPromptAndAnswerFit) {
  const AnswerTexts whole = texts(1000), cut = texts(130);
  const AnswerTexts::Text &long_one = whole.text(0), &text = cut.text(0);
  ASSERT_GT(long_one.ids.size(), 131U);
  EXPECT_LE(text.ids.size(), 131U);
  EXPECT_GE(text.ids.size(), 128U) << "as much as fits";
  EXPECT_EQ(text.learned, long_one.learned);
  const std::string said = tokenizer.decode(text.ids);
  EXPECT_EQ(said.substr(0, 20), tokenizer.decode(long_one.ids).substr(0, 20));
  EXPECT_THAT(said, testing::EndsWith(asked("", "Who saw it?") + " The little dog did."));
}

TEST_F(MixtureTask, AnAnswerWithoutRoomForItsDocumentIsRefused) {
  EXPECT_NO_THROW(texts(100));
  options.context = options.model.max_positions = 40;
  EXPECT_THAT(refusal("run"),
              AllOf(HasSubstr("context: question '1-1' of"), HasSubstr("train.jsonl with answer 1"),
                    HasSubstr("and with a length of 40 none of it is left")));
}

TEST_F(MixtureTask, AnswersAboveTheLongestAreLeftOut) {
  const AnswerTexts all = texts(192);
  const int64_t shortest = all.text(4).learned - 1;  // "She.", without EOS
  ASSERT_LT(shortest + 1, all.text(3).learned);
  const AnswerTexts few(options.mixture.questions.share(), {folder / "data", {}}, tokenizer, true, 192,
                        shortest);
  ASSERT_EQ(few.size(), 1);
  EXPECT_EQ(few.text(0).ids, all.text(4).ids);
  options.mixture.longest_answer = 1;
  EXPECT_THAT(refusal("run"), HasSubstr("mixture.longest_answer: all answers of"));
}

TEST_F(MixtureTask, AQuestionWithoutAnswersIsRefusedWithItsLine) {
  put("train", {{"1", "A story.", {"Who?"}, {{"He."}}}, {"2", "Another.", {"Who?"}, {{}}}});
  EXPECT_THAT(refusal("run"), HasSubstr("train.jsonl:2: question '2-1' has no reference answer"));
}

TEST_F(MixtureTask, TooFewAnswersForABatchAreRefused) {
  options.batch_size = 6;
  options.context = options.model.max_positions = 96;
  EXPECT_THAT(refusal("run"), HasSubstr("mixture.questions: 5 answers are too few for one batch of 6"));
}

/// −log p of each learned token by reading what stands before it, alone.
double token_by_token(Decoder& decoder, const AnswerTexts::Text& text) {
  const torch::NoGradGuard no_grad;
  double sum = 0;
  for (size_t i = text.ids.size() - static_cast<size_t>(text.learned); i < text.ids.size(); ++i) {
    const Ids before(text.ids.begin(), text.ids.begin() + static_cast<std::ptrdiff_t>(i));
    const torch::Tensor hidden = decoder->forward_training(torch::tensor(before).unsqueeze(0));
    sum -=
        torch::log_softmax(decoder->logits(hidden)[0][-1].to(torch::kDouble), 0)[text.ids[i]].item<double>();
  }
  return sum;
}

TEST_F(MixtureTask, ItsLossIsThatOfTheAnswersTokensWhateverFillsABatchUp) {
  torch::manual_seed(3);
  DecoderOptions sizes = options.model;
  sizes.vocabulary = tokenizer.size();
  Decoder decoder(sizes, torch::kDouble);
  const AnswerTexts all = texts(192);
  const AnswerTexts::Text &a = all.text(0), &b = all.text(2);
  ASSERT_GT(a.ids.size(), b.ids.size() + 40);
  const LearnedTokens batch = ends_learned({a.ids, b.ids}, {a.learned, b.learned});
  EXPECT_EQ(batch.read, std::ssize(a.ids) + std::ssize(b.ids) - 2);
  const auto tokens = static_cast<double>(a.learned + b.learned);
  const double reference = (token_by_token(decoder, a) + token_by_token(decoder, b)) / tokens;
  const PolicyTraining nothing_dropped;
  const LmLosses losses(decoder, nothing_dropped, 1);
  // Losses are computed in fp32.
  EXPECT_NEAR(losses.training(batch, 0).item<double>(), reference, 1e-5 * reference);
  EXPECT_NEAR(losses.validation(batch).nll, reference, 1e-6 * reference);
}

TEST_F(MixtureTask, LearnsBothAndReportsEachByName) {
  const MemoryRecord record = run("run");
  const auto& curve = record.tables.at("/eval/validation_curve");
  ASSERT_EQ(curve.size(), 3U);
  const auto value = [&](size_t row, size_t column) { return std::get<double>(curve[row][column]); };
  EXPECT_LT(value(2, 7), 0.7 * value(0, 7)) << "text";
  EXPECT_LT(value(2, 8), 0.7 * value(0, 8)) << "answers";
  for (size_t row = 0; row < 3; ++row)
    EXPECT_NEAR(value(row, 1), std::sqrt(value(row, 7) * value(row, 8)), 1e-9 * value(row, 1));
  EXPECT_EQ(record.summaries.at("perplexity_validation").value, value(2, 1));
  EXPECT_EQ(record.summaries.at("perplexity_text").value, value(2, 7));
  EXPECT_EQ(record.summaries.at("perplexity_answers").value, value(2, 8));
  EXPECT_EQ(record.summaries.at("perplexity_answers").n,
            answer_tokens("Happy.") + answer_tokens("He was happy."));
  const auto& answered = record.tables.at("/eval/answers");
  ASSERT_EQ(answered.size(), 1U) << "one story";
  EXPECT_EQ(std::get<std::string>(answered[0][0]), "3");
  EXPECT_EQ(std::get<int64_t>(answered[0][1]), record.summaries.at("perplexity_answers").n);
  EXPECT_NEAR(
      std::exp(std::get<double>(answered[0][2]) / static_cast<double>(std::get<int64_t>(answered[0][1]))),
      record.summaries.at("perplexity_answers").value, 1e-9);
  EXPECT_EQ(record.attributes.count("held_out_questions_checksum"), 1U);
  for (const Headline& figure : options.headlines())
    EXPECT_EQ(record.summaries.count(figure.name), 1U) << figure.name;
}

TEST_F(MixtureTask, AMicroBatchCountsByItsAnswersTokensOnlyWhereThereIsNoText) {
  const AnswerTexts all = texts(192);
  AnswerBatches answers(all, 2, 1), text(all, 2, 1);  // what is drawn does not matter here
  const LearnedTokens batch = ends_learned({all.text(0).ids}, {all.text(0).learned});
  EXPECT_EQ(MixedTasks({0, 1}, text, &answers, 1).weight_of(batch), all.text(0).learned);
  EXPECT_EQ(MixedTasks({1, 3}, text, &answers, 1).weight_of(batch), 1);
  EXPECT_EQ(MixedTasks({1, 0}, text, nullptr, 1).weight_of(batch), 1);
}

/// Of answers alone, the tokens of all count alike: accumulated one by one as in a batch of two.
TEST_F(MixtureTask, AccumulatedAnswersCountByTheirTokens) {
  options.mixture.text = 0;
  options.train.updates = options.train.log_interval = 1;
  const auto first_loss = [&](const std::string& name, int64_t batch, int64_t accumulate) {
    options.batch_size = batch;
    options.train.accumulate = accumulate;
    return std::get<double>(run(name).tables.at("/train").at(0).at(1));
  };
  const double parts = first_loss("parts", 1, 2);
  EXPECT_NEAR(first_loss("whole", 2, 1), parts, 1e-5 * parts);
}

TEST_F(MixtureTask, OfWeightZeroValidatesATaskAndLearnsTheOtherAlone) {
  options.train.updates = 12;
  options.mixture.answers = 0;
  const MemoryRecord zero = run("zero");
  EXPECT_EQ(zero.summaries.at("perplexity_validation").value, zero.summaries.at("perplexity_text").value);
  EXPECT_GT(zero.summaries.at("perplexity_answers").value, 1);
  options.mixes = false;
  run("none");
  EXPECT_EQ(weights("zero"), weights("none"));
  options.mixes = true;
  options.mixture.answers = 1;
  run("both");
  EXPECT_NE(weights("both"), weights("none"));
}

TEST_F(MixtureTask, ResumesToTheSameBitsWithAccumulation) {
  options.train.accumulate = 3;
  options.train.updates = 12;
  options.train.checkpoint_interval = 5;
  options.train.checkpoint_seconds = 0;
  const MemoryRecord whole = run("whole");
  run_cut("cut", {7, 4});
  FileRecord record = record_of("cut");
  EXPECT_GT(record.rows("/train"), 4);
  options.run(context("cut"), record);
  EXPECT_EQ(weights("cut"), weights("whole"));
  EXPECT_EQ(record.summary.at("perplexity_answers").value, whole.summaries.at("perplexity_answers").value);
}

class MixtureOptionsFile : public MixtureTask {
 protected:
  std::string refused(const std::string& mixture) const {
    return refused_as("bad.yaml", "name: bad\ncontext: 64\nmixture: " + mixture + "\n");
  }
};

TEST_F(MixtureOptionsFile, AreRefusedInASentenceWithFileLineAndKey) {
  const std::string fine = "questions: {type: squality, split: train}";
  EXPECT_EQ(refused("{text: 3, answers: 1, " + fine + "}"), "");
  EXPECT_EQ(refused("none"), "");
  EXPECT_THAT(refused("{text: 0, answers: 0, " + fine + "}"),
              AllOf(HasSubstr("bad.yaml:3: mixture.text: is 0, and so is `answers`")));
  EXPECT_THAT(refused("{text: 1, answers: -1, " + fine + "}"), HasSubstr("bad.yaml:3: mixture.answers"));
  EXPECT_THAT(refused("{poems: 1, " + fine + "}"), AllOf(HasSubstr("bad.yaml:3: "), HasSubstr("poems")));
  EXPECT_THAT(refused("{questions: {type: poems}}"),
              AllOf(HasSubstr("bad.yaml:3: mixture.questions"), HasSubstr("poems")));
  for (const char* same :
       {"{questions: {type: squality, split: train}, held_out: {type: squality, split: train, prompt: "
        "zeroscrolls}}",
        "{questions: {type: ruler, samples: 10}, held_out: {type: ruler, samples: 12}}"})
    EXPECT_THAT(refused(same), HasSubstr("bad.yaml:3: mixture: holds out the questions that it trains on"))
        << same;
  EXPECT_THAT(refused("{text: 1}"),
              HasSubstr("bad.yaml:3: mixture: holds out the questions that it trains on"));
}

}  // namespace
}  // namespace attnlab
