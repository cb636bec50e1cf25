// Translation through the program: trained, stopped, scored, and used line by line.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
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
  Finished predict(const std::string& input, const Words& more = {}) const {
    Words arguments{"predict", folder().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return lab.attnlab(arguments, input);
  }
  std::vector<nlohmann::json> predicted(const std::string& input, const Words& more = {}) const {
    return answers_in(predict(input, more).out);
  }
  static std::vector<nlohmann::json> answers_in(const std::string& out) {
    std::istringstream lines(out);
    std::vector<nlohmann::json> all;
    for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
    return all;
  }
  static std::vector<std::string> texts_of(const std::vector<nlohmann::json>& answers) {
    std::vector<std::string> texts;
    for (const auto& answer : answers) texts.push_back(answer.at("text").get<std::string>());
    return texts;
  }
  Lab lab;
};

TEST_F(TranslateProgram, LearnsAndWritesWhatItFoundBesideTheReferences) {
  write_captions(lab, 1500);
  const Finished done = run({"train.updates=400", "train.validate_interval=100", "model.encoder.dim=32",
                             "train.evaluate_with=last", "training_bleu=shown"});
  ASSERT_EQ(done.status, 0) << done.err;
  const auto record = read_run(folder() / "run.h5");
  // That it learned shows in the perplexity: BLEU of eight sentences hangs on single words, and on the last
  // bits of a sum.
  EXPECT_LT(record.summaries.at("perplexity").value, 4) << "twelve words and their translations";
  EXPECT_TRUE(std::isfinite(record.summaries.at("bleu").value));
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
  ASSERT_EQ(run({"train.updates=400", "train.validate_interval=40", "model.encoder.dim=32",
                 "training_bleu=selects"})
                .status,
            0);
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
  const auto answers =
      predicted("two dog\n\r\n" + endless +
                "\n\xF0\x9F\x90\x95 日本語 \xE2\x80\xAE\nold man\n\rtwo\rdog\r\ngreen dog\r");
  ASSERT_EQ(answers.size(), 7u) << "LF alone ends a line";
  for (std::size_t i = 0; i < answers.size(); ++i) EXPECT_EQ(answers[i].at("line"), i + 1);
  EXPECT_EQ(answers[1].at("text"), "");
  EXPECT_THAT(answers[2].at("error"), HasSubstr("longer than the model's 40 positions"));
  for (const std::size_t i : {0, 3, 4, 5, 6}) EXPECT_TRUE(answers[i].at("text").is_string()) << i;
  EXPECT_EQ(predicted("green dog\n").at(0).at("text"), answers[6].at("text")) << "without its CR";
  EXPECT_EQ(predicted("old man\n").at(0).at("text"), answers[4].at("text")) << "whatever stands beside it";
}

TEST_F(TranslateProgram, TranslatesTheLinesOfAFileTogether) {
  ASSERT_EQ(run().status, 0);
  EXPECT_THAT(predict("two dog\nold man\n\ngreen house\nold street\n").err,
              HasSubstr("translated 5 of 5 sentences"));
}

TEST_F(TranslateProgram, AnswersAtOnceWhoWaitsAndDrawsByTheNumberOfTheLine) {
  ASSERT_EQ(run().status, 0);
  std::string lines;
  for (int i = 0; i < 6; ++i) lines += "two old dog\n";
  const Words sampled{"decoding.beam=1", "decoding.sampling.temperature=1.5"};
  const auto together = predicted(lines, sampled);
  ASSERT_EQ(together.size(), 6u);
  const std::vector<std::string> texts = texts_of(together);
  EXPECT_GT(std::set(texts.begin(), texts.end()).size(), 3u) << "of equal lines";
  const fs::path in = lab.write("in", lines), out = lab.path() / "out";
  // The second half is not sent before the first is answered.
  const std::string answered = fmt::format("[ $(wc -l < '{}') -ge 3 ]", out.string());
  const std::string command = fmt::format(
      "cd '{}' && : > out && (head -n 3 in; for i in $(seq 600); do {} && break; sleep 0.05; done; {} "
      "&& tail -n 3 in) | '{}' predict '{}' {} > out 2> err",
      lab.path().string(), answered, answered, ATTNLAB_BINARY, folder().string(), fmt::join(sampled, " "));
  ASSERT_EQ(std::system(command.c_str()), 0) << contents_of(lab.path() / "err");
  EXPECT_EQ(texts_of(answers_in(contents_of(out))), texts);
}

TEST_F(TranslateProgram, AnswersALineOfNulsInItsPlace) {
  ASSERT_EQ(run().status, 0);
  const Finished done = predict(std::string("d\0o\0g\0\n", 7) + "old man\n");
  EXPECT_EQ(done.status, 2);
  const auto answers = answers_in(done.out);
  ASSERT_EQ(answers.size(), 2u) << done.err;
  EXPECT_THAT(answers[0].at("error"), HasSubstr("UTF-16LE"));
  EXPECT_TRUE(answers[1].at("text").is_string());
  const Finished marked =
      predict(std::string("\xFF\xFE"
                          "d\0o\0g\0\n\0",
                          10));
  EXPECT_EQ(marked.status, 2);
  EXPECT_EQ(marked.out, "");
  EXPECT_THAT(marked.err, HasSubstr("standard input is in UTF-16,"));
}

TEST_F(TranslateProgram, ScoresByHandWhatTheRunScored) {
  write_captions(lab, 1500);
  const std::string sources = contents_of(lab.path() / "data/multi30k/test_2016_flickr.en") + "\n";
  const std::string references = contents_of(lab.path() / "data/multi30k/test_2016_flickr.de") + "Hund\n";
  lab.write("data/multi30k/test_2016_flickr.en", sources);
  lab.write("data/multi30k/test_2016_flickr.de", references);
  ASSERT_EQ(run({"train.updates=400", "model.encoder.dim=32", "train.evaluate_with=last"}).status, 0);
  const double bleu = read_run(folder() / "run.h5").summaries.at("bleu").value;
  EXPECT_GT(bleu, 5) << "far from 0, which nothing would be compared with";
  EXPECT_EQ(read_table(folder() / "run.h5", "/translations/test").at("translation").back(),
            Value(std::string()))
      << "of \"\"";
  lab.write("predicted.jsonl", predict(sources).out);
  lab.write("references.txt", references);
  const Finished scored = lab.attnlab({"score", "bleu", "predicted.jsonl", "references.txt"});
  EXPECT_EQ(nlohmann::json::parse(scored.out).at("bleu"), bleu);
}

TEST_F(TranslateProgram, UsesARunThatOnlyEvaluatedTheWeightsOfAFile) {
  ASSERT_EQ(run({"train.updates=60", "train.evaluate_with=last"}).status, 0);
  const std::vector<std::string> trained = texts_of(predicted("old man\ntwo dog\n"));
  fs::copy_file(folder() / "checkpoint" / "last.safetensors", lab.path() / "weights.safetensors");
  const Words evaluation{"train=none", "init_from=weights.safetensors", "results_folder=evaluated"};
  ASSERT_EQ(run(evaluation).status, 0);
  const fs::path evaluated = fs::directory_iterator(lab.path() / "evaluated" / "translate")->path();
  const Finished done = lab.attnlab({"predict", evaluated.string()}, "old man\ntwo dog\n");
  EXPECT_EQ(texts_of(answers_in(done.out)), trained) << done.err;
}

TEST_F(TranslateProgram, UsesAFinishedRunByOtherRulesOfDecoding) {
  ASSERT_EQ(run().status, 0);
  EXPECT_EQ(predicted("old man\n", {"decoding.n_best=2", "threads=2"}).at(0).at("n_best").size(), 2u);
  for (const char* word : {"train.updates=3", "limit=2", "decoding=none"}) {
    const Finished refused = predict("old man\n", {word});
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.err, HasSubstr(fmt::format("whose configuration stands: '{}' sets neither", word)));
  }
  EXPECT_THAT(predict("old man\n", {"decoding.beem=4"}).err, HasSubstr("beam"));
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
  EXPECT_THAT(other.err, HasSubstr("were trained with another vocabulary than that of the data"));
  const Finished file = run({"init_from=" + trained + "/checkpoint/last.safetensors", "results_folder=other",
                             "data.vocabulary.coverage=0.99"});
  EXPECT_EQ(file.status, 2) << file.out;
  EXPECT_THAT(file.err, HasSubstr("last.safetensors were trained with another vocabulary"));
}

// Weights know their vocabulary wherever they lie, and whatever lies beside them.
TEST_F(TranslateProgram, NoticesAnotherVocabularyOfTheSameSize) {
  ASSERT_EQ(run().status, 0);
  const fs::path trained = folder();
  fs::copy_file(trained / "checkpoint" / "last.safetensors", lab.path() / "weights.safetensors");
  ASSERT_EQ(run({"data.vocabulary.normalisation=identity", "results_folder=other"}).status, 0);
  const fs::path other = fs::directory_iterator(lab.path() / "other" / "translate")->path();

  const Finished bare = run(
      {"init_from=weights.safetensors", "results_folder=third", "data.vocabulary.normalisation=identity"});
  EXPECT_EQ(bare.status, 2) << bare.out;
  EXPECT_THAT(bare.err, HasSubstr("weights.safetensors were trained with another vocabulary"));

  const fs::path vocabulary = trained / "vocabulary" / "vocabulary.model";
  fs::copy_file(other / "vocabulary" / "vocabulary.model", vocabulary, fs::copy_options::overwrite_existing);
  const Finished swapped = lab.attnlab({"predict", trained.string()}, "old man\n");
  EXPECT_EQ(swapped.status, 2) << swapped.out;
  EXPECT_THAT(swapped.err,
              HasSubstr("trained with another vocabulary than " + (trained / "vocabulary").string()));
}

TEST_F(TranslateProgram, CountsLinesThatAreNotUtf8AndTranslatesThemAllTheSame) {
  ASSERT_EQ(run().status, 0);
  const Finished done = predict("old man\nold \xe9 man\n");
  EXPECT_EQ(done.status, 0);
  EXPECT_EQ(answers_in(done.out).size(), 2u);
  EXPECT_THAT(done.err, HasSubstr("1 of 2 lines"));
}

TEST_F(TranslateProgram, DrawsAnewFromAnotherSeed) {
  ASSERT_EQ(run().status, 0);
  const auto drawn = [&](const std::string& seed) {
    return texts_of(predicted("old man\ntwo dog\nwater\n",
                              {"decoding.beam=1", "decoding.sampling.temperature=2", "seed=" + seed}));
  };
  EXPECT_EQ(drawn("5"), drawn("5"));
  EXPECT_NE(drawn("5"), drawn("6"));
}

TEST_F(TranslateProgram, RefusesPartsThatDoNotFitBeforeAnythingIsPrepared) {
  const Finished shown =
      lab.attnlab({"show", "translate.yaml", "model.encoder.attention={type: luna, projection_length: 8}",
                   "model.cross_attention={type: luna, projection_length: 4}"});
  EXPECT_EQ(shown.status, 2) << shown.out;
  EXPECT_THAT(
      shown.err,
      HasSubstr(
          "model.cross_attention: reads 4 rows of a carried state, and the encoder's attention carries 8"));
  EXPECT_THAT(lab.attnlab({"show", "translate.yaml", "model.encoder.attention=softmax",
                           "model.cross_attention=softmax", "model.self_attention=luna"})
                  .err,
              HasSubstr("model.self_attention: reads a carried state"));
}

TEST_F(TranslateProgram, SaysThatThereAreNoWeightsToStartFrom) {
  const Finished done = run({"init_from=nowhere"});
  EXPECT_EQ(done.status, 2);
  EXPECT_THAT(done.err, HasSubstr("neither a run's folder nor a file of weights at nowhere"));
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
