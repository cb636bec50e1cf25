// Training of a language model end to end on a few short texts: what it learns, saves and records, how it
// resumes, what it refuses.
#include "tasks/language/train_lm.h"

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/experiment.h"
#include "data/tokenizer.h"
#include "io/hf_folder.h"
#include "tasks/cut_record.h"
#include "tasks/language/train_lm_task.h"
#include "train/file_record.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// exp of the mean −log p of every token but the first, in chunks of `context` predicted tokens; what the
/// last chunk lacks is left out. `bos`: what each chunk's first token is read as.
double perplexity_of(HfModel& model, const std::vector<int64_t>& tokens, int64_t context,
                     std::optional<int64_t> bos = std::nullopt) {
  const torch::NoGradGuard no_grad;
  const int64_t chunks = (static_cast<int64_t>(tokens.size()) - 1) / context;
  double sum = 0;
  for (int64_t c = 0; c < chunks; ++c)
    for (int64_t i = 0; i < context; ++i) {
      const auto begin = tokens.begin() + c * context;
      std::vector<int64_t> read(begin, begin + i + 1);
      if (bos) read.front() = *bos;
      const torch::Tensor seen = torch::tensor(read).unsqueeze(0);
      const torch::Tensor logits =
          model.decoder->logits(model.decoder->forward_training(seen))[0][i].to(torch::kDouble);
      sum -= torch::log_softmax(logits, 0)[begin[i + 1]].item<double>();
    }
  return std::exp(sum / static_cast<double>(chunks * context));
}

TEST_F(TrainLmTask, LearnsAndSavesTheModelWhosePerplexityIsRecorded) {
  const MemoryRecord record = run("run");
  const auto& curve = record.tables.at("/eval/validation_curve");
  ASSERT_EQ(curve.size(), 4U);
  const auto value = [&](std::size_t row) { return std::get<double>(curve[row][1]); };
  EXPECT_LT(value(0), 320);  // better than chance
  EXPECT_LT(value(3), 0.7 * value(0));
  const auto& losses = record.tables.at("/train");
  ASSERT_EQ(losses.size(), 40U);
  EXPECT_LT(std::get<double>(losses.back()[1]), std::get<double>(losses.front()[1]) - 1);

  HfModel saved = load_hf_folder(folder / "run/model");
  const Tokenizer tokenizer = Tokenizer::open(folder / "run/model/tokenizer.model");
  EXPECT_EQ(saved.config.decoder.vocabulary, 320);
  EXPECT_EQ(saved.config.bos_id, tokenizer.bos_id());
  EXPECT_EQ(saved.config.eos_ids, std::vector<int64_t>{*tokenizer.eos_id()});
  EXPECT_TRUE(saved.config.add_bos);
  std::vector<int64_t> tokens = tokenizer.encode(content(folder / "held_out/story.txt"), true);
  tokens.push_back(*tokenizer.eos_id());
  const Summary& recorded = record.summaries.at("perplexity_validation");
  EXPECT_NEAR(perplexity_of(saved, tokens, 32), recorded.value, 1e-5 * recorded.value);
  EXPECT_EQ(recorded.n, (static_cast<int64_t>(tokens.size()) - 1) / 32 * 32);
  EXPECT_EQ(recorded.value, value(3));
  EXPECT_EQ(record.summaries.at("parameters").value,
            static_cast<double>(parameter_count(saved.config.decoder)));
}

TEST_F(TrainLmTask, AValidationTextShorterThanAChunkIsCountedAsItIs) {
  const std::string words = "She said that it was there.";
  write("held_out/story.txt", words);
  options.train.updates = 10;
  const MemoryRecord record = run("run");
  const Tokenizer tokenizer = Tokenizer::open(folder / "run/model/tokenizer.model");
  const auto tokens = static_cast<int64_t>(tokenizer.encode(words, true).size());  // and EOS, less the first
  ASSERT_LT(tokens, options.context);
  EXPECT_EQ(record.summaries.at("perplexity_validation").n, tokens);
}

TEST_F(TrainLmTask, IsTrainedAndValidatedWithBosBeforeEveryChunkWhereAskedTo) {
  options.bos = BosPolicy::chunk;
  const MemoryRecord record = run("run");
  HfModel saved = load_hf_folder(folder / "run/model");
  const Tokenizer tokenizer = Tokenizer::open(folder / "run/model/tokenizer.model");
  std::vector<int64_t> tokens = tokenizer.encode(content(folder / "held_out/story.txt"), true);
  tokens.push_back(*tokenizer.eos_id());
  const Summary& recorded = record.summaries.at("perplexity_validation");
  EXPECT_NEAR(perplexity_of(saved, tokens, 32, tokenizer.bos_id()), recorded.value, 1e-5 * recorded.value);
  EXPECT_GT(std::abs(perplexity_of(saved, tokens, 32) - recorded.value), 1e-3 * recorded.value);
}

TEST_F(TrainLmTask, ValidatesOnWholeDocumentsWithAnErrorOverThem) {
  write("held_out/tail.txt", content(ATTNLAB_SOURCE_DIR "/tests/golden/story.txt").substr(200, 300));
  options.validation_by_document = true;
  const MemoryRecord record = run("run");
  HfModel saved = load_hf_folder(folder / "run/model");
  const Tokenizer tokenizer = Tokenizer::open(folder / "run/model/tokenizer.model");
  const torch::NoGradGuard no_grad;
  double sum = 0;
  int64_t count = 0;
  for (const char* name : {"held_out/story.txt", "held_out/tail.txt"}) {
    std::vector<int64_t> tokens = tokenizer.encode(content(folder / name), true);
    tokens.push_back(*tokenizer.eos_id());
    for (std::size_t i = 1; i < tokens.size(); ++i, ++count) {
      const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>((i - 1) / 32 * 32);
      const torch::Tensor seen =
          torch::tensor(std::vector<int64_t>(begin, tokens.begin() + static_cast<std::ptrdiff_t>(i)))
              .unsqueeze(0);
      const torch::Tensor logits =
          saved.decoder->logits(saved.decoder->forward_training(seen))[0][-1].to(torch::kDouble);
      sum -= torch::log_softmax(logits, 0)[tokens[i]].item<double>();
    }
  }
  const Summary& recorded = record.summaries.at("perplexity_validation");
  EXPECT_NEAR(recorded.value, std::exp(sum / static_cast<double>(count)), 1e-5 * recorded.value);
  EXPECT_EQ(recorded.n, count);
  EXPECT_GT(recorded.standard_error, 0);
}

TEST_F(TrainLmTask, RecordsThePerplexityOfTheWeightsThatAreSavedWhereTheBestAreOlder) {
  // A first update that changes nearly nothing, and a second that moves every weight by about 5, a hundred
  // times what it holds: whatever the rounding of a processor, the loss goes from ln 320 to tens of nats.
  options.train.updates = 2;
  options.train.validate_interval = 1;
  options.train.learning_rate = 5;
  options.train.schedule.select("inverse_sqrt");
  auto& schedule = dynamic_cast<InverseSqrtScheduleOptions&>(*options.train.schedule);
  schedule.warmup = 1;
  schedule.initial = 1e-4;
  options.train.evaluate_with = EvaluateWith::best;
  const MemoryRecord best = run("best");
  options.train.evaluate_with = EvaluateWith::last;
  const MemoryRecord last = run("last");
  std::vector<double> curve;
  for (const auto& row : best.tables.at("/eval/validation_curve")) curve.push_back(std::get<double>(row[1]));
  ASSERT_EQ(curve.size(), 2U);
  ASSERT_GT(curve[1], 100 * curve[0]);
  EXPECT_EQ(best.summaries.at("perplexity_validation").value, curve[0]);
  EXPECT_EQ(last.summaries.at("perplexity_validation").value, curve[1]);
  EXPECT_NE(weights("best"), weights("last"));
}

TEST_F(TrainLmTask, TrainsItsTokenizerOnce) {
  options.train.updates = 1;
  const MemoryRecord first = run("first");
  ASSERT_EQ(trained_tokenizers().size(), 1U);
  const fs::path tokenizer = trained_tokenizers().front();
  const auto written = fs::last_write_time(tokenizer);
  const MemoryRecord second = run("second");
  EXPECT_EQ(trained_tokenizers(), std::vector{tokenizer});
  EXPECT_EQ(fs::last_write_time(tokenizer), written);
  EXPECT_EQ(content(folder / "second/model/tokenizer.model"), content(tokenizer));
  EXPECT_EQ(second.attributes.at("tokenizer_checksum"), first.attributes.at("tokenizer_checksum"));

  options.tokenizer.vocabulary = 330;
  run("larger");
  EXPECT_EQ(trained_tokenizers().size(), 2U);
}

TEST_F(TrainLmTask, TakesATokenizerThatIsGiven) {
  options.train.updates = 1;
  options.tokenizer.path = ATTNLAB_SOURCE_DIR "/tests/golden/small_tokenizer.model";
  run("given");
  EXPECT_EQ(content(folder / "given/model/tokenizer.model"), content(options.tokenizer.path));
  EXPECT_TRUE(trained_tokenizers().empty());
}

TEST_F(TrainLmTask, KeepsTheTokensThatTheTokenizersFolderDeclares) {
  options.train.updates = 1;
  options.tokenizer.path = folder / "given";
  write("given/tokenizer.model", content(ATTNLAB_SOURCE_DIR "/tests/golden/small_tokenizer.model"));
  write("given/tokenizer_config.json",
        R"({"legacy": true, "added_tokens_decoder": {"320": {"content": "<x>", "special": true}}})");
  run("declared");
  const Tokenizer given = Tokenizer::open(folder / "given"),
                  saved = Tokenizer::open(folder / "declared/model");
  const std::string text = "the dog<x>the cat";
  EXPECT_THAT(given.encode(text, true), ::testing::Contains(320));
  EXPECT_EQ(saved.encode(text, true), given.encode(text, true));
}

TEST_F(TrainLmTask, TakesATokenizerJson) {
  options.train.updates = 1;
  options.tokenizer.path = ATTNLAB_SOURCE_DIR "/tests/golden/tokenizer_json/llama3.json";
  run("json");
  EXPECT_EQ(content(folder / "json/model/tokenizer.json"), content(options.tokenizer.path));
  const Tokenizer given = Tokenizer::open(options.tokenizer.path);
  const Tokenizer saved = Tokenizer::open(folder / "json/model");
  EXPECT_EQ(saved.bos_id(), given.bos_id());
  EXPECT_EQ(saved.adds_bos(), true);
}

TEST_F(TrainLmTask, TakesTheFirstDocuments) {
  options.train.updates = 3;
  options.documents = 2;
  const MemoryRecord limited = run("limited");
  options.documents = 0;
  const MemoryRecord all = run("all");
  for (const char* other : {"train/2.txt", "train/3.txt"}) fs::remove(folder / other);
  const MemoryRecord two = run("two");
  EXPECT_EQ(limited.attributes.at("data_checksum"), two.attributes.at("data_checksum"));
  EXPECT_EQ(weights("limited"), weights("two"));
  EXPECT_NE(limited.attributes.at("data_checksum"), all.attributes.at("data_checksum"));
  EXPECT_NE(weights("limited"), weights("all"));
}

TEST_F(TrainLmTask, ResumesToTheSameBits) {
  options.train.checkpoint_interval = 7;
  options.train.checkpoint_seconds = 0;
  const MemoryRecord whole = run("whole");
  // After updates 9, 23 (the first of another epoch, with another offset) and 31; each time two to three are
  // lost.
  run_cut("cut", {9, 16, 10});
  EXPECT_FALSE(fs::exists(folder / "cut/model"));
  FileRecord record = record_of("cut");
  EXPECT_GT(record.rows("/train"), 20);  // it goes on from where it was
  options.run(context("cut"), record);
  EXPECT_EQ(record.rows("/train"), 40);
  EXPECT_EQ(weights("cut"), weights("whole"));
  EXPECT_EQ(record.summary.at("perplexity_validation").value,
            whole.summaries.at("perplexity_validation").value);

  options.run(context("cut"), record);  // a finished run only evaluates
  EXPECT_EQ(record.rows("/train"), 40);
  EXPECT_EQ(weights("cut"), weights("whole"));
}

TEST_F(TrainLmTask, ResumesAfterAValidationOfOneChunkWhoseErrorIsUnknown) {
  options.train.updates = 12;
  options.train.checkpoint_interval = 11;
  options.validation_tokens = options.context;
  FileRecord record(folder / "run/record");
  for (const Table& t : options.tables()) record.define(t);
  CutRecord cut(record, 11);
  EXPECT_THROW(options.run(context("run"), cut), RunError);
  options.run(context("run"), record);
  EXPECT_EQ(record.rows("/train"), 12);
  EXPECT_TRUE(std::isnan(record.summary.at("perplexity_validation").standard_error));
}

TEST_F(TrainLmTask, AValidationThatIsDoneIsNotDoneAgainAfterAKill) {
  options.train.checkpoint_seconds = 0;
  FileRecord record(folder / "run/record");
  for (const Table& t : options.tables()) record.define(t);
  CutRecord cut(record, 10);  // in the first update after the first validation
  EXPECT_THROW(options.run(context("run"), cut), RunError);
  ::testing::internal::CaptureStderr();
  options.run(context("run"), record);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("resuming after update 10 of 40"));
  EXPECT_THAT(said, Not(HasSubstr("update 10: validation")));
  EXPECT_EQ(validated_updates(record), (std::vector<std::string>{"10", "20", "30", "40"}));
}

TEST_F(TrainLmTask, SaysThatItValidatesOnWhatItTrainsOn) {
  options.train.updates = 1;
  const auto said = [&](const std::string& name) {
    ::testing::internal::CaptureStderr();
    run(name);
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_THAT(said("apart"), Not(HasSubstr("not of texts held out of training")));
  read(options.validation, "train");
  EXPECT_THAT(said("same"), HasSubstr("warning: `validation` reads the texts of `data`"));
}

TEST_F(TrainLmTask, RefusesTooLittleText) {
  options.tokenizer.path = ATTNLAB_SOURCE_DIR "/tests/golden/small_tokenizer.model";
  options.batch_size = 1000;
  EXPECT_THAT(refusal("run"), HasSubstr("tokens are too few for one batch of 1000 chunks of 32"));
  options.batch_size = 1;
  write("train/0.txt", "Once.");
  options.documents = 1;
  EXPECT_THAT(refusal("run"), HasSubstr("tokens are too few for one batch of 1 chunks of 32"));
}

TEST_F(TrainLmTask, TrainsOnTheIdsOfTextsAsOnTheTexts) {
  options.tokenizer.path = ATTNLAB_SOURCE_DIR "/tests/golden/small_tokenizer.model";
  const MemoryRecord texts = run("texts");
  const Tokenizer tokenizer = Tokenizer::open(options.tokenizer.path);
  const auto line = [&](const std::string& id, const std::string& text) {
    std::vector<int64_t> ids = tokenizer.encode(text, true);
    ids.push_back(*tokenizer.eos_id());
    return fmt::format("{{\"id\": \"{}\", \"ids\": [{}]}}\n", id, fmt::join(ids, ","));
  };
  std::string train;
  for (const char* id : {"0", "1", "2", "3"})
    train += line(id, content(folder / "train" / (id + std::string(".txt"))));
  write("train.jsonl", train);
  write("held_out.jsonl", line("story", content(folder / "held_out/story.txt")));
  read_ids(options.data, "train.jsonl");
  read_ids(options.validation, "held_out.jsonl");
  const MemoryRecord ids = run("ids");
  EXPECT_EQ(ids.attributes.at("data_checksum"), texts.attributes.at("data_checksum"));
  EXPECT_EQ(weights("ids"), weights("texts"));
}

TEST_F(TrainLmTask, RefusesIdsOutsideTheVocabularyAndWithoutATokenizer) {
  write("ids.jsonl", "[1, 2, 320]\n");
  options.tokenizer.path = ATTNLAB_SOURCE_DIR "/tests/golden/small_tokenizer.model";
  read_ids(options.data, "ids.jsonl");
  EXPECT_THAT(refusal("run"),
              HasSubstr("ids.jsonl:1: token 2 is 320, outside the model's vocabulary of 320"));
  write("ids.yaml", "name: ids\ndata: {type: token_lines, path: ids.jsonl}\n");
  EXPECT_THAT(refused("ids.yaml"), HasSubstr("token ids are trained on with the tokenizer that made them"));
}

TEST_F(TrainLmTask, RefusesChunksBeyondTheModelsPositions) {
  write("long.yaml", "name: long\nmodel: {max_positions: 512}\ncontext: 513\n");
  EXPECT_THAT(refused("long.yaml"),
              HasSubstr("long.yaml:3: context: 513 tokens are more than the model's max_positions of 512"));
}

}  // namespace
}  // namespace attnlab
