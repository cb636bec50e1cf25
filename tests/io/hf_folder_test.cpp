// Decoders in Hugging Face's folders against transformers' own logits (tests/golden/make_decoder_logits.py).
#include "io/hf_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "io/safetensors.h"
#include "io/temporary.h"
#include "mirror.h"
#include "models/decoder_luna.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json golden_json(const std::string& name) {
  std::ifstream in(std::string(ATTNLAB_SOURCE_DIR "/tests/golden/") + name);
  return json::parse(in);
}

fs::path golden_folder(const std::string& name) {
  return fs::path(ATTNLAB_SOURCE_DIR) / "tests/golden/decoders" / name;
}

torch::Tensor ids_of(const json& ids) { return torch::tensor(ids.get<std::vector<int64_t>>()).unsqueeze(0); }

torch::Tensor row_of(const json& values) {
  return torch::tensor(values.get<std::vector<double>>(), torch::kDouble);
}

/// Logits [T, V] of one text.
torch::Tensor logits_of(HfModel& model, const torch::Tensor& ids_BT, const CacheOptions& cache = {}) {
  const torch::NoGradGuard no_grad;
  const torch::Dtype type = model.decoder->activations().dtype().toScalarType();
  DecoderState states = make_states(cache, state_shape(model.config.decoder), {.dtype = type});
  const torch::Tensor positions_BT = torch::arange(ids_BT.size(1), torch::kLong).unsqueeze(0);
  return model.decoder->logits(model.decoder->forward(ids_BT, positions_BT, {}, states))[0];
}

double largest(const torch::Tensor& x) { return x.abs().max().item<double>(); }

class GoldenDecoder : public testing::TestWithParam<const char*> {};

TEST_P(GoldenDecoder, LogitsAreThoseOfTransformers) {
  const json golden = golden_json("decoder_logits.json");
  HfModel model = load_hf_folder(golden_folder(GetParam()), {.type = torch::kFloat});
  const torch::Tensor ids_BT = ids_of(golden["ids"]);
  const torch::Tensor rows = torch::tensor(golden["rows"].get<std::vector<int64_t>>());
  const torch::Tensor expected = row_of(golden["logits"][GetParam()]).view({rows.size(0), -1});
  EXPECT_GT(expected.std().item<double>(), 1.0);
  EXPECT_LT(largest(logits_of(model, ids_BT).index_select(0, rows) - expected), 1e-4);
  const torch::Tensor trained = model.decoder->logits(model.decoder->forward_training(ids_BT))[0];
  EXPECT_LT(largest(trained.index_select(0, rows) - expected), 1e-4);
}

/// Weights in bf16 and all else in fp32: nearer to the logits in fp32 than transformers is, which rounds
/// everything.
TEST_P(GoldenDecoder, LogitsOfWeightsInBrainFloatAreCloserThanThoseOfTransformers) {
  const json golden = golden_json("decoder_logits.json");
  HfModel model = load_hf_folder(golden_folder(GetParam()), {.type = torch::kBFloat16});
  const torch::Tensor rows = torch::tensor(golden["rows"].get<std::vector<int64_t>>());
  const torch::Tensor expected = row_of(golden["logits"][GetParam()]).view({rows.size(0), -1});
  const double allowed = 1.0 * golden["bf16_error"][GetParam()].get<double>();
  CacheOptions ample;  // has room for the whole text, so that nothing is dropped
  ample.policy.select("tova");
  for (const CacheOptions& cache : {CacheOptions{}, ample}) {
    const torch::Tensor logits = logits_of(model, ids_of(golden["ids"]), cache);
    EXPECT_EQ(logits.scalar_type(), torch::kFloat);
    const torch::Tensor error = logits.index_select(0, rows).to(torch::kDouble) - expected;
    EXPECT_LT(error.square().mean().sqrt().item<double>(), allowed) << cache.policy.name();
  }
}

INSTANTIATE_TEST_SUITE_P(Every, GoldenDecoder,
                         testing::Values("llama", "mistral", "yi", "tied", "llama3", "llama3_newer", "linear",
                                         "yarn", "qwen2", "qwen3"),
                         [](const auto& info) { return std::string(info.param); });

TEST(HfFolder, ReadsWhatTheConfigurationsSay) {
  const DecoderOptions llama = read_hf_config(golden_folder("llama")).decoder;
  EXPECT_EQ(llama.rope_theta, 500.0);  // in rope_parameters
  EXPECT_EQ(llama.head_dim, 8);        // not 24 / 4
  EXPECT_EQ(llama.max_positions, 64);
  const HfConfig mistral = read_hf_config(golden_folder("mistral"));
  EXPECT_EQ(mistral.decoder.sliding_window, 5);
  EXPECT_EQ(mistral.decoder.kv_heads, 2);
  EXPECT_EQ(mistral.eos_ids, std::vector<int64_t>{2});
  EXPECT_TRUE(mistral.add_bos);
  const HfConfig yi = read_hf_config(golden_folder("yi"));
  EXPECT_EQ(yi.decoder.rope_theta, 5e6);
  EXPECT_EQ(yi.decoder.head_dim, 6);  // absent
  EXPECT_EQ(yi.type, torch::kBFloat16);
  EXPECT_FALSE(yi.add_bos);
  const DecoderOptions tied = read_hf_config(golden_folder("tied")).decoder;
  EXPECT_TRUE(tied.tied_embeddings);
  EXPECT_EQ(tied.rope_theta, 1e4);  // absent
}

TEST(HfFolder, ReadsWhatFamiliesHaveOfTheirOwn) {
  const HfConfig llama3 = read_hf_config(golden_folder("llama3"));
  EXPECT_EQ(llama3.decoder.rope_scaling.kind, RopeScaling::Kind::llama3);
  EXPECT_EQ(llama3.eos_ids, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(read_hf_config(golden_folder("llama3_newer")).decoder.rope_scaling, llama3.decoder.rope_scaling)
      << "in rope_parameters";
  const DecoderOptions qwen2 = read_hf_config(golden_folder("qwen2")).decoder;
  EXPECT_TRUE(qwen2.qkv_bias);
  EXPECT_FALSE(qwen2.o_bias);
  EXPECT_EQ(qwen2.sliding_window, 0) << "use_sliding_window is false";
  EXPECT_TRUE(read_hf_config(golden_folder("linear")).decoder.o_bias);
  EXPECT_TRUE(read_hf_config(golden_folder("qwen3")).decoder.qk_norm);
}

TEST(HfFolder, AWindowHoldsWhereLayerTypesSaySo) {
  const Temporary folder;
  json config = json::parse(read_bytes(golden_folder("qwen2") / "config.json"));
  config["use_sliding_window"] = true;
  config["sliding_window"] = 5;
  const auto window = [&] {
    std::ofstream(folder.path() / "config.json") << config.dump();
    return read_hf_config(folder.path()).decoder.sliding_window;
  };
  const auto layers = config["num_hidden_layers"].get<std::size_t>();
  config["max_window_layers"] = layers;
  EXPECT_EQ(window(), 0);
  config["layer_types"] = std::vector<std::string>(layers, "sliding_attention");
  EXPECT_EQ(window(), 5);
  config["layer_types"] = std::vector<std::string>(layers, "full_attention");
  config["max_window_layers"] = 0;
  EXPECT_EQ(window(), 0);
}

TEST(HfFolder, SaysHowConvertedWeightsWereStored) {
  const Temporary folder;
  std::filesystem::copy(golden_folder("llama"), folder.path() / "model");
  EXPECT_EQ(read_hf_config(folder.path() / "model").stored_as, "");
  json config = json::parse(read_bytes(folder.path() / "model/config.json"));
  config["attnlab_weights"] = "Q4_1";
  write_bytes(folder.path() / "model/config.json", config.dump());
  EXPECT_EQ(read_hf_config(folder.path() / "model").stored_as, "Q4_1");
}

TEST(HfFolder, EveryFamilyIsWrittenSoThatItIsReadBack) {
  for (const char* name : {"llama", "mistral", "tied", "llama3", "linear", "yarn", "qwen2", "qwen3"}) {
    const Temporary folder;
    HfModel model = load_hf_folder(golden_folder(name));
    save_hf_folder(folder.path(), model.decoder, model.config);
    HfModel again = load_hf_folder(folder.path());
    const torch::Tensor ids_BT = torch::arange(12, torch::kLong).view({1, 12});
    const torch::Tensor a = model.decoder->forward_training(ids_BT),
                        b = again.decoder->forward_training(ids_BT);
    EXPECT_EQ(largest(a - b), 0.0) << name;
  }
}

TEST(HfFolder, ALunaModelIsWrittenSoThatItIsReadBack) {
  for (const bool tied : {false, true}) {
    DecoderOptions sizes = read_hf_config(golden_folder("tied")).decoder;
    sizes.kv_heads = sizes.heads;
    sizes.attention.select("luna");
    auto& luna = dynamic_cast<DecoderLunaOptions&>(*sizes.attention);
    luna.length = 3;
    luna.sums.tie_kv = tied;
    luna.positions = tied ? LunaPositions::rotary : LunaPositions::sinusoidal;
    luna.sums.omega = tied ? CausalLunaOptions::Omega::elu : CausalLunaOptions::Omega::softplus;
    Decoder decoder(sizes);
    const Temporary folder;
    save_hf_folder(folder.path(), decoder, {});
    HfModel again = load_hf_folder(folder.path(), {.trainable = true});
    ASSERT_EQ(again.config.decoder.attention.name(), "luna");
    EXPECT_EQ(again.config.decoder.attention->rows_of_sums(), 3);
    const torch::Tensor ids_BT = torch::arange(12, torch::kLong).view({1, 12});
    const auto logits = [&](Decoder& model) { return model->logits(model->forward_training(ids_BT)); };
    EXPECT_EQ(largest(logits(decoder) - logits(again.decoder)), 0.0);
    EXPECT_LT(largest(logits_of(again, ids_BT) - logits(decoder)[0]), 1e-5);
    const json config = json::parse(read_bytes(folder.path() / "config.json"));
    EXPECT_EQ(config["model_type"], "attnlab_luna");  // which transformers does not know
    EXPECT_EQ(config["architectures"], json::array({"AttnlabLunaForCausalLM"}));
    EXPECT_EQ(config["luna_omega"], tied ? "elu" : "softplus");
    EXPECT_EQ(config["luna_positions"], tied ? "rotary" : "sinusoidal");
    EXPECT_EQ(config["luna_tie_kv"], tied);
  }
}

TEST(HfFolder, Stories260KHasTheLogitsOfTransformers) {
  ATTNLAB_FROM_MIRROR(folder, "models/stories260K");
  const json golden = golden_json("stories260K.json");
  HfModel model = load_hf_folder(folder);
  EXPECT_EQ(model.config.eos_ids, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(parameter_count(model.config.decoder), 260'032);
  const torch::Tensor ids_BT = ids_of(golden["ids"]), logits = logits_of(model, ids_BT);
  for (std::size_t i = 0; i < golden["rows"].size(); ++i)
    EXPECT_LT(largest(logits[golden["rows"][i].get<int64_t>()] - row_of(golden["logits"][i])), 1e-4);
  const torch::Tensor nll =
      torch::cross_entropy_loss(logits.slice(0, 0, -1), ids_BT[0].slice(0, 1), {}, at::Reduction::None);
  EXPECT_LT(largest(nll - row_of(golden["nll"])), 1e-4);
}

TEST(HfFolder, WeightsOfTheRightTypeAreViewsOfTheFileUnlessTheyAreFew) {
  const fs::path folder = golden_folder("llama");
  const HfModel model = load_hf_folder(folder, {.copied_share = 0});
  EXPECT_FALSE(model.decoder->parameters().front().requires_grad());
  // A view of a file has no storage of its own that could be resized.
  for (const auto& p : model.decoder->named_parameters())
    EXPECT_FALSE(p.value().storage().resizable()) << p.key();
  const HfModel copied = load_hf_folder(folder);
  for (const auto& p : copied.decoder->named_parameters()) {
    EXPECT_TRUE(p.value().storage().resizable()) << p.key();
    EXPECT_TRUE(torch::equal(p.value(), model.decoder->named_parameters()[p.key()])) << p.key();
  }
  const HfModel trainable = load_hf_folder(folder, {.trainable = true});
  for (const auto& p : trainable.decoder->named_parameters()) {
    EXPECT_TRUE(p.value().requires_grad()) << p.key();
    EXPECT_TRUE(p.value().storage().resizable()) << p.key();
  }
}

TEST(HfFolder, BrainFloatWeightsStayOrAreWidened) {
  const HfModel stored = load_hf_folder(golden_folder("yi"));
  const HfModel wide = load_hf_folder(golden_folder("yi"), {.type = torch::kFloat});
  for (const auto& p : stored.decoder->named_parameters()) {
    EXPECT_EQ(p.value().scalar_type(), torch::kBFloat16);
    const torch::Tensor widened = wide.decoder->named_parameters()[p.key()];
    EXPECT_EQ(widened.scalar_type(), torch::kFloat);
    EXPECT_TRUE(torch::equal(p.value().to(torch::kFloat), widened));
  }
}

TEST(HfFolder, SavesWhatItLoads) {
  const Temporary folder;
  HfModel model = load_hf_folder(golden_folder("mistral"));
  model.config.eos_ids = {2, 5};
  for (const int64_t shard_bytes :
       {int64_t{20'000}, int64_t{1'000'000}}) {  // shards, then one file in their place
    save_hf_folder(folder / "copy", model.decoder, model.config, {.shard_bytes = shard_bytes});
    EXPECT_EQ(fs::exists(folder / "copy" / "model.safetensors.index.json"), shard_bytes == 20'000);
    const HfModel copy = load_hf_folder(folder / "copy");
    EXPECT_EQ(copy.config.decoder.sliding_window, 5);
    EXPECT_EQ(copy.config.decoder.rope_theta, 1e4);
    EXPECT_EQ(copy.config.eos_ids, model.config.eos_ids);
    for (const auto& p : model.decoder->named_parameters())
      EXPECT_TRUE(torch::equal(p.value(), copy.decoder->named_parameters()[p.key()])) << p.key();
  }
  for (const auto& file : fs::directory_iterator(folder / "copy"))
    EXPECT_THAT(file.path().filename().string(), testing::Not(testing::HasSubstr("-of-")));
}

// tests/python/test_hf_folder.py runs this test with ATTNLAB_KEEP set and opens the folders with Python's
// libraries.
TEST(HfFolder, SavesEveryKindOfDecoder) {
  const Temporary temporary;
  const char* keep = ::getenv("ATTNLAB_KEEP");
  const fs::path folder = keep ? fs::path(keep) : temporary / "saved";
  for (const char* name : {"llama", "mistral", "yi", "tied"}) {
    HfModel model = load_hf_folder(golden_folder(name));
    save_hf_folder(folder / name, model.decoder, model.config, {.shard_bytes = 16'000});
    const HfModel copy = load_hf_folder(folder / name);
    EXPECT_EQ(copy.config.type, model.config.type) << name;
    EXPECT_EQ(copy.config.add_bos, model.config.add_bos) << name;
    EXPECT_EQ(copy.decoder->named_parameters().size(), model.decoder->named_parameters().size()) << name;
  }
}

}  // namespace
}  // namespace attnlab
