// A result whose weights, texts or tokenizer have changed since is not passed off as that of the command.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "lab.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* train_yaml = R"(task: train_lm
device: cpu
threads: 1
data: {type: texts, path: texts}
validation: {type: texts, path: texts}
tokenizer: {vocabulary: 320}
model: {dim: 16, ffn_dim: 32, layers: 1, heads: 2, max_positions: 64}
context: 32
batch_size: 4
train: {updates: 2, validate_interval: 0, learning_rate: 0.01}
)";

constexpr const char* read_yaml = R"(task: perplexity
device: cpu
threads: 1
model: model
data: {type: texts, path: texts}
chunks: {length: 64}
cache: {policy: full, size: 16}
sweep:
  cases:
    - {cache.policy: window}
    - {cache.policy: tova}
)";

class Stale : public testing::Test {
 protected:
  Stale() {
    const std::string story = contents_of(ATTNLAB_SOURCE_DIR "/tests/golden/story.txt");
    lab.write("texts/story.txt", story);
    lab.write("train.yaml", train_yaml);
    lab.write("read.yaml", read_yaml);
    EXPECT_EQ(lab.attnlab({"run", "train.yaml"}).status, 0);
    fs::copy(lab.run_folder("train") / "model", lab.path() / "model");
    const Finished sweep = lab.attnlab({"sweep", "read.yaml"});
    EXPECT_EQ(sweep.status, 0) << sweep.out << sweep.err;
  }
  /// Changes one byte, the last, and nothing of the file's size.
  void change(const std::string& name) const {
    std::string bytes = contents_of(lab.path() / name);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    lab.write(name, bytes);
  }
  Finished run() const { return lab.attnlab({"run", "read.yaml", "--index", "1"}); }

  Lab lab;
};

TEST_F(Stale, RunsSayWhatHasChanged) {
  EXPECT_THAT(run().out, HasSubstr("is done already"));
  for (const char* file : {"model/model.safetensors", "texts/story.txt", "model/tokenizer.model"}) {
    const std::string before = contents_of(lab.path() / file);
    change(file);
    const Finished refused = run();
    EXPECT_EQ(refused.status, 2) << file;
    EXPECT_THAT(refused.err, AllOf(HasSubstr("changed since run"), HasSubstr("--fresh does it again")))
        << file;
    lab.write(file, before);
    EXPECT_EQ(run().status, 0) << file;
  }
}

TEST_F(Stale, WhatStandsBesideATokenizerCounts) {
  lab.write("model/special_tokens_map.json", R"({"additional_special_tokens": ["Once"]})");
  EXPECT_THAT(run().err, HasSubstr("the settings in model have changed"));
}

TEST_F(Stale, ListsSweepsAndTablesMarkThem) {
  EXPECT_THAT(lab.attnlab({"table", "read.yaml"}).out, Not(HasSubstr("stale")));
  change("model/model.safetensors");
  EXPECT_THAT(lab.attnlab({"list", "read.yaml"}).out, HasSubstr("stale"));
  EXPECT_THAT(lab.attnlab({"table", "read.yaml"}).out, HasSubstr("1 stale: the model in model has changed"));
  const Finished sweep = lab.attnlab({"sweep", "read.yaml"});
  EXPECT_EQ(sweep.status, 1);
  EXPECT_THAT(sweep.out, HasSubstr("2 runs: 2 stale"));
  EXPECT_EQ(lab.attnlab({"run", "read.yaml", "--index", "1", "--fresh"}).status, 0);
  EXPECT_EQ(run().status, 0);
  EXPECT_THAT(lab.attnlab({"table", "read.yaml"}).out, HasSubstr("stale"));  // the other one
}

TEST_F(Stale, WhatIsNotThereIsNotCompared) {
  fs::rename(lab.path() / "model", lab.path() / "elsewhere");
  EXPECT_THAT(run().out, HasSubstr("is done already"));
  EXPECT_THAT(lab.attnlab({"table", "read.yaml"}).out, Not(HasSubstr("stale")));
}

TEST(StaleClassifier, KnowsItsReviewsAndTheWeightsThatItBeganWith) {
  const Lab lab;
  const auto first = [&] { return lab.attnlab({"run", "tiny.yaml", "train.updates=2"}); };
  ASSERT_EQ(first().status, 0);
  const fs::path weights = lab.run_folder() / "checkpoint/best.safetensors";
  lab.write("weights.safetensors", contents_of(weights));
  const auto second = [&] {
    return lab.attnlab(
        {"run", "tiny.yaml", "train=none", "init_from=weights.safetensors", "results_folder=again"});
  };
  ASSERT_EQ(second().status, 0);
  std::string bytes = contents_of(weights);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  lab.write("weights.safetensors", bytes);
  EXPECT_THAT(second().err, HasSubstr("the weights in weights.safetensors have changed"));

  const fs::path review = fs::directory_iterator(lab.data() / "test/pos")->path();
  std::string text = contents_of(review);
  std::ofstream(review) << std::string(text.size(), 'x');  // as long as before
  EXPECT_THAT(first().err, HasSubstr("the data in"));
}

}  // namespace
}  // namespace attnlab
