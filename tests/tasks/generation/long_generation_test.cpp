// Long texts: seeds, batches, what describes them, resuming.
#include "tasks/generation/long_generation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "io/hf_folder.h"
#include "tasks/cut_record.h"
#include "tasks/memory_record.h"
#include "tasks/moderated.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// Columns of /texts.
enum class TextColumn : std::size_t { number, stopped_by, text, new_tokens, new_words, nll };

const Value& text_cell(const std::vector<Value>& row, TextColumn column) {
  return row[static_cast<std::size_t>(column)];
}

class LongTexts : public testing::Test {
 protected:
  LongTexts() {
    std::string name = testing::TempDir() + "texts.XXXXXX";
    folder = ::mkdtemp(name.data());
    options.model = moderated(ATTNLAB_SOURCE_DIR "/tests/golden/decoders/tied", folder / "model");
    options.tokenizer = ATTNLAB_SOURCE_DIR "/tests/golden/small_tokenizer.model";
    options.prompt = "Once upon a time";
    options.chat = "none";
    options.texts = 5;
    options.max_new_tokens = 20;
    options.ignore_eos = true;
    options.sampling = {.temperature = 2.0};
  }
  ~LongTexts() override { fs::remove_all(folder); }

  RunContext context(const std::string& run) const {
    RunContext c;
    c.folder = folder / run;
    fs::create_directories(c.folder);
    return c;
  }
  MemoryRecord empty() const {
    MemoryRecord record;
    for (const Table& t : options.tables()) record.define(t);
    return record;
  }
  MemoryRecord run() {
    MemoryRecord record = empty();
    options.run(context("run" + std::to_string(runs++)), record);
    return record;
  }
  static std::vector<std::string> texts(const MemoryRecord& record) {
    std::vector<std::string> all;
    for (const auto& row : record.tables.at("/texts"))
      all.push_back(std::get<std::string>(text_cell(row, TextColumn::text)));
    return all;
  }

  fs::path folder;
  LongGenerationOptions options;
  int runs = 0;
};

TEST_F(LongTexts, AreEachTheirOwnSeedsWhateverTheBatch) {
  options.batch_size = 5;
  const auto together = texts(run());
  EXPECT_NE(together[0], together[1]);
  options.batch_size = 2;
  EXPECT_EQ(texts(run()), together);
  options.cache.policy.select("tova");
  options.cache.size = 100;  // holds every text
  EXPECT_EQ(texts(run()), together) << "texts of equal number have equal seeds under every cache";
  options.cache.size = 4;
  EXPECT_NE(texts(run()), together);
}

/// Greedy text of a full cache is the model's own choice at every step, and each of its losses the least.
TEST_F(LongTexts, AreAsLikelyAsTheModelFindsThemWhenItSeesAll) {
  options.texts = 1;
  options.sampling = {};
  const MemoryRecord record = run();
  HfModel model = load_hf_folder(options.model);
  const Tokenizer tokenizer = Tokenizer::open(options.tokenizer);
  const torch::NoGradGuard no_grad;
  auto ids = tokenizer.encode(options.prompt, tokenizer.adds_bos().value_or(model.config.add_bos));
  double nll = 0;
  for (int64_t i = 0; i < options.max_new_tokens; ++i) {
    const auto hidden = model.decoder->forward_training(torch::tensor(ids).unsqueeze(0));
    const auto logits = model.decoder->logits(hidden)[0][-1].to(torch::kDouble);
    const int64_t next = logits.argmax().item<int64_t>();
    nll -= torch::log_softmax(logits, 0)[next].item<double>() / static_cast<double>(options.max_new_tokens);
    ids.push_back(next);
  }
  EXPECT_NEAR(std::get<double>(text_cell(record.tables.at("/texts")[0], TextColumn::nll)), nll, 1e-5);
  EXPECT_NEAR(record.summaries.at("full_model_perplexity").value, std::exp(nll), 1e-4);
  EXPECT_EQ(record.summaries.at("new_tokens").value, 20.0);
}

TEST_F(LongTexts, WithoutTemperatureRepeatThemselves) {
  options.texts = 1;
  options.max_new_tokens = 49;
  options.sampling = {};
  const MemoryRecord greedy = run();
  options.sampling = {.temperature = 2.0};
  EXPECT_GT(greedy.summaries.at("repetition").value, run().summaries.at("repetition").value);
}

TEST_F(LongTexts, GoOnBehindTheLastWholeBatch) {
  options.batch_size = 2;
  const MemoryRecord whole = run();
  MemoryRecord record = empty();
  CutRecord killed(record, 3, "/texts");
  EXPECT_THROW(options.run(context("killed"), killed), RunError);
  CutRecord once_more(record, 3, "/texts");  // five less the first two
  options.run(context("killed"), once_more);
  EXPECT_EQ(texts(record), texts(whole));
  EXPECT_EQ(record.summaries.at("full_model_nll").value, whole.summaries.at("full_model_nll").value);
}

TEST_F(LongTexts, LongerThanTheModelsPositionsAreRefused) {
  options.max_new_tokens = 5000;
  try {
    run();
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("past_training=true goes on"));
  }
}

}  // namespace
}  // namespace attnlab
