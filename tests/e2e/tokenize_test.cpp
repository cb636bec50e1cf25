// `attnlab tokenize`, and a decoder whose folder holds a tokenizer.json.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "lab.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

const fs::path golden_shapes = fs::path(ATTNLAB_SOURCE_DIR) / "tests/golden/tokenizer_json";

std::string answered(const Lab& lab, const Words& more, const std::string& input) {
  Words words{"tokenize"};
  words.insert(words.end(), more.begin(), more.end());
  const Finished done = lab.attnlab(words, input);
  EXPECT_EQ(done.status, 0) << done.err;
  return done.out;
}

TEST(Tokenize, TurnsLinesIntoIdsAndBack) {
  const Lab lab;
  const std::string file = (golden_shapes / "smollm.json").string();
  const std::string lines = "the times\n\nna\u00efve <|im_end|>\r\n";
  const std::string pieces = answered(lab, {file, "--pieces"}, lines);
  EXPECT_EQ(pieces.substr(pieces.find('\n')), "\n[]\n[\"n\",\"aÃ\",\"¯ve\",\"Ġ\",\"<|im_end|>\"]\n");
  const std::string ids = answered(lab, {file}, lines);
  EXPECT_EQ(answered(lab, {file, "--decode"}, ids), "\"the times\"\n\"\"\n\"na\u00efve \"\n");
  const std::string as_text = answered(lab, {file, "--text"}, lines);
  EXPECT_EQ(answered(lab, {file, "--decode"}, as_text), "\"the times\"\n\"\"\n\"na\u00efve <|im_end|>\"\n");
  EXPECT_EQ(answered(lab, {file, "--json"}, "\"the times\"\n\"\"\n\"na\\u00efve <|im_end|>\"\n"), ids);
}

TEST(Tokenize, TextsBeginWithBosAsTheFolderSays) {
  const Lab lab;
  fs::create_directories(lab.path() / "model");
  fs::copy_file(golden_shapes / "llama2.json", lab.path() / "model/tokenizer.json");
  EXPECT_EQ(answered(lab, {"model"}, "\n"), "[1]\n");
  EXPECT_EQ(answered(lab, {"model", "--bos", "false"}, "\n"), "[]\n");
  lab.write("model/tokenizer_config.json", R"({"add_bos_token": false, "bos_token": "<s>"})");
  EXPECT_EQ(answered(lab, {"model"}, "\n"), "[]\n");
  EXPECT_EQ(answered(lab, {"model", "--bos", "true"}, "\n"), "[1]\n");
}

TEST(Tokenize, MistakesAreSentences) {
  const Lab lab;
  const std::string file = (golden_shapes / "smollm.json").string();
  const auto refused = [&](const Words& words, const std::string& input) {
    const Finished done = lab.attnlab(words, input);
    EXPECT_EQ(done.status, 2) << done.err;
    return done.err;
  };
  EXPECT_THAT(refused({"tokenize", "."}, ""),
              HasSubstr("there is neither tokenizer.json nor tokenizer.model"));
  EXPECT_THAT(refused({"tokenize", file, "--decode"}, "[1]\n[9999]\n"), HasSubstr("9999 is no token id"));
  EXPECT_THAT(refused({"tokenize", file, "--decode"}, "{}\n"), HasSubstr("line 1 is no JSON list of ids"));
  EXPECT_THAT(refused({"tokenize", file, "--json"}, "\"a\"\nb\n"), HasSubstr("line 2 is no JSON"));
  EXPECT_THAT(refused({"tokenize", file, "--bos", "true"}, "a\n"), HasSubstr("smollm.json has no BOS token"));
}

/// The first pieces of a golden tokenizer, as many as the tiny decoder has ids.
std::string first_pieces(int64_t count) {
  std::ifstream in(golden_shapes / "smollm.json");
  json content = json::parse(in);
  json vocabulary, merges = json::array();
  for (const auto& [piece, id] : content["model"]["vocab"].items())
    if (id.get<int64_t>() < count) vocabulary[piece] = id;
  for (const json& merge : content["model"]["merges"]) {
    const auto left = merge[0].get<std::string>(), right = merge[1].get<std::string>();
    if (vocabulary.contains(left) && vocabulary.contains(right) && vocabulary.contains(left + right))
      merges.push_back(merge);
  }
  content["model"]["vocab"] = vocabulary;
  content["model"]["merges"] = merges;
  return content.dump();
}

TEST(Tokenize, ADecoderGoesOnWithATokenizerJson) {
  const Lab lab;
  fs::copy(golden_shapes.parent_path() / "decoders/tied", lab.path() / "model");
  lab.write("model/tokenizer.json", first_pieces(320));
  const Finished done =
      lab.attnlab({"predict", "model", "--max-new-tokens", "8", "add_bos=false"}, "the times\n");
  ASSERT_EQ(done.status, 0) << done.err;
  const json line = json::parse(done.out);
  EXPECT_EQ(line["new_tokens"], 8);
  const std::string ids = line["ids"].dump() + "\n";
  EXPECT_EQ(answered(lab, {"model", "--decode"}, ids), line["text"].dump() + "\n");
}

}  // namespace
}  // namespace attnlab
