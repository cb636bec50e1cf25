// A decoder-only Luna through the program: trained, scored, continued; and states of texts that are kept in a
// file, Luna's and a Transformer's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "lab.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

constexpr const char* train_yaml = R"(name: language
task: train_lm
device: cpu
threads: 1
data: {type: texts, path: texts}
validation: {type: texts, path: texts}
tokenizer: {bytes: true}
model: {dim: 16, ffn_dim: 32, layers: 2, heads: 2, max_positions: 96, attention: {type: luna, length: 4}}
context: 64
batch_size: 2
train: {updates: 6, validate_interval: 3, learning_rate: 0.01}
)";

class LunaLanguage : public testing::Test {
 protected:
  LunaLanguage() {
    lab.write("texts/story.txt", contents_of(ATTNLAB_SOURCE_DIR "/tests/golden/story.txt"));
    lab.write("language.yaml", train_yaml);
  }

  /// The folder of a model that was trained for six updates.
  std::string trained(const Words& more = {}) const {
    Words words{"run", "language.yaml"};
    words.insert(words.end(), more.begin(), more.end());
    const Finished run = lab.attnlab(words);
    EXPECT_EQ(run.status, 0) << run.err;
    return (lab.run_folder("language") / "model").string();
  }

  Finished predict(const std::string& model, const Words& more, const std::string& input) const {
    Words words{"predict", model, "max_new_tokens=20", "threads=1", "ignore_eos=true"};
    words.insert(words.end(), more.begin(), more.end());
    return lab.attnlab(words, input);
  }

  static json only_line(const Finished& done) {
    EXPECT_EQ(done.status, 0) << done.err;
    return json::parse(done.out.substr(0, done.out.find('\n')));
  }

  Lab lab;
};

std::string ids_line(const std::vector<int64_t>& ids) { return json{{"ids", ids}}.dump() + "\n"; }

std::vector<int64_t> some_ids(int64_t from, int64_t n) {
  std::vector<int64_t> ids;
  for (int64_t i = from; i < from + n; ++i) ids.push_back(2 + (i * i * 7 + 31 * i) % 256);
  return ids;
}

TEST_F(LunaLanguage, IsTrainedScoredAndContinued) {
  const std::string model = trained();
  const json config = json::parse(contents_of(fs::path(model) / "config.json"));
  EXPECT_EQ(config["vocab_size"], 258);  // bytes, BOS and EOS
  EXPECT_EQ(config["model_type"], "attnlab_luna");
  lab.write("score.yaml",
            "name: score\ntask: perplexity\ndevice: cpu\nthreads: 1\ndata: {type: texts, path: texts}\n"
            "chunks: {length: 64}\n");
  EXPECT_EQ(lab.attnlab({"run", "score.yaml", "model=" + model}).status, 0);
  const json table =
      json::parse(lab.attnlab({"table", "score.yaml", "model=" + model, "--format", "json"}).out);
  const std::string figures = table.dump();
  EXPECT_THAT(figures, HasSubstr("\"perplexity\""));
  // Two layers, two heads, 4 rows of twice 8 fp32 numbers, and two counts.
  EXPECT_THAT(lab.attnlab({"table", "score.yaml", "model=" + model, "--format", "csv"}).out,
              HasSubstr(std::to_string(2 * (2 * 4 * 16 * 4 + 8))));

  const std::string text = "Once upon a time – there was a café";
  const json line = only_line(predict(model, {"with_prompt_ids=true"}, text + "\n"));
  EXPECT_EQ(line["prompt_tokens"], text.size() + 1);  // bytes, and BOS
  EXPECT_EQ(line["new_tokens"], 20);
  const json longer = only_line(predict(model, {}, text + text + "\n"));
  EXPECT_EQ(line["cache_bytes"], longer["cache_bytes"]);
}

TEST_F(LunaLanguage, ContinuesATextOfOneByteAsItContinuesALongerOne) {
  const std::string model = trained();
  const Words bare{"add_bos=false", "with_prompt_ids=true"};
  const json one = only_line(predict(model, bare, "O\n"));
  EXPECT_EQ(one["prompt_tokens"], 1);
  EXPECT_EQ(one["new_tokens"], 20);
  // What it wrote, given as a text: its sums are then those of a text read at once.
  std::vector<int64_t> ids = one["prompt_ids"];
  const std::vector<int64_t> written = one["ids"];
  ids.insert(ids.end(), written.begin(), written.begin() + 9);
  const std::vector<int64_t> on = only_line(predict(model, {}, ids_line(ids)))["ids"];
  EXPECT_EQ(std::vector<int64_t>(on.begin(), on.begin() + 11),
            std::vector<int64_t>(written.begin() + 9, written.end()));
  // And an empty text is BOS alone.
  const json empty = only_line(predict(model, {"add_bos=true"}, "\n"));
  EXPECT_EQ(empty["prompt_tokens"], 1);
  EXPECT_EQ(empty["new_tokens"], 20);
}

TEST_F(LunaLanguage, AnExperimentNamesTheRunThatTrainsItsModel) {
  lab.write("pair.yaml", std::string(train_yaml) +
                             "sweep:\n  cases:\n    - {label: short, batch_tokens: 64}\n"
                             "    - {label: long, batch_tokens: 128}\n  grid: {train.updates: [1, 2]}\n");
  lab.write("more/score.yaml",
            "name: score\ntask: perplexity\ndevice: cpu\nthreads: 1\ndata: {type: texts, path: texts}\n"
            "chunks: {length: 64}\nmodel: ../pair.yaml#long train.updates=2\n");
  const Finished early = lab.attnlab({"run", "more/score.yaml"});
  EXPECT_EQ(early.status, 2);
  EXPECT_THAT(early.err, HasSubstr("that run comes first"));
  EXPECT_EQ(lab.attnlab({"run", "pair.yaml", "--index", "3"}).status, 0);
  const Finished scored = lab.attnlab({"run", "more/score.yaml"});
  EXPECT_EQ(scored.status, 0) << scored.err;
  EXPECT_THAT(lab.attnlab({"show", "more/score.yaml"}).out,
              HasSubstr("model: " + lab.run_folder("language").string()));
  EXPECT_THAT(lab.attnlab({"show", "more/score.yaml", "model=pair.yaml#lang"}).err,
              HasSubstr("pair.yaml has no run 'lang'; choose from short train.updates=1"));
}

TEST_F(LunaLanguage, ABatchOfUnequalPromptsChangesNothing) {
  const std::string model = trained(), lines = ids_line(some_ids(0, 3)) + ids_line(some_ids(5, 40));
  const Finished apart = predict(model, {}, lines), together = predict(model, {"batch=2"}, lines);
  const auto ids = [](const Finished& done) {
    std::vector<json> all;
    std::istringstream out(done.out);
    for (std::string line; std::getline(out, line);) all.push_back(json::parse(line)["ids"]);
    return all;
  };
  EXPECT_EQ(ids(apart).size(), 2U);
  EXPECT_EQ(ids(apart), ids(together));
}

TEST_F(LunaLanguage, OtherCachesAreRefused) {
  const std::string model = trained();
  const std::string sentence =
      "the model's attention is Luna, which keeps 4 × 2d sums a head and no tokens: ";
  const Finished predicted = predict(model, {"cache.policy=tova"}, "a\n");
  EXPECT_EQ(predicted.status, 2);
  EXPECT_EQ(predicted.out, "");
  EXPECT_THAT(predicted.err, HasSubstr(sentence + "cache.policy must be full, not tova"));
  lab.write("score.yaml",
            "task: perplexity\ndevice: cpu\ndata: {type: texts, path: texts}\nchunks: {length: 64}\n");
  const Finished scored = lab.attnlab({"run", "score.yaml", "model=" + model, "cache.precision=bf16"});
  EXPECT_EQ(scored.status, 2);
  EXPECT_THAT(scored.err, HasSubstr(sentence + "cache.precision must be model, not bf16"));
}

TEST_F(LunaLanguage, SizesThatHaveNoSumsAreRefusedWithFileAndKey) {
  const auto said = [&](const std::string& key) { return lab.attnlab({"show", "language.yaml", key}).err; };
  EXPECT_THAT(said("model.kv_heads=1"), HasSubstr("kv_heads must be 2, or 0, not 1"));
  EXPECT_THAT(said("model.sliding_window=8"), HasSubstr("sliding_window must be 0, not 8"));
  EXPECT_THAT(said("model.attention.length=0"), HasSubstr("model.attention.length"));
  EXPECT_THAT(said("model.attention.omega=relu"), HasSubstr("elu, softplus"));
  EXPECT_THAT(said("tokenizer.path=texts"), HasSubstr("tokenizer.bytes"));
  EXPECT_THAT(said("batch_tokens=100"),
              HasSubstr("batch_tokens: 100 is no multiple of the 64 tokens of a chunk"));
}

class KeptState : public LunaLanguage, public testing::WithParamInterface<const char*> {};

TEST_P(KeptState, GoesOnAsIfNothingHadBeenBetween) {
  const std::string model = trained({std::string("model.attention=") + GetParam()});
  const auto first = some_ids(0, 37), second = some_ids(37, 11);
  auto all = first;
  all.insert(all.end(), second.begin(), second.end());
  const json at_once = only_line(predict(model, {}, ids_line(all)));
  const json before = only_line(predict(model, {"--save-state", "a.safetensors"}, ids_line(first)));
  EXPECT_EQ(before["ids"], only_line(predict(model, {}, ids_line(first)))["ids"]);

  const Words load{"--load-state", "a.safetensors"};
  const json later = only_line(predict(model, load, ids_line(second)));
  EXPECT_EQ(later["ids"], at_once["ids"]);
  EXPECT_EQ(later["text"], at_once["text"]);
  EXPECT_EQ(later["read_before"], 37);
  EXPECT_EQ(later["prompt_tokens"], 11);
  EXPECT_EQ(only_line(predict(model, load, "\n"))["ids"], before["ids"]);

  // On, and kept again; and two ways to go on from one state.
  Words on = load;
  on.insert(on.end(), {"--save-state", "b.safetensors"});
  EXPECT_EQ(only_line(predict(model, on, ids_line(second)))["ids"], at_once["ids"]);
  const Words from_b{"--load-state", "b.safetensors"};
  EXPECT_EQ(only_line(predict(model, from_b, "\n"))["ids"], at_once["ids"]);
  Words both = load;
  both.emplace_back("batch=2");
  const Finished two = predict(model, both, ids_line(second) + "\n");
  std::istringstream out(two.out);
  std::string line;
  for (const json& expected : {at_once, before}) {
    ASSERT_TRUE(std::getline(out, line)) << two.err;
    EXPECT_EQ(json::parse(line)["ids"], expected["ids"]);
  }
}
INSTANTIATE_TEST_SUITE_P(Of, KeptState, testing::Values("luna", "softmax"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(LunaLanguage, AStateThatCannotServeIsRefused) {
  const std::string model = trained(), line = ids_line(some_ids(0, 9));
  const auto said_of = [&](const std::string& folder, const Words& more, const std::string& input) {
    const Finished done = predict(folder, more, input);
    EXPECT_EQ(done.status, 2);
    return done.err;
  };
  const auto said = [&](const Words& more, const std::string& input) { return said_of(model, more, input); };
  EXPECT_THAT(said({"save_state=a.safetensors"}, line + line), HasSubstr("there is a second line"));
  EXPECT_THAT(said({"load_state=none.safetensors"}, line), HasSubstr("none.safetensors"));
  EXPECT_THAT(said({"load_state=" + model + "/model.safetensors"}, line),
              HasSubstr("holds no state that save_state has written"));
  lab.write("a.txt", "no tensors");
  EXPECT_THAT(said({"load_state=a.txt"}, line), HasSubstr("a.txt"));
  const std::string answer = predict(model, {"load_state=a.safetensors"}, ids_line(some_ids(0, 90))).out;
  EXPECT_THAT(answer, HasSubstr("line 1 has 99 tokens, and the model is trained for 96 positions"));

  fs::remove_all(lab.results());
  EXPECT_THAT(said_of(trained({"seed=2"}), {"load_state=a.safetensors"}, line),
              HasSubstr("a.safetensors is the state of another model"));
  fs::remove_all(lab.results());
  EXPECT_THAT(
      said_of(trained({"model.attention=softmax"}), {"save_state=b.safetensors", "cache.policy=tova"}, line),
      HasSubstr("keep what cache.policy=full remembers, and not yet what tova does"));
}

}  // namespace
}  // namespace attnlab
