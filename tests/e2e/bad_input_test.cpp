// Bad input gets a clear sentence, exit status 2, and loses nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lab.h"
#include "results/reader.h"
#include "results/record_file.h"

namespace attnlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

class BadInput : public testing::Test {
 protected:
  /// The start is refused with these words, and nothing is written.
  void expect_refused(const Words& arguments, const testing::Matcher<std::string>& words) {
    const Finished run = lab_.attnlab(arguments);
    EXPECT_EQ(run.status, 2) << run.err;
    EXPECT_THAT(run.err, words);
    EXPECT_FALSE(fs::exists(lab_.results()));
  }
  void expect_refused_yaml(const std::string& yaml, const testing::Matcher<std::string>& words) {
    lab_.write("bad.yaml", yaml);
    expect_refused({"run", "bad.yaml"}, words);
  }
  /// A finished tiny run, marked as killed so that it is resumed.
  fs::path interrupted_run() {
    EXPECT_EQ(lab_.attnlab({"run", "tiny.yaml"}).status, 0);
    open_record(lab_.run_folder())->attribute("status", std::string("running"));
    return lab_.run_folder();
  }
  void expect_resume_refused(const testing::Matcher<std::string>& words) {
    const Finished run = lab_.attnlab({"run", "tiny.yaml"});
    EXPECT_EQ(run.status, 2) << run.err;
    EXPECT_THAT(run.err, words);
    EXPECT_EQ(read_run(lab_.run_folder() / "run.h5").status(), "interrupted");
  }

  Lab lab_;
};

TEST_F(BadInput, UnknownKey) {
  expect_refused_yaml("task: classify\nmodel:\n  encoder:\n    layres: 2\n",
                      HasSubstr("bad.yaml:4: model.encoder.layres: unknown key; did you mean 'layers'?"));
}

TEST_F(BadInput, UnknownKeyOnTheCommandLine) {
  expect_refused({"run", "tiny.yaml", "train.updtes=3"},
                 HasSubstr("command line: train.updtes: unknown key; did you mean 'train.updates'?"));
}

TEST_F(BadInput, WrongType) {
  expect_refused_yaml("task: classify\ntrain: {updates: many}\n",
                      AllOf(HasSubstr("bad.yaml:2: train.updates:"), HasSubstr("'many'")));
}

TEST_F(BadInput, DuplicateKey) {
  expect_refused_yaml("task: classify\nseed: 1\nseed: 2\n", HasSubstr("bad.yaml:3: seed:"));
}

TEST_F(BadInput, OutOfRange) {
  expect_refused({"run", "tiny.yaml", "model.encoder.dropout=1.5"}, HasSubstr("model.encoder.dropout:"));
}

TEST_F(BadInput, HeadsThatDoNotDivideDim) {
  expect_refused({"run", "tiny.yaml", "model.encoder.heads=3"},
                 HasSubstr("model.encoder.heads: 3 heads do not divide a model width of 8"));
}

TEST_F(BadInput, AllMistakesAreToldAtOnce) {
  expect_refused_yaml(
      "task: classify\nsed: 1\ntrain: {updates: 0}\n",
      AllOf(HasSubstr("bad.yaml:2: sed: unknown key"), HasSubstr("bad.yaml:3: train.updates:")));
}

TEST_F(BadInput, EmptyConfiguration) {
  expect_refused_yaml("# cut short\n", HasSubstr("bad.yaml holds no keys"));
}

TEST_F(BadInput, MissingConfiguration) { expect_refused({"run", "absent.yaml"}, HasSubstr("absent.yaml")); }

TEST_F(BadInput, UnknownCommand) {
  expect_refused({"rnu", "tiny.yaml"}, HasSubstr("there is no command 'rnu'; did you mean 'run'?"));
}

TEST_F(BadInput, UnknownNameToExplain) { expect_refused({"explain", "lunar"}, HasSubstr("luna")); }

TEST_F(BadInput, DataFolderWithAClassMissing) {
  fs::remove_all(lab_.data() / "train" / "pos");
  expect_refused({"run", "tiny.yaml"},
                 AllOf(HasSubstr("aclImdb/train/pos"), HasSubstr("scripts/fetch_data imdb")));
}

TEST_F(BadInput, EmptyReview) {
  lab_.write("data/imdb/aclImdb/test/neg/3_2.txt", "");
  expect_refused({"run", "tiny.yaml"},
                 AllOf(HasSubstr("test/neg/3_2.txt is empty"), HasSubstr("fetch_data")));
}

TEST_F(BadInput, ReviewsThatAreNotUtf8AreReadAsBytesAndCounted) {
  lab_.write("data/imdb/aclImdb/test/neg/3_2.txt", "caf\xe9 \xff\xfe");
  const Finished run = lab_.attnlab({"run", "tiny.yaml", "train.updates=1"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("1 of 40 test reviews are not UTF-8"));
}

TEST_F(BadInput, CheckpointOfAnotherModel) {
  const fs::path folder = interrupted_run();
  ASSERT_EQ(lab_.attnlab({"run", "tiny.yaml", "model.encoder.dim=16", "results_folder=other"}).status, 0);
  const fs::path other = fs::directory_iterator(lab_.path() / "other" / "tiny")->path();
  const fs::path last = fs::path("checkpoint") / "last.safetensors";
  fs::copy_file(other / last, folder / last, fs::copy_options::overwrite_existing);
  expect_resume_refused(
      AllOf(HasSubstr("last.safetensors is of another model"), HasSubstr("[261, 16] there and")));
}

TEST_F(BadInput, WeightsOfAnotherModelToStartFrom) {
  const fs::path folder = interrupted_run();
  const Finished run = lab_.attnlab(
      {"run", "tiny.yaml", "model.encoder.dim=16", "results_folder=other", "init_from=" + folder.string()});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.err, HasSubstr("is of another model"));
  EXPECT_FALSE(fs::exists(lab_.path() / "other"));
}

TEST_F(BadInput, CheckpointOfAnotherVersion) {
  const fs::path file = interrupted_run() / "checkpoint" / "last.safetensors";
  std::string bytes = contents_of(file);
  const std::string key = "\"checkpoint_version\":\"";
  const std::size_t at = bytes.find(key);
  ASSERT_NE(at, std::string::npos);
  bytes[at + key.size()] = '9';
  lab_.write(fs::relative(file, lab_.path()).string(), bytes);
  expect_resume_refused(HasSubstr("is a checkpoint of version 9, and this program reads version"));
}

TEST_F(BadInput, CheckpointCutShort) {
  const fs::path file = interrupted_run() / "checkpoint" / "last.safetensors";
  fs::resize_file(file, fs::file_size(file) / 2);
  expect_resume_refused(HasSubstr("last.safetensors is cut short"));
}

TEST_F(BadInput, ResultsOfANewerSchema) {
  ASSERT_EQ(lab_.attnlab({"run", "tiny.yaml", "train.updates=1"}).status, 0);
  const fs::path record = lab_.run_folder() / "run.h5";
  open_record(lab_.run_folder())->attribute("schema_version", int64_t{schema_version + 1});
  const std::string before = contents_of(record);
  const Finished run = lab_.attnlab({"run", "tiny.yaml", "train.updates=1"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.err, AllOf(HasSubstr("run.h5"), HasSubstr("schema")));
  EXPECT_EQ(contents_of(record), before);
}

TEST_F(BadInput, PredictWithoutARun) {
  expect_refused({"predict", "tiny.yaml"}, HasSubstr("tiny.yaml has not been run"));
  expect_refused({"predict", "data"}, HasSubstr("data is not the folder of a run"));
  expect_refused({"predict", "data", "--index", "1"}, HasSubstr("no --index"));
}

TEST_F(BadInput, EmptyAndTruncatedTextsToPredict) {
  ASSERT_EQ(lab_.attnlab({"run", "tiny.yaml", "train.updates=3"}).status, 0);
  const Finished run = lab_.attnlab({"predict", lab_.run_folder().string()},
                                    "\xEF\xBB\xBF"
                                    "a good film\r\n\r\n\xff not UTF-8\r" +
                                        std::string(500, 'x') + "\nno newline");
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.err,
              AllOf(HasSubstr("1 line could not be answered"), HasSubstr("1 of 4 lines are not UTF-8")));
  std::vector<nlohmann::json> lines;
  std::istringstream in(run.out);
  for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_THAT(lines[0]["label"].get<std::string>(), testing::AnyOf("positive", "negative"));
  EXPECT_NEAR(lines[0]["probabilities"][0].get<double>() + lines[0]["probabilities"][1].get<double>(), 1.0,
              1e-12);
  EXPECT_EQ(lines[0]["logits"].size(), 2U);
  EXPECT_THAT(lines[1]["error"].get<std::string>(), HasSubstr("empty"));
  EXPECT_TRUE(lines[2].contains("label"));
  EXPECT_EQ(lines[3]["truncated"], true);
  EXPECT_EQ(lines[4]["truncated"], false);
  EXPECT_EQ(lines[0]["tokens"].get<int>() - lines[4]["tokens"].get<int>(),
            1);  // 11 bytes and 10: no mark, no CR
}

}  // namespace
}  // namespace attnlab
