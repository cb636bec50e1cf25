// `attnlab predict` on the folder of a pre-trained decoder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "lab.h"
#include "mirror.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

const fs::path golden_files = fs::path(ATTNLAB_SOURCE_DIR) / "tests/golden";

/// A tiny random decoder with a tokenizer of as many pieces, in the lab's folder.
void put_model(const Lab& lab) {
  fs::copy(golden_files / "decoders/tied", lab.path() / "model");
  fs::copy_file(golden_files / "small_tokenizer.model", lab.path() / "model/tokenizer.model");
}

std::vector<json> lines_of(const Finished& done) {
  EXPECT_EQ(done.status, 0) << done.err;
  std::vector<json> lines;
  std::istringstream out(done.out);
  for (std::string line; std::getline(out, line);) lines.push_back(json::parse(line));
  return lines;
}

Words predict(const std::vector<std::string>& more) {
  Words words{"predict", "model", "--max-new-tokens", "20", "threads=1"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(PredictFolder, WritesALineForEveryPrompt) {
  const Lab lab;
  put_model(lab);
  const auto lines = lines_of(lab.attnlab(predict({}), "the quick\nshe said that ½ of it\n"));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["prompt"], "the quick");
  EXPECT_EQ(lines[1]["prompt"], "she said that ½ of it");
  for (const json& line : lines) {
    EXPECT_EQ(line["ids"].size(), line["new_tokens"].get<std::size_t>());
    EXPECT_LE(line["new_tokens"], 20);
    EXPECT_THAT(line["stopped_by"], testing::AnyOf("eos", "max_new_tokens"));
    EXPECT_GT(line["cache_bytes"], 0);
    EXPECT_EQ(line["policy"], "full");
    EXPECT_EQ(line["size"], nullptr);
  }
}

TEST(PredictFolder, ABatchChangesNothing) {
  const Lab lab;
  put_model(lab);
  const std::string prompts = "the\nshe said that the little girl went\none day\n";
  for (const char* policy : {"full", "tova"}) {
    const Words flags{"--policy", policy, "--size", "6", "--temperature", "0.7", "--seed", "3"};
    const auto alone = lines_of(lab.attnlab(predict(flags), prompts));
    Words together = flags;
    together.insert(together.end(), {"--batch", "3"});
    const auto batched = lines_of(lab.attnlab(predict(together), prompts));
    ASSERT_EQ(alone.size(), 3U);
    ASSERT_EQ(batched.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(alone[i]["ids"], batched[i]["ids"]) << policy << ", prompt " << i;
      EXPECT_EQ(alone[i]["text"], batched[i]["text"]);
      EXPECT_EQ(alone[i]["policy"], policy);
    }
  }
}

TEST(PredictFolder, ASeedRepeatsASample) {
  const Lab lab;
  put_model(lab);
  const auto ids = [&](const char* seed, const char* top_k) {
    return lines_of(lab.attnlab(predict({"--temperature", "5", "--seed", seed, "--top-k", top_k}), "the\n"))
        .at(0)["ids"];
  };
  EXPECT_EQ(ids("1", "0"), ids("1", "0"));
  EXPECT_NE(ids("1", "0"), ids("2", "0"));
  EXPECT_EQ(ids("1", "1"),
            lines_of(lab.attnlab(predict({}), "the\n")).at(0)["ids"]);  // one candidate: greedy
}

TEST(PredictFolder, BosIsTheModelsOrTheUsersChoice) {
  const Lab lab;
  put_model(lab);
  const auto tokens = [&](const char* add_bos) {
    const Words words = predict({std::string("add_bos=") + add_bos});
    return lines_of(lab.attnlab(words, "the quick\n")).at(0)["prompt_tokens"].get<int>();
  };
  EXPECT_EQ(tokens("true"), tokens("false") + 1);
  EXPECT_EQ(tokens("model"), tokens("true"));
  lab.write("model/tokenizer_config.json", R"({"add_bos_token": false})");
  EXPECT_EQ(tokens("model"), tokens("false"));
}

TEST(PredictFolder, MistakesAreSentences) {
  const Lab lab;
  put_model(lab);
  const auto refused = [&](const Words& words, const std::string& input = "the\n") {
    const Finished done = lab.attnlab(words, input);
    EXPECT_EQ(done.status, 2) << done.err;
    EXPECT_EQ(done.out, "");
    return done.err;
  };
  EXPECT_THAT(refused(predict({}), std::string(400, 'x') + "\n"),  // BOS, a space, 400 x
              HasSubstr("error: line 1 has 402 tokens, and the model is trained for 64 positions; "
                        "beyond_positions=true reads on"));
  EXPECT_THAT(refused(predict({"add_bos=false"}), "\n"),
              HasSubstr("line 1 is empty, and without BOS there is nothing to continue"));
  EXPECT_THAT(refused(predict({"max_new_token=3"})), HasSubstr("did you mean 'max_new_tokens'?"));
  EXPECT_THAT(refused(predict({"--policy", "tova", "cache.protect_first=9", "--size", "4"})),
              HasSubstr("protecting the first 9 states leaves no room among 4"));
  EXPECT_THAT(refused(predict({"cache.protect=[zzzz]"})), HasSubstr("has no piece that is 'zzzz'"));
  EXPECT_THAT(refused(predict({"--index", "0"})), HasSubstr("is the folder of a model, not of a sweep"));
  fs::copy(golden_files / "decoders/llama", lab.path() / "other");
  EXPECT_THAT(refused({"predict", "other"}), HasSubstr("other/tokenizer.model: No such file or directory"));
  fs::copy_file(golden_files / "small_tokenizer.model", lab.path() / "other/tokenizer.model");
  EXPECT_THAT(refused({"predict", "other"}),
              HasSubstr("has 320 pieces and the model 40 ids: it is the tokenizer of another vocabulary"));
}

// transformers' greedy continuation (tests/golden/make_decoder_logits.py).
TEST(PredictFolder, ContinuesAStoryAsTransformersDoes) {
  ATTNLAB_FROM_MIRROR(folder, "models/stories260K");
  std::ifstream in(golden_files / "stories260K.json");
  const json golden = json::parse(in);
  const std::string prompt = "Once upon a time, there was a";
  const Lab lab;
  const auto line =
      lines_of(lab.attnlab({"predict", folder.string(), "--max-new-tokens", "120"}, prompt + "\n")).at(0);
  EXPECT_EQ(line["ids"], golden["continuation"]);
  EXPECT_EQ(prompt + line["text"].get<std::string>(), golden["text_with_prompt"]);
  // A cache that never fills is a full one.
  const auto bounded = lines_of(lab.attnlab(
      {"predict", folder.string(), "--max-new-tokens", "120", "--policy", "tova", "--size", "200"},
      prompt + "\n"));
  EXPECT_EQ(bounded.at(0)["ids"], golden["continuation"]);
}

}  // namespace
}  // namespace attnlab
