// Translation through the program: trained, stopped, scored, and used line by line.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "captions.h"
#include "core/random.h"
#include "results/reader.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class TranslateProgram : public testing::Test {
 protected:
  TranslateProgram() { write_captions(lab); }
  Finished run(Words more = {}) const {
    Words arguments{"run", "translate.yaml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return lab.attnlab(arguments);
  }
  fs::path folder() const { return lab.run_folder("translate"); }
  std::vector<nlohmann::json> predicted(const std::string& input) const {
    const Finished done = lab.attnlab({"predict", folder().string()}, input);
    std::istringstream lines(done.out);
    std::vector<nlohmann::json> all;
    for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
    return all;
  }
  Lab lab;
};

TEST_F(TranslateProgram, LearnsAndWritesWhatItFoundBesideTheReferences) {
  write_captions(lab, 1500);
  const Finished done = run({"train.updates=400", "train.validate_interval=100", "model.encoder.dim=32",
                             "train.evaluate_with=last", "training_bleu=shown"});
  ASSERT_EQ(done.status, 0) << done.err;
  const auto record = read_run(folder() / "run.h5");
  EXPECT_GT(record.summaries.at("bleu").value, 10) << "twelve words and their translations";
  EXPECT_LT(record.summaries.at("perplexity").value, 4);
  const auto rows = read_table(folder() / "run.h5", "/translations/test");
  EXPECT_EQ(rows.at("translation").size(), 8u);
  const auto bleu = read_table(folder() / "run.h5", "/eval/validation_curve").at("bleu");
  ASSERT_EQ(bleu.size(), 4u);
  const double last = record.summaries.at("bleu_validation").value;
  EXPECT_EQ(std::get<double>(bleu.back()), last) << "the same weights, the same search";
  EXPECT_THAT(done.out, HasSubstr(fmt::format(", bleu {:.4f}", last)));
}

TEST_F(TranslateProgram, ChoosesTheBestWeightsByBleu) {
  write_captions(lab, 1500);
  ASSERT_EQ(run({"train.updates=240", "train.validate_interval=20", "training_bleu=selects"}).status, 0);
  const auto record = read_run(folder() / "run.h5");
  const auto curve = read_table(folder() / "run.h5", "/eval/validation_curve");
  EXPECT_FALSE(curve.contains("bleu")) << "it is the value";
  double highest = -1;
  double its_update = 0;
  for (std::size_t i = 0; i < curve.at("value").size(); ++i) {
    const double value = std::get<double>(curve.at("value")[i]);
    EXPECT_EQ(std::get<int64_t>(curve.at("n")[i]), 8) << "sentences";
    EXPECT_EQ(std::get<int64_t>(curve.at("best")[i]), value > highest ? 1 : 0);
    if (value > highest) its_update = static_cast<double>(std::get<int64_t>(curve.at("step")[i]));
    highest = std::max(highest, value);
  }
  EXPECT_GT(highest, 0);
  EXPECT_EQ(record.summaries.at("best_update").value, its_update);
  EXPECT_EQ(record.summaries.at("bleu_validation").value, highest);
}

TEST_F(TranslateProgram, SignsItsBleuAsTheCommandThatScoresDoes) {
  ASSERT_EQ(run().status, 0);
  const auto rows = read_table(folder() / "run.h5", "/translations/test");
  for (const char* column : {"translation", "reference"}) {
    std::string lines;
    for (const Value& text : rows.at(column)) lines += std::get<std::string>(text) + "\n";
    lab.write(std::string(column) + ".txt", lines);
  }
  const auto told =
      nlohmann::json::parse(lab.attnlab({"score", "bleu", "translation.txt", "reference.txt"}).out);
  EXPECT_EQ(read_run(folder() / "run.h5").attribute<std::string>("bleu_signature"), told.at("signature"));
  EXPECT_THAT(told.at("signature").get<std::string>(), HasSubstr("(tested equal to sacreBLEU "));
}

TEST_F(TranslateProgram, KilledAtRandomMomentsEndsWithTheSameBits) {
  write_captions(lab, 1500);
  const Words longer{"train.updates=300", "train.validate_interval=50", "model.encoder.dim=32",
                     "training_bleu=shown"};
  Words undisturbed = longer;
  undisturbed.emplace_back("results_folder=undisturbed");
  ASSERT_EQ(run(undisturbed).status, 0);
  undisturbed.emplace_back("--fresh");
  ASSERT_EQ(run(undisturbed).status, 0) << "started over";
  Random random(7);
  Words command{"run", "translate.yaml"};
  command.insert(command.end(), longer.begin(), longer.end());
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto process = lab.start(command);
    ASSERT_TRUE(process->says("run ")) << process->finish().err;
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(900'000)));
    process->signal(SIGKILL);
    process->finish();
  }
  ASSERT_EQ(run(longer).status, 0);
  const fs::path other = fs::directory_iterator(lab.path() / "undisturbed" / "translate")->path();
  for (const auto& [table, column] : {std::pair{"/train", "loss"},
                                      {"/eval/validation_curve", "bleu"},
                                      {"/translations/test", "translation"}})
    EXPECT_EQ(read_table(other / "run.h5", table).at(column),
              read_table(folder() / "run.h5", table).at(column))
        << table;
  const auto bleu = read_table(other / "run.h5", "/eval/validation_curve").at("bleu");
  EXPECT_GT(std::get<double>(*std::max_element(bleu.begin(), bleu.end())), 0);
  const fs::path best = fs::path("checkpoint") / "best.safetensors";
  EXPECT_EQ(contents_of(other / best), contents_of(folder() / best));
}

TEST_F(TranslateProgram, AnswersEveryLineInItsPlace) {
  ASSERT_EQ(run().status, 0);
  std::string endless;
  for (int i = 0; i < 200; ++i) endless += "dog house ";
  const auto answers = predicted("two dog\n\n" + endless + "\n\xF0\x9F\x90\x95 日本語 \xE2\x80\xAE\nold man");
  ASSERT_EQ(answers.size(), 5u);
  for (std::size_t i = 0; i < answers.size(); ++i) EXPECT_EQ(answers[i].at("line"), i + 1);
  EXPECT_EQ(answers[1].at("text"), "");
  EXPECT_THAT(answers[2].at("error"), HasSubstr("longer than the model's 40 positions"));
  for (const std::size_t i : {0, 3, 4}) EXPECT_TRUE(answers[i].at("text").is_string()) << i;
  EXPECT_EQ(predicted("old man\n").at(0).at("text"), answers[4].at("text")) << "whatever stands beside it";
}

TEST_F(TranslateProgram, TranslatesASentenceOfOneWordWhateverStandsBesideIt) {
  ASSERT_EQ(run().status, 0);
  const auto alone = predicted("man\n"), beside = predicted("two old man sees green water\nman\n");
  ASSERT_EQ(alone.size(), 1u);
  EXPECT_TRUE(alone[0].at("text").is_string()) << alone[0];
  EXPECT_EQ(alone[0].at("text"), beside.at(1).at("text"));
}

TEST_F(TranslateProgram, RefusesWeightsOfAnotherVocabulary) {
  ASSERT_EQ(run().status, 0);
  const std::string trained = folder().string();
  write_captions(lab, 60);
  const Finished other =
      run({"init_from=" + trained, "results_folder=other", "data.vocabulary.coverage=0.99"});
  EXPECT_EQ(other.status, 2) << other.out;
  EXPECT_THAT(other.err, HasSubstr("was trained with another vocabulary than that of the data"));
}

TEST_F(TranslateProgram, RefusesUnequalLinesByTheirFiles) {
  lab.write("data/multi30k/val.de", "eins\n");
  const Finished done = run();
  EXPECT_EQ(done.status, 2);
  EXPECT_THAT(done.err, HasSubstr("val.de"));
}

TEST_F(TranslateProgram, RefusesASentenceLongerThanThePositionsBeforeItTrains) {
  std::string endless;
  for (int i = 0; i < 60; ++i) endless += "dog ";
  for (const auto& [part, language] : {std::pair{"test_2016_flickr", "en"}, {"val", "de"}}) {
    write_captions(lab);
    for (const char* each : {"en", "de"})
      lab.write(fmt::format("data/multi30k/{}.{}", part, each),
                "Hund\n" + (each == std::string(language) ? endless : "dog") + "\n");
    const Finished done = run();
    EXPECT_EQ(done.status, 2);
    EXPECT_THAT(done.err, HasSubstr(fmt::format("{}.{}: sentence 2 has ", part, language)));
    EXPECT_THAT(done.err, HasSubstr(" tokens, and the model's batching.max_positions is 40"));
    EXPECT_THAT(done.out + done.err, testing::Not(HasSubstr("update "))) << "before it trained";
  }
  const Finished unused =
      run({"train.validate_interval=0", "train.evaluate_with=last", "validation_bleu=false"});
  EXPECT_EQ(unused.status, 0) << unused.err;
}

TEST_F(TranslateProgram, RefusesTranslationsThatMustBeLongerThanThePositions) {
  EXPECT_EQ(run({"decoding.min_length=39"}).status, 0);
  const Finished done = run({"decoding.min_length=40", "decoding.max_length=60"});
  EXPECT_EQ(done.status, 2);
  EXPECT_THAT(done.err,
              HasSubstr("decoding: min_length 40 and the end of a translation are more than the 40"));
}

}  // namespace
}  // namespace attnlab
