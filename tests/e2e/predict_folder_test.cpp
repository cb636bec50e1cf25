// `attnlab predict` on the folder of a pre-trained decoder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
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

std::vector<json> lines_of(const Finished& done, int status = 0) {
  EXPECT_EQ(done.status, status) << done.err;
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

TEST(PredictFolder, ALineMayBeAJsonObject) {
  const Lab lab;
  put_model(lab);
  const Words words = predict({"with_prompt_ids=true"});
  const auto plain = lines_of(lab.attnlab(words, "the quick\n")).at(0);
  const std::string ids = plain["prompt_ids"].dump();
  const auto lines = lines_of(lab.attnlab(words,
                                          "{\"prompt\": \"the quick\", \"id\": {\"n\": 7}}\n"
                                          "{\"ids\": " +
                                              ids +
                                              "}\n"
                                              "{\"prompt\": \"two\\nlines\", \"id\": null}\n"
                                              "{\"a text that begins with a bracket\": 1}\n"));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0]["id"], json::parse("{\"n\": 7}"));
  for (const int i : {0, 1}) EXPECT_EQ(lines[i]["ids"], plain["ids"]);
  EXPECT_FALSE(lines[1].contains("id"));
  EXPECT_EQ(lines[2]["prompt"], "two\nlines");
  EXPECT_EQ(lines[3]["prompt"], "{\"a text that begins with a bracket\": 1}");
}

TEST(PredictFolder, AJsonObjectWithoutAPromptThatCanBeReadIsRefusedAlone) {
  const Lab lab;
  put_model(lab);
  const auto lines = lines_of(lab.attnlab(predict({}),
                                          "{\"ids\": [1, 320], \"id\": \"a\"}\n"
                                          "{\"prompt\": 3}\n"
                                          "{\"prompt\": \"x\", \"ids\": [1]}\n"
                                          "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}\n"
                                          "{\"messages\": [\"x\"]}\nthe\n"),
                              2);
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[0]["id"], "a");
  EXPECT_EQ(lines[0]["error"], "line 1: 320 is no token id of the model, which has 320");
  EXPECT_EQ(lines[1]["error"], "line 2: 'prompt' is no text");
  EXPECT_EQ(lines[2]["error"], "line 3 has more than one of prompt, messages and ids");
  EXPECT_THAT(lines[3]["error"], HasSubstr("no chat template of a known format"));
  EXPECT_EQ(lines[4]["error"], "line 5: a message is no map with role and content");
  EXPECT_TRUE(lines[5].contains("ids"));
}

TEST(PredictFolder, ConversationsAreWrittenInTheFoldersFormatOrTheOneNamed) {
  const Lab lab;
  put_model(lab);
  const std::string talk = "{\"messages\": [{\"role\": \"user\", \"content\": \"the\"}]}\n";
  EXPECT_EQ(lines_of(lab.attnlab(predict({"template=mistral"}), talk)).at(0)["prompt"],
            "<s>[INST] the [/INST]");
  lab.write("model/tokenizer_config.json",
            json{{"chat_template",
                  "{{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}{{ '<|im_start|>' + message['role'] }}…"}}
                .dump());
  EXPECT_EQ(
      lines_of(lab.attnlab(predict({"beyond_positions=true"}), talk)).at(0)["prompt"],
      "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nthe<|im_end|>\n<|im_start|>assistant\n");
  lab.write(
      "model/tokenizer_config.json",
      R"({"chat_template": [{"name": 1, "template": "x"}, {"name": "default", "template": "{{ bos_token }}[INST] [/INST]"}]})");
  EXPECT_EQ(lines_of(lab.attnlab(predict({}), talk)).at(0)["prompt"], "<s>[INST] the [/INST]");
}

TEST(PredictFolder, TheCacheMayBeAShareOfEachPrompt) {
  const Lab lab;
  put_model(lab);
  const std::string prompts = "the quick brown fox said that it was there\nthe little girl\n";
  const Words words = predict({"--policy", "window", "cache.share=1/2", "--batch", "2", "with_kept=true"});
  const auto lines = lines_of(lab.attnlab(words, prompts));
  ASSERT_EQ(lines.size(), 2U);
  for (const json& line : lines) {
    const auto size = std::lround(0.5 * line["prompt_tokens"].get<double>());
    EXPECT_EQ(line["size"], size);
    // A window keeps the last ones; the newest token of all has been chosen, not read.
    const auto last = line["prompt_tokens"].get<int64_t>() + line["new_tokens"].get<int64_t>() - 2;
    std::vector<int64_t> window;
    for (int64_t t = last - size + 1; t <= last; ++t) window.push_back(t);
    for (const json& layer : line["kept"]) EXPECT_EQ(layer.at(0).get<std::vector<int64_t>>(), window);
  }
  EXPECT_EQ(lines_of(lab.attnlab(predict({"with_kept=true"}), "the\n")).at(0)["kept"][0], nullptr)
      << "all of them";
}

TEST(PredictFolder, APromptThatLeavesTheCacheNoRoomCostsNoOther) {
  const Lab lab;
  put_model(lab);
  const std::string prompts = "the\nthe quick brown fox said that it was there and she said so\n";
  for (const char* batch : {"1", "2"}) {
    const Words words =
        predict({"--policy", "window", "cache.share=1/8", "cache.protect_first=1", "--batch", batch});
    const auto lines = lines_of(lab.attnlab(words, prompts), 2);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0]["prompt"], "the");
    EXPECT_THAT(lines[0]["error"].get<std::string>(), HasSubstr("protect_first"));
    EXPECT_GT(lines[1]["new_tokens"], 0);
  }
}

TEST(PredictFolder, TheEndOfATextMayBeIgnored) {
  const Lab lab;
  put_model(lab);
  const auto line = lines_of(lab.attnlab(predict({"ignore_eos=true", "--temperature", "9"}), "the\n")).at(0);
  EXPECT_EQ(line["stopped_by"], "max_new_tokens");
}

TEST(PredictFolder, APromptThatCannotBeContinuedCostsNoOther) {
  const Lab lab;
  put_model(lab);
  const std::string long_prompt(400, 'x');  // BOS, a space, 400 x
  const std::string prompts = long_prompt + "\nthe\n" + long_prompt + "\nshe said\none day\n";
  for (const char* batch : {"1", "2", "8"}) {
    const Finished done = lab.attnlab(predict({"--batch", batch}), prompts);
    EXPECT_EQ(done.status, 2);
    EXPECT_THAT(done.err, HasSubstr("2 lines could not be answered and have an error in place of an answer"));
    const auto lines = lines_of(done, 2);
    ASSERT_EQ(lines.size(), 5U) << batch;
    EXPECT_EQ(lines[0]["prompt"], long_prompt);
    EXPECT_EQ(lines[2]["error"],
              "line 3 has 402 tokens, and the model is trained for 64 positions; beyond_positions=true reads "
              "on");
    EXPECT_FALSE(lines[2].contains("ids"));
    const auto alone = lines_of(lab.attnlab(predict({}), "the\nshe said\none day\n"));
    for (const auto& [at, of] : {std::pair(1, 0), {3, 1}, {4, 2}})
      EXPECT_EQ(lines[at]["ids"], alone[of]["ids"]);
  }
}

TEST(PredictFolder, AnEmptyLineHasNothingToContinueWithoutBos) {
  const Lab lab;
  put_model(lab);
  const auto lines = lines_of(lab.attnlab(predict({"add_bos=false"}), "the\n\none day"), 2);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1]["error"], "line 2 is empty, and without BOS there is nothing to continue");
  EXPECT_TRUE(lines[2].contains("ids"));
}

TEST(PredictFolder, PromptsMayHaveComeFromAnyEditor) {
  const Lab lab;
  put_model(lab);
  const auto plain = lines_of(lab.attnlab(predict({}), "the quick\none day"));
  for (const char* prompts : {"the quick\r\none day\r\n", "the quick\rone day\r",
                              "\xEF\xBB\xBFthe quick\none day\n", "\xEF\xBB\xBFthe quick\r\none day"}) {
    const auto lines = lines_of(lab.attnlab(predict({}), prompts));
    ASSERT_EQ(lines.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(lines[i]["prompt"], plain[i]["prompt"]);
      EXPECT_EQ(lines[i]["ids"], plain[i]["ids"]);
    }
  }
}

TEST(PredictFolder, PromptsInOtherEncodings) {
  const Lab lab;
  put_model(lab);
  const std::string utf16("\xFF\xFEt\0h\0e\0\n\0", 10);
  const Finished refused = lab.attnlab(predict({}), utf16);
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err,
              HasSubstr("error: standard input is in UTF-16, and texts are read as UTF-8: `iconv"));
  const Finished latin1 = lab.attnlab(predict({}), "the\ncaf\xE9\n");
  EXPECT_EQ(lines_of(latin1).at(1)["prompt"], "caf\uFFFD");
  EXPECT_THAT(latin1.err, HasSubstr("1 of 2 lines are not UTF-8 (the first: line 2: byte 0xe9)"));
  const auto mixed = lines_of(lab.attnlab(predict({}), "the\n" + utf16), 2);  // appended by another shell
  EXPECT_THAT(mixed.at(1)["error"], HasSubstr("line 2 is in UTF-16"));
  const auto first = lines_of(lab.attnlab(predict({}), std::string("t\0h\0e\0\n", 7) + "the\n"), 2);
  EXPECT_THAT(first.at(0)["error"], HasSubstr("line 1 is in UTF-16LE"));
  EXPECT_EQ(first.at(1)["prompt"], "the");
}

TEST(PredictFolder, SaysWhatItWasGivenInPlaceOfAModel) {
  const Lab lab;
  const fs::path cached = lab.path() / "hub/models--me--tiny";
  const fs::path old = cached / "snapshots/aaaa", newest = cached / "snapshots/bbbb";
  for (const fs::path& snapshot : {old, newest}) {
    fs::create_directories(snapshot);
    fs::copy(golden_files / "decoders/tied", snapshot);
  }
  lab.write("hub/models--me--tiny/refs/main", "bbbb");
  lab.write("adapter/adapter_config.json", R"({"base_model_name_or_path": "me/tiny"})");
  lab.write("torch/pytorch_model.bin", "PK");
  lab.write("x.gguf", "GGUF");
  fs::create_directory(lab.path() / "empty");
  lab.write("model.yaml", "task: perplexity\ndata: {type: texts, path: model.yaml}\n");
  for (const auto& [given, words] : std::vector<std::pair<std::string, std::string>>{
           {"hub/models--me--tiny", "lies in hub/models--me--tiny/snapshots/bbbb: give that folder"},
           {"hub", "lies in hub/models--me--tiny/snapshots/bbbb: give that folder"},
           {"hub/models--me--tiny/snapshots/aaaa/model.safetensors",
            "give its folder, hub/models--me--tiny/snap"},
           {"adapter",
            "is an adapter (adapter_config.json), which only changes a model: merge it into me/tiny"},
           {"torch", "pytorch_model.bin is in PyTorch's own format, which is not read"},
           {"x.gguf", "x.gguf is in GGUF, llama.cpp's format, which is not read"},
           {"empty",
            "empty is an empty folder: a model is read from a folder with config.json and model.safe"},
           {"me/tiny-7b", "`hf download me/tiny-7b --local-dir FOLDER` does"}})
    for (const Words& command : {Words{"predict", given}, Words{"run", "model.yaml", "model=" + given}}) {
      const Finished done = lab.attnlab(command, "the\n");
      EXPECT_EQ(done.status, 2);
      if (command.front() == "predict") {
        EXPECT_EQ(done.out, "");
      }
      EXPECT_THAT(done.err, HasSubstr(words)) << command.front();
      EXPECT_THAT(done.err,
                  testing::Not(testing::AnyOf(HasSubstr("folder of a run"), HasSubstr("text file"))));
    }
}

TEST(PredictFolder, NamesGitLfsWhereACloneHasNoFiles) {
  const Lab lab;
  put_model(lab);
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, '0') + "\nsize 1234567\n";
  for (const char* name : {"model/model.safetensors", "model/tokenizer.model", "model/config.json"}) {
    lab.write(name, pointer);
    const Finished done = lab.attnlab(predict({}), "the\n");
    EXPECT_EQ(done.status, 2);
    EXPECT_THAT(done.err, testing::AllOf(HasSubstr(name), HasSubstr("Git LFS"), HasSubstr("`git lfs pull`")));
  }
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
  EXPECT_THAT(refused(predict({"max_new_token=3"})), HasSubstr("did you mean 'max_new_tokens'?"));
  EXPECT_THAT(refused(predict({"--policy", "tova", "cache.protect_first=9", "--size", "4"})),
              HasSubstr("protecting the first 9 states leaves no room among 4"));
  EXPECT_THAT(refused(predict({"cache.protect=[zzzz]"})), HasSubstr("has no piece that is 'zzzz'"));
  EXPECT_THAT(refused(predict({"--index", "0"})), HasSubstr("is the folder of a model, not of a sweep"));
  fs::copy(golden_files / "decoders/llama", lab.path() / "other");
  EXPECT_THAT(
      refused({"predict", "other"}),
      HasSubstr("other holds no tokenizer: there is neither tokenizer.json nor tokenizer.model in it"));
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
