#include "io/hf_config.h"

#include <array>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/json_text.h"
#include "io/json_file.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* config_name = "config.json";
constexpr const char* generation_name = "generation_config.json";
constexpr const char* tokenizer_name = "tokenizer_config.json";

constexpr std::array<std::pair<const char*, torch::ScalarType>, 4> type_names{{{"float32", torch::kFloat},
                                                                               {"bfloat16", torch::kBFloat16},
                                                                               {"float16", torch::kHalf},
                                                                               {"float64", torch::kDouble}}};

/// What differs between the families when config.json is silent: the defaults of transformers 4.57.
struct Family {
  const char* name;
  int64_t max_positions, sliding_window;
  int64_t kv_heads;  ///< 0: as many as heads
  bool add_bos;
};
constexpr std::array<Family, 4> families{{{"llama", 2048, 0, 0, true},
                                          {"mistral", 4096 * 32, 4096, 8, true},
                                          {"Yi", 4096, 0, 0, false},
                                          {"yi", 4096, 0, 0, false}}};

const Family& family_of(const JsonFile& config) {
  const std::string name = config.text("model_type");
  for (const Family& family : families)
    if (name == family.name) return family;
  user_error("{}: the model_type '{}' is unknown here; llama, mistral and Yi are read", config.path(), name);
}

/// Stops at settings that would change the model and that this decoder does not have.
void refuse_what_is_not_there(const JsonFile& config) {
  const std::string activation = config.text("hidden_act", "silu");
  if (activation != "silu")
    user_error("{}: the activation '{}' is not implemented, only silu is", config.path(), activation);
  for (const char* bias : {"attention_bias", "mlp_bias"})
    if (config.flag(bias, false))
      user_error("{}: '{}' asks for biases, which are not implemented", config.path(), bias);
  if (config.has("quantization_config"))
    user_error("{}: quantised weights are not implemented", config.path());
}

/// rope_theta, from the top level or from the newer map rope_parameters.
double read_rope(const JsonFile& config) {
  double theta = config.number("rope_theta", 1e4);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!config.has(key)) continue;
    const JsonFile rope = config.inside(key);
    const std::string kind = rope.text("rope_type", rope.text("type", "default"));
    if (kind != "default")
      user_error("{}: rotary positions scaled by '{}' are not implemented", config.path(), kind);
    if (rope.number("partial_rotary_factor", 1.0) != 1.0)
      user_error("{}: rotary positions on a part of each head are not implemented", config.path());
    theta = rope.number("rope_theta", theta);
  }
  if (theta < 1)
    user_error("{}: rope_theta is {} where a number of at least 1 was expected", config.path(), theta);
  return theta;
}

DecoderOptions read_decoder(const JsonFile& config, const Family& family) {
  DecoderOptions o;
  o.vocabulary = config.count("vocab_size", 1);
  o.dim = config.count("hidden_size", 1);
  o.ffn_dim = config.count("intermediate_size", 1);
  o.layers = config.count("num_hidden_layers", 1);
  o.heads = config.count("num_attention_heads", 1);
  o.kv_heads = config.count("num_key_value_heads", 1, family.kv_heads);
  o.head_dim = config.count("head_dim", 1, 0);
  o.norm_eps = config.number("rms_norm_eps", 1e-6);
  o.max_positions = config.count("max_position_embeddings", 1, family.max_positions);
  o.tied_embeddings = config.flag("tie_word_embeddings", false);
  o.rope_theta = read_rope(config);
  if (family.sliding_window > 0) {  // Llama's code does not look at the key; in Mistral's, null is none
    const bool none = config.map().contains("sliding_window") && !config.has("sliding_window");
    o.sliding_window = none ? 0 : config.count("sliding_window", 1, family.sliding_window);
  }
  try {
    return o.resolved();
  } catch (const UserError& wrong) {
    user_error("{}: {}", config.path(), wrong.what());
  }
}

torch::ScalarType read_type(const JsonFile& config) {
  const std::string name = config.text("dtype", config.text("torch_dtype", "float32"));
  for (const auto& [text, type] : type_names)
    if (name == text) return type;
  user_error("{}: weights of type '{}' are not read; float32, bfloat16, float16 and float64 are",
             config.path(), name);
}

void write_json(const fs::path& path, const ordered_json& value) {
  write_atomically(path, json_text(value, 2) + "\n");
}

}  // namespace

bool is_hf_folder(const fs::path& folder) {
  std::error_code none;  // of a name that is no folder's, of 300 characters for one
  return fs::exists(folder / config_name, none);
}

HfConfig read_hf_config(const fs::path& folder) {
  if (fs::is_directory(folder) && !is_hf_folder(folder))
    user_error("{} holds no {}, so it is no folder of a model", folder.string(), config_name);
  const JsonFile config(folder / config_name);
  const Family& family = family_of(config);
  refuse_what_is_not_there(config);
  HfConfig all;
  all.decoder = read_decoder(config, family);
  all.type = read_type(config);
  std::vector<int64_t> bos = config.ids("bos_token_id");
  all.eos_ids = config.ids("eos_token_id");
  if (fs::exists(folder / generation_name)) {
    const JsonFile generation(folder / generation_name);
    if (generation.has("eos_token_id")) all.eos_ids = generation.ids("eos_token_id");
    if (bos.empty()) bos = generation.ids("bos_token_id");
  }
  if (!bos.empty()) all.bos_id = bos.front();
  all.add_bos = family.add_bos;
  if (fs::exists(folder / tokenizer_name))
    all.add_bos = JsonFile(folder / tokenizer_name).flag("add_bos_token", family.add_bos);
  return all;
}

void write_hf_config(const fs::path& folder, const HfConfig& config) {
  const DecoderOptions o = config.decoder.resolved();
  const bool mistral = o.sliding_window > 0;  // the same architecture; Llama's code has no window
  ordered_json json;
  json["architectures"] = {mistral ? "MistralForCausalLM" : "LlamaForCausalLM"};
  json["model_type"] = mistral ? "mistral" : "llama";
  json["hidden_act"] = "silu";
  json["vocab_size"] = o.vocabulary;
  json["hidden_size"] = o.dim;
  json["intermediate_size"] = o.ffn_dim;
  json["num_hidden_layers"] = o.layers;
  json["num_attention_heads"] = o.heads;
  json["num_key_value_heads"] = o.kv_heads;
  json["head_dim"] = o.head_dim;
  json["rms_norm_eps"] = o.norm_eps;
  json["rope_theta"] = o.rope_theta;
  json["rope_scaling"] = nullptr;
  json["max_position_embeddings"] = o.max_positions;
  if (mistral) json["sliding_window"] = o.sliding_window;
  json["tie_word_embeddings"] = o.tied_embeddings;
  for (const auto& [text, type] : type_names)
    if (type == config.type) json["torch_dtype"] = text;
  ordered_json generation;
  for (ordered_json* file : {&json, &generation}) {
    (*file)["bos_token_id"] = config.bos_id ? ordered_json(*config.bos_id) : ordered_json();
    (*file)["eos_token_id"] = config.eos_ids.empty()       ? ordered_json()
                              : config.eos_ids.size() == 1 ? ordered_json(config.eos_ids.front())
                                                           : ordered_json(config.eos_ids);
  }
  fs::create_directories(folder);
  write_json(folder / config_name, json);
  write_json(folder / generation_name, generation);
  write_json(folder / tokenizer_name, {{"tokenizer_class", "LlamaTokenizer"},
                                       {"add_bos_token", config.add_bos},
                                       {"add_eos_token", false},
                                       {"legacy", false}});
}

}  // namespace attnlab
