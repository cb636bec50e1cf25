// Everything that can be wrong with a model's folder, each with its sentence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/hf_folder.h"
#include "io/safetensors.h"
#include "io/temporary.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

/// A copy of a golden folder that a test may spoil.
class SpoiltFolder : public testing::Test {
 protected:
  fs::path copy(const std::string& name) {
    const fs::path folder = temporary_ / name;
    fs::copy(fs::path(ATTNLAB_SOURCE_DIR) / "tests/golden/decoders" / name, folder);
    return folder;
  }
  std::string refusal(const fs::path& folder) {
    return sentence_of<UserError>([&] { load_hf_folder(folder); });
  }
  /// The sentence about llama's folder after `change` to a JSON file of it.
  std::string after(const std::string& file, const std::function<void(json&)>& change,
                    const std::string& name = "llama") {
    const fs::path folder = copy(name);
    json value = json::parse(read_bytes(folder / file));
    change(value);
    write_bytes(folder / file, value.dump());
    const std::string sentence = refusal(folder);
    fs::remove_all(folder);
    return sentence;
  }
  std::string with_config(const std::string& key, const json& value) {
    return after("config.json", [&](json& config) { config[key] = value; });
  }
  using Tensors = std::map<std::string, torch::Tensor>;
  /// A copy with other tensors in place of the same names.
  fs::path copy_with_tensors(const std::string& name, const std::function<void(Tensors&)>& change) {
    const fs::path folder = copy(name);
    const SafetensorsFile file = SafetensorsFile::open(folder / "model.safetensors");
    Tensors tensors;
    for (const SafetensorsEntry& entry : file.entries())
      tensors[entry.name] = file.tensor(entry.name).clone();
    change(tensors);
    save_safetensors(folder / "model.safetensors", {tensors.begin(), tensors.end()});
    return folder;
  }
  /// The sentence about such a copy of llama's.
  std::string with_tensors(const std::function<void(Tensors&)>& change) {
    const fs::path folder = copy_with_tensors("llama", change);
    const std::string sentence = refusal(folder);
    fs::remove_all(folder);
    return sentence;
  }

  Temporary temporary_;
};

TEST_F(SpoiltFolder, BuffersThatFollowFromTheConfigurationAreNoWeights) {
  const fs::path folder = copy_with_tensors("llama", [](Tensors& tensors) {
    for (const char* name :
         {"model.layers.0.self_attn.rotary_emb.inv_freq", "model.rotary_emb.cos_cached",
          "model.layers.1.self_attn.rotary_emb.sin_cached", "rope.freqs", "model.causal_mask"})
      tensors[name] = torch::zeros({4});
  });
  EXPECT_NO_THROW(load_hf_folder(folder));
  fs::remove_all(folder);
  EXPECT_THAT(
      with_tensors([](Tensors& tensors) { tensors["model.rotary_embedding.weight"] = torch::zeros({4}); }),
      HasSubstr("'model.rotary_embedding.weight', which the model that config.json describes does not"));
}

TEST_F(SpoiltFolder, AHeadThatATiedModelLeavesUnusedIsSaid) {
  for (const double difference : {0.0, 1.0}) {
    const fs::path folder = copy_with_tensors("tied", [&](Tensors& tensors) {
      tensors["lm_head.weight"] = tensors.at("model.embed_tokens.weight") + difference;
    });
    testing::internal::CaptureStderr();
    EXPECT_NO_THROW(load_hf_folder(folder));
    const std::string said = testing::internal::GetCapturedStderr();
    if (difference == 0)
      EXPECT_EQ(said, "");
    else
      EXPECT_THAT(said, AllOf(HasSubstr("is not used"), HasSubstr("tie_word_embeddings to false")));
    fs::remove_all(folder);
  }
}

TEST_F(SpoiltFolder, ConfigurationsOfLuna) {
  const auto luna = [&](const std::function<void(json&)>& change) {
    return after("config.json", [&](json& config) {
      config.update({{"model_type", "attnlab_luna"},
                     {"luna_length", 3},
                     {"luna_omega", "elu"},
                     {"luna_positions", "rotary"}});
      config["num_key_value_heads"] = config["num_attention_heads"];
      change(config);
    });
  };
  EXPECT_THAT(luna([](json& c) { c.erase("luna_length"); }),
              EndsWith("config.json lacks the key 'luna_length'"));
  EXPECT_THAT(luna([](json& c) { c["luna_length"] = 0; }),
              EndsWith("'luna_length' is 0 where a whole number above 0 was expected"));
  EXPECT_THAT(luna([](json& c) { c["luna_omega"] = "relu"; }),
              EndsWith("config.json: the luna_omega 'relu' is unknown; elu and softplus are read"));
  EXPECT_THAT(
      luna([](json& c) { c["luna_positions"] = "learned"; }),
      EndsWith("config.json: the luna_positions 'learned' is unknown; sinusoidal and rotary are read"));
  EXPECT_THAT(
      luna([](json& c) { c["num_key_value_heads"] = 2; }),
      EndsWith("config.json: Luna's sums are of every head's own keys and values: kv_heads must be 4, or 0, "
               "not 2"));
  EXPECT_THAT(
      luna([](json&) {}),
      HasSubstr("holds no tensor 'model.layers.0.self_attn.pack_query.weight', which config.json asks for"));
}

TEST_F(SpoiltFolder, Configurations) {
  EXPECT_THAT(with_config("model_type", "gpt2"),
              EndsWith("config.json: the model_type 'gpt2' is unknown here; "
                       "llama, mistral, Yi, qwen2, qwen3 and attnlab_luna are read"));
  EXPECT_THAT(after("config.json", [](json& c) { c.erase("hidden_size"); }),
              EndsWith("config.json lacks the key 'hidden_size'"));
  EXPECT_THAT(with_config("hidden_size", "many"),
              EndsWith("config.json: 'hidden_size' is \"many\" where a whole number above 0 was expected"));
  EXPECT_THAT(with_config("num_attention_heads", 0), HasSubstr("'num_attention_heads' is 0 where"));
  EXPECT_THAT(with_config("num_attention_heads", 1LL << 40),
              HasSubstr("'num_attention_heads' is 1099511627776 where"));
  EXPECT_THAT(with_config("num_hidden_layers", 1 << 30),
              EndsWith("config.json: 1073741824 layers, and no more than 1024 are read"));
  EXPECT_THAT(with_config("num_key_value_heads", 3),
              EndsWith("config.json: 3 key-value heads do not divide 4 query heads"));
  EXPECT_THAT(with_config("vocab_size", 1e300), HasSubstr("'vocab_size' is 1e+300 where"));
  EXPECT_THAT(with_config("tie_word_embeddings", 1), HasSubstr("is 1 where true or false was expected"));
  EXPECT_THAT(with_config("hidden_act", "gelu"),
              EndsWith("the activation 'gelu' is not implemented, only silu is"));
  EXPECT_THAT(with_config("mlp_bias", true), HasSubstr("'mlp_bias' asks for biases in the feed-forward"));
  EXPECT_THAT(
      with_config("attention_bias", true),
      HasSubstr("holds no tensor 'model.layers.0.self_attn.q_proj.bias', which config.json asks for"));
  EXPECT_THAT(after("config.json",
                    [](json& c) {
                      c["model_type"] = "qwen2";
                      c["use_sliding_window"] = true;
                      c["max_window_layers"] = 1;
                    }),
              EndsWith("config.json: a sliding window on layers 1 to 1 only is not implemented"));
  const auto of_types = [this](const json& types) {
    return after("config.json", [types](json& c) {
      c["model_type"] = "qwen3";
      c["use_sliding_window"] = true;
      c["max_window_layers"] = 2;  // which the list overrides
      c["layer_types"] = types;
    });
  };
  EXPECT_THAT(
      of_types({"sliding_attention", "full_attention"}),
      EndsWith("config.json: 'layer_types' asks for layers of several kinds, which is not implemented"));
  EXPECT_THAT(of_types({"full_attention"}),
              EndsWith("config.json: 'layer_types' is no list of the kinds of 2 layers"));
  EXPECT_THAT(with_config("quantization_config", json::object()),
              EndsWith("quantised weights are not implemented"));
  EXPECT_THAT(with_config("dtype", "int8"), HasSubstr("weights of type 'int8' are not read"));
  EXPECT_THAT(
      with_config("rope_scaling", {{"rope_type", "dynamic"}, {"factor", 4.0}}),
      EndsWith("config.json: rotary positions scaled by 'dynamic' are not implemented; linear, llama3 and "
               "yarn are"));
  EXPECT_THAT(with_config("rope_scaling", {{"type", "linear"}}),
              EndsWith("config.json: rotary positions scaled by 'linear' need a 'factor'"));
  EXPECT_THAT(with_config("rope_scaling", {{"type", "linear"}, {"factor", 0.5}}),
              EndsWith("'factor' of the rotary positions is 0.5 where a number of at least 1 was expected"));
  EXPECT_THAT(with_config("rope_parameters", {{"rope_type", "llama3"}, {"factor", 8}}),
              EndsWith("rotary positions scaled by 'llama3' need 'low_freq_factor'"));
  EXPECT_THAT(with_config("rope_scaling", {{"type", "yarn"}, {"factor", 2}, {"beta_fast", 0}}),
              EndsWith("'beta_fast' of the rotary positions is 0 where a number above 0 was expected"));
  EXPECT_THAT(with_config("rope_parameters", 7),
              EndsWith("config.json: 'rope_parameters' is 7 where a map was expected"));
  EXPECT_THAT(with_config("eos_token_id", "</s>"), HasSubstr("a token id or a list of them"));
}

TEST_F(SpoiltFolder, FilesThatAreMissingOrNoJson) {
  EXPECT_THAT(refusal(temporary_ / "nowhere"), HasSubstr("nowhere/config.json: No such file or directory"));
  const fs::path empty = temporary_ / "empty";
  fs::create_directories(empty);
  EXPECT_THAT(refusal(empty), EndsWith("empty holds no config.json, so it is no folder of a model"));
  fs::path folder = copy("llama");
  write_bytes(folder / "config.json", "{\"model_type\": \"lla");
  EXPECT_THAT(refusal(folder), EndsWith("config.json is not valid JSON"));
  write_bytes(folder / "config.json", "[]");
  EXPECT_THAT(refusal(folder), EndsWith("config.json holds no map"));
  write_bytes(folder / "config.json",
              "{\"a\":" + std::string(1 << 20, '[') + std::string(1 << 20, ']') + "}");
  EXPECT_THAT(refusal(folder), EndsWith("config.json has brackets nested more than 64 deep"));
  folder = copy("yi");
  fs::remove(folder / "model.safetensors");
  EXPECT_THAT(
      refusal(folder),
      EndsWith("yi holds neither model.safetensors nor model.safetensors.index.json; other formats of "
               "weights are not read"));
}

TEST_F(SpoiltFolder, Shards) {
  const std::string shard = "model-00002-of-00003.safetensors";
  fs::path folder = copy("mistral");
  fs::remove(folder / shard);
  EXPECT_THAT(refusal(folder),
              AllOf(HasSubstr(shard + " is missing, which model.safetensors.index.json names "
                                      "as the shard of 'model.layers.0.")));
  fs::remove_all(folder);
  folder = copy("mistral");
  const std::string whole = read_bytes(folder / shard);
  write_bytes(folder / shard, whole.substr(0, whole.size() - 5));
  EXPECT_THAT(refusal(folder), HasSubstr(shard + " is cut short"));
  fs::remove_all(folder);

  const auto with_index = [&](const std::function<void(json&)>& change) {
    return after("model.safetensors.index.json", change, "mistral");
  };
  EXPECT_THAT(with_index([&](json& i) { i["weight_map"]["model.ghost.weight"] = shard; }),
              EndsWith("index.json says that 'model.ghost.weight' is in " + shard + ", and it is not"));
  EXPECT_THAT(with_index([&](json& i) { i["weight_map"].erase("model.norm.weight"); }),
              EndsWith("index.json holds no tensor 'model.norm.weight', which config.json asks for"));
  EXPECT_THAT(with_index([&](json& i) { i["weight_map"]["model.norm.weight"] = "../elsewhere.safetensors"; }),
              HasSubstr("'../elsewhere.safetensors', which is no name of a file beside it"));
  EXPECT_THAT(with_index([&](json& i) { i["weight_map"]["model.norm.weight"] = std::string(300, 'a'); }),
              HasSubstr("aaa is missing, which model.safetensors.index.json names as the shard of"));
  EXPECT_THAT(with_index([&](json& i) { i.erase("weight_map"); }), EndsWith("lacks the key 'weight_map'"));
}

TEST_F(SpoiltFolder, TensorsThatContradictTheConfiguration) {
  EXPECT_THAT(
      with_config("intermediate_size", 48),
      EndsWith("model.safetensors: 'model.layers.0.mlp.gate_proj.weight' has the shape [32, 24] where "
               "config.json says [48, 24]"));
  EXPECT_THAT(
      with_config("num_hidden_layers", 3),
      HasSubstr("holds no tensor 'model.layers.2.self_attn.q_proj.weight', which config.json asks for"));
  EXPECT_THAT(
      with_config("num_hidden_layers", 1),
      AllOf(HasSubstr("holds 'model.layers.1."), EndsWith("which the model that config.json describes "
                                                          "does not have")));
  EXPECT_THAT(with_tensors([](auto& t) { t["model.layers.0.self_attn.q_proj.bias"] = torch::zeros({32}); }),
              HasSubstr("holds 'model.layers.0.self_attn.q_proj.bias', which the model"));
  EXPECT_THAT(with_tensors([](auto& t) { t["model.norm.weight"] = torch::ones({24}, torch::kInt); }),
              EndsWith("'model.norm.weight' is of type I32, and weights are floating-point numbers"));
}

TEST_F(SpoiltFolder, RotaryFrequenciesAndATiedCopyAreNotLookedAt) {
  const fs::path folder = copy("tied");
  const SafetensorsFile file = SafetensorsFile::open(folder / "model.safetensors");
  NamedTensors tensors{{"model.layers.0.self_attn.rotary_emb.inv_freq", torch::rand({3})},
                       {"lm_head.weight", torch::rand({2, 2})}};
  for (const SafetensorsEntry& entry : file.entries())
    tensors.emplace_back(entry.name, file.tensor(entry.name).clone());
  save_safetensors(folder / "model.safetensors", tensors);
  EXPECT_EQ(load_hf_folder(folder).decoder->options().vocabulary, 320);
}

}  // namespace
}  // namespace attnlab
