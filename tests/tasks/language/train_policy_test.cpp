// Training of a language model under a cache policy and from a pre-trained one: what it validates, draws and
// saves, how it resumes, what it refuses.
#include "tasks/language/train_policy.h"

#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>

#include "cache/policies/rkv.h"
#include "config/experiment.h"
#include "data/tokenizer.h"
#include "io/hf_folder.h"
#include "kernels/relative_error.h"
#include "run/test_folder.h"
#include "tasks/language/chunk_scorer.h"
#include "tasks/language/lm_losses.h"
#include "tasks/language/train_lm_task.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class TrainPolicy : public TrainLmTask {
 protected:
  TrainPolicy() {
    options.train.updates = 12;
    options.train.validate_interval = 6;
    options.train.policy.context = options.context;
    options.train.policy.cache.policy.select("tova");
    options.train.policy.cache.size = 8;
  }

  /// What reading the configuration refuses.
  std::string refused(const std::string& yaml) const {
    return refused_as("policy.yaml", "name: policy\n" + yaml);
  }
};

/// Perplexity of a text in chunks of `context` predicted tokens, scored as the task `perplexity` does.
double scored_perplexity(const HfModel& model, const std::vector<int64_t>& tokens, int64_t context,
                         const CacheOptions& cache) {
  ChunkScorer scorer(model.decoder, cache, {}, 0, 1);
  double sum = 0;
  const int64_t chunks = (static_cast<int64_t>(tokens.size()) - 1) / context;
  for (int64_t c = 0; c < chunks; ++c) {
    const auto begin = tokens.begin() + c * context;
    const std::vector<int64_t> chunk(begin, begin + context + 1);
    const ScoredBatch scored = scorer.score(std::span(&chunk, 1), false);
    for (const double nll : scored.chunks[0].nll) sum += nll;
  }
  return std::exp(sum / static_cast<double>(chunks * context));
}

TEST_F(TrainPolicy, ValidatesAsTheModelIsScoredUnderThePolicy) {
  const MemoryRecord record = run("run");
  HfModel saved = load_hf_folder(folder / "run/model");
  const Tokenizer tokenizer = Tokenizer::open(folder / "run/model/tokenizer.model");
  std::vector<int64_t> tokens = tokenizer.encode(content(folder / "held_out/story.txt"), true);
  tokens.push_back(*tokenizer.eos_id());
  const double recorded = record.summaries.at("perplexity_validation").value;
  EXPECT_NEAR(scored_perplexity(saved, tokens, 32, options.train.policy.cache), recorded, 1e-5 * recorded);
  EXPECT_GT(std::abs(scored_perplexity(saved, tokens, 32, {}) - recorded), 1e-3 * recorded);
}

TEST_F(TrainPolicy, ChangesWhatIsLearned) {
  run("with");
  options.train.policy.cache.policy.select("full");
  run("without");
  EXPECT_NE(weights("with"), weights("without"));
}

TEST_F(TrainPolicy, WhereEverythingIsKeptTrainsAsWithout) {
  options.train.policy.full = 1;
  run("drawn");
  options.train.policy = {};
  run("without");
  EXPECT_EQ(weights("drawn"), weights("without"));
}

TEST_F(TrainPolicy, DrawsSizesByMicroBatchAlone) {
  PolicyTraining policy = options.train.policy;
  policy.sizes = {4, 8, 16};
  policy.full = 0.25;
  std::map<int64_t, int64_t> counts;  // 0: everything is kept
  for (int64_t m = 0; m < 4000; ++m) {
    const auto drawn = policy.drawn(1, m);
    ++counts[drawn ? drawn->size : 0];
    const auto again = policy.drawn(1, m);
    EXPECT_EQ(drawn ? drawn->size : 0, again ? again->size : 0);
  }
  EXPECT_EQ(counts.size(), 4U);
  for (const auto& [size, count] : counts) EXPECT_NEAR(static_cast<double>(count), 1000, 110) << size;
  policy.full = 0;
  policy.sizes.clear();
  policy.cache.share = "1/4";
  EXPECT_EQ(policy.drawn(1, 7)->size, 8);
}

TEST_F(TrainPolicy, ResumesToTheSameBitsWithSizesDrawnAndMicroBatchesAccumulated) {
  options.train.policy.sizes = {4, 8, 16};
  options.train.policy.full = 0.2;
  options.train.policy.reconstruction = 0.5;
  options.train.policy.cache.policy.select("random");
  options.batch_size = 2;
  options.train.accumulate = 2;
  options.train.checkpoint_interval = 3;
  options.train.checkpoint_seconds = 0;
  run("whole");
  run_cut("cut", {5, 4});
  FileRecord record = record_of("cut");
  EXPECT_GT(record.rows("/train"), 5);
  options.run(context("cut"), record);
  EXPECT_EQ(weights("cut"), weights("whole"));
}

TEST_F(TrainPolicy, ReconstructionIsASecondLoss) {
  run("one");
  options.train.policy.reconstruction = 3;
  run("two");
  EXPECT_NE(weights("one"), weights("two"));
}

TEST_F(TrainPolicy, ReconstructionLeavesOutWhatFillsTextsUp) {
  torch::manual_seed(3);
  Decoder decoder(DecoderOptions{.vocabulary = 20, .dim = 8, .ffn_dim = 8, .layers = 2, .heads = 2});
  const std::vector<int64_t> text{1, 5, 9, 3, 7, 7, 2, 11, 4, 6, 8, 13};
  const LearnedTokens alone = ends_learned({text}, {4});
  LearnedTokens filled_up = alone;
  filled_up.ids_BT = torch::zeros({1, 40}, torch::kLong);
  filled_up.ids_BT.narrow(1, 0, alone.ids_BT.size(1)).copy_(alone.ids_BT);
  filled_up.real_BT = torch::zeros({1, 39});
  filled_up.real_BT.narrow(1, 0, alone.real_BT.size(1)).fill_(1);
  PolicyTraining policy = options.train.policy;
  policy.cache.size = 4;
  policy.reconstruction = 2;
  const LmLosses losses(decoder, policy, 1);
  const double both = losses.training(alone, 0).item<double>();
  EXPECT_NEAR(losses.training(filled_up, 0).item<double>(), both, 1e-6);
  policy.reconstruction = 0;
  EXPECT_LT(losses.training(alone, 0).item<double>(), both) << "without the second loss";
}

TEST_F(TrainPolicy, RefusesBeforeTrainingASizeThatMayBeDrawnAndDoesNotFit) {
  const Decoder decoder(DecoderOptions{.vocabulary = 20, .dim = 8, .ffn_dim = 8, .layers = 2, .heads = 2});
  PolicyTraining policy;
  policy.context = 64;
  policy.cache.policy.select("rkv");
  dynamic_cast<RkvOptions&>(*policy.cache.policy).window = 8;
  policy.cache.size = 32;
  policy.sizes = {8, 32};
  EXPECT_EQ(user_error_of([&] { LmLosses(decoder, policy, 1); }),
            "train.policy does not fit the model: rkv keeps the 8 states that it observes: a size of 8 "
            "leaves no room for "
            "others");
}

TEST_F(TrainPolicy, ALargeVocabularysLossIsTheSame) {
  DecoderOptions sizes{.vocabulary = 40'000, .dim = 8, .ffn_dim = 8, .layers = 1, .heads = 1};
  torch::manual_seed(2);
  Decoder decoder(sizes);
  const torch::Tensor ids_BT = torch::randint(40'000, {1, 1001}, torch::kLong);
  const PolicyTraining all;
  const LmLosses losses(decoder, all, 1);
  const torch::Tensor loss = losses.training({ids_BT, {}}, 0);
  loss.backward();
  const torch::Tensor ours = decoder->output_weight().grad().clone();
  decoder->zero_grad();
  const torch::Tensor logits =
      decoder->logits(decoder->forward_training(ids_BT.narrow(1, 0, 1000))).flatten(0, 1).to(torch::kDouble);
  const torch::Tensor expected = torch::cross_entropy_loss(logits, ids_BT.narrow(1, 1, 1000).flatten());
  expected.backward();
  EXPECT_NEAR(loss.item<double>(), expected.item<double>(), 1e-6);
  EXPECT_LT(relative_error(ours, decoder->output_weight().grad()), 1e-5);
}

TEST_F(TrainPolicy, RefusesWhatCannotBeTrainedWith) {
  EXPECT_THAT(refused("context: 64\ntrain:\n  policy:\n    cache: {policy: merging, size: 8}\n"),
              AllOf(HasSubstr("policy.yaml:5: train.policy.cache: names merging, under which dropped states"),
                    HasSubstr("only policies that forget")));
  EXPECT_THAT(refused("train: {policy: {cache: {policy: snapkv, size: 80, prompt: one_shot}}}\n"),
              HasSubstr("policy.yaml:2: train.policy.cache: names snapkv, which drops states only after"));
  EXPECT_THAT(refused("train: {policy: {cache: {policy: tova, size: 8, prompt: one_shot}}}\n"),
              HasSubstr("prompt: one_shot"));
  EXPECT_THAT(refused("train: {policy: {cache: {policy: tova, size: 8, protect: ['.']}}}\n"),
              HasSubstr("train.policy.cache: protects tokens by what they say"));
}

TEST_F(TrainPolicy, RefusesSizesThatDropNothing) {
  const std::string no_fewer = " states are no fewer than the 64 tokens of a text: nothing would be dropped";
  EXPECT_THAT(refused("context: 64\ntrain:\n  policy:\n    cache: {policy: tova, size: 64}\n"),
              HasSubstr("policy.yaml:5: train.policy.cache: 64" + no_fewer));
  EXPECT_THAT(refused("context: 64\ntrain: {policy: {cache: {policy: tova, share: 1/8, size: 16}}}\n"),
              HasSubstr("size: has no effect beside share, which is '1/8'"));
  EXPECT_THAT(refused("context: 64\ntrain: {policy: {cache: {policy: tova, share: '1'}}}\n"),
              HasSubstr("train.policy.cache: 64" + no_fewer));
  EXPECT_THAT(refused("context: 64\ntrain: {policy: {cache: {policy: tova, size: 8}, sizes: [8, 128]}}\n"),
              HasSubstr("policy.yaml:3: train.policy.sizes: 128" + no_fewer));
  EXPECT_THAT(refused("train: {policy: {sizes: [8]}}\n"),
              HasSubstr("train.policy.sizes: are of no effect under cache.policy full"));
  EXPECT_THAT(refused("train: {policy: {full: 0.5}}\n"), HasSubstr("train.policy.full: is of no effect"));
  EXPECT_THAT(refused("train: {policy: {cache: {policy: tova, size: 8, protect_first: 4}, sizes: [4, 8]}}\n"),
              HasSubstr("train.policy.sizes: leave no room where the first 4 states are protected"));
  EXPECT_EQ(refused("context: 64\ntrain: {policy: {cache: {policy: tova, size: 80, budget: pyramid}}}\n"), "")
      << "the last layer keeps 40";
  EXPECT_EQ(refused("train: {policy: {cache: {policy: tova, share: 1/8}, sizes: [64, 256], full: 0.1}}\n"),
            "");
}

TEST_F(TrainPolicy, RefusesOptionsOfNoEffect) {
  EXPECT_THAT(refused("train: {policy: {cache: {share: 1/8}}}\n"),
              HasSubstr("train.policy.cache: has options of no effect: its policy is full"));
  EXPECT_EQ(refused("train: {policy: {cache: {policy: full, size: 16}}}\n"), "") << "every policy's key";
  EXPECT_THAT(refused("train: {policy: {cache: {policy: tova, size: 8}, full: 1, sizes: [8, 16]}}\n"),
              HasSubstr("train.policy.full: is 1: every micro-batch keeps everything"));
}

TEST_F(TrainPolicy, RefusesWhatDropsNothingInTheModelThatIsTrained) {
  const auto refused_with = [&](const std::string& model, const std::string& cache) {
    return refused("context: 64\nmodel: {layers: 2, " + model + "}\ntrain: {policy: {cache: {policy: tova, " +
                   cache + "}}}\n");
  };
  const std::string none = ": nothing would be dropped";
  EXPECT_THAT(refused_with("heads: 2", "size: 16, prompt: pieces, piece: 64"),
              HasSubstr("drops states every 64 tokens"));
  EXPECT_THAT(
      refused_with("heads: 2", "budget: list, sizes: [8, 300], only_layers: [1]"),
      HasSubstr("policy.yaml:4: train: has a policy that bounds no layer below the 64 tokens of a text" +
                none));
  EXPECT_THAT(
      refused_with("sliding_window: 16", "size: 32"),
      HasSubstr("has a policy that keeps 32 states, and the model looks back no further than 16 tokens" +
                none));
  EXPECT_EQ(refused_with("sliding_window: 16", "size: 15"), "");
  EXPECT_THAT(refused_with("heads: 2", "budget: list, sizes: [4, 4, 4]"),
              HasSubstr("policy.yaml:4: train: has a policy that does not fit the model: "));
  EXPECT_THAT(refused_with("heads: 2", "size: 8, only_layers: [7]"),
              HasSubstr("has a policy that does not fit the model: "));
}

TEST_F(TrainPolicy, ToldIsWhatLayersMissOfTheTextsHeldOut) {
  const MemoryRecord without = run("without");
  const double missed = without.summaries.at("reconstruction_validation").value;
  EXPECT_GT(missed, 0);
  EXPECT_EQ(std::get<double>(without.tables.at("/eval/validation_curve").back().back()), missed);
  options.train.policy.reconstruction = 30;
  EXPECT_LT(run("with").summaries.at("reconstruction_validation").value, missed) << "as it is trained to";
  options.train.policy = {};
  EXPECT_EQ(run("full").summaries.count("reconstruction_validation"), 0U);
}

TEST_F(TrainPolicy, RefusesLunaWhoseLayersKeepNoTokens) {
  EXPECT_THAT(
      refused("model: {attention: luna}\ntrain: {policy: {cache: {policy: tova, size: 8}}}\n"),
      HasSubstr("policy.yaml:3: train: drops tokens under train.policy, of which luna's layers keep none"));
}

class StartFrom : public TrainPolicy {
 protected:
  StartFrom() {
    options.train.policy = {};
    run("first");
    options.start_from = (folder / "first").string();
    options.model = {};
    options.tokenizer = {};
  }
};

TEST_F(StartFrom, GoesOnFromAModelAndItsTokenizer) {
  options.train.learning_rate = 0;
  const MemoryRecord record = run("same");
  EXPECT_EQ(content(folder / "same/model/model.safetensors"),
            content(folder / "first/model/model.safetensors"));
  EXPECT_EQ(content(folder / "same/model/tokenizer.model"), content(folder / "first/model/tokenizer.model"));
  const auto json = [&](const std::string& file) { return nlohmann::json::parse(content(folder / file)); };
  for (const std::string file : {"config.json", "generation_config.json", "tokenizer_config.json"})
    EXPECT_EQ(json("same/model/" + file), json("first/model/" + file)) << file;
  EXPECT_TRUE(record.attributes.contains("model_checksum"));
  options.train.learning_rate = 0.01;
  const MemoryRecord tuned = run("tuned");
  EXPECT_LT(tuned.summaries.at("perplexity_validation").value,
            record.summaries.at("perplexity_validation").value);
}

TEST_F(StartFrom, CarriesOverWhatAFolderOfAnotherMakersSays) {
  const fs::path given = folder / "given";
  fs::create_directories(given);
  fs::copy(folder / "first/model", given, fs::copy_options::recursive);
  const auto change = [&](const char* file, const char* key, const nlohmann::json& value) {
    auto json = nlohmann::json::parse(content(given / file));
    json[key] = value;
    write(std::string("given/") + file, json.dump());
  };
  change("tokenizer_config.json", "chat_template", "{{ messages }}");
  change("tokenizer_config.json", "add_bos_token", false);
  change("generation_config.json", "eos_token_id", {2, 7});
  change("config.json", "attnlab_weights", "Q4_1");
  options.start_from = given.string();
  options.train.updates = 1;
  run("carried");
  const HfConfig config = read_hf_config(folder / "carried/model"), before = read_hf_config(given);
  EXPECT_EQ(config.chat_template, "{{ messages }}");
  EXPECT_FALSE(config.add_bos);
  EXPECT_EQ(config.eos_ids, (std::vector<int64_t>{2, 7}));
  EXPECT_EQ(before.stored_as, "Q4_1");
  EXPECT_EQ(config.stored_as, "");  // no longer what was stored
}

TEST_F(StartFrom, ResumesToTheSameBits) {
  options.train.checkpoint_interval = 4;
  options.train.checkpoint_seconds = 0;
  run("whole");
  run_cut("cut", {6});
  FileRecord record = record_of("cut");
  options.run(context("cut"), record);
  EXPECT_EQ(weights("cut"), weights("whole"));
}

TEST_F(StartFrom, RefusesWhatContradictsTheFolder) {
  const std::string start = "start_from: " + (folder / "first").string() + "\n";
  EXPECT_THAT(refused(start + "model: {dim: 8}\n"), HasSubstr("policy.yaml:3: model: has sizes of its own"));
  EXPECT_THAT(refused(start + "tokenizer: {vocabulary: 300}\n"),
              HasSubstr("policy.yaml:3: tokenizer: is chosen here, but it is that of start_from"));
  options.context = 64;
  EXPECT_THAT(refusal("long"),
              HasSubstr("context: 64 tokens are more than the 32 positions of the model in"));
  options.context = 32;
  options.start_from = (folder / "missing").string();
  EXPECT_THAT(refusal("nowhere"), HasSubstr("there is no folder"));
}

}  // namespace
}  // namespace attnlab
