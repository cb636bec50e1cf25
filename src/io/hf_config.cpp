#include "io/hf_config.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/json_text.h"
#include "io/hf_rope.h"
#include "io/json_file.h"
#include "models/decoder_luna.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* config_name = "config.json";
constexpr const char* generation_name = "generation_config.json";
constexpr const char* tokenizer_name = "tokenizer_config.json";
constexpr const char* template_name = "chat_template.jinja";

constexpr std::array<std::pair<const char*, torch::ScalarType>, 4> type_names{{{"float32", torch::kFloat},
                                                                               {"bfloat16", torch::kBFloat16},
                                                                               {"float16", torch::kHalf},
                                                                               {"float64", torch::kDouble}}};

/// What differs between the families when config.json is silent: the defaults of transformers 4.57.
struct Family {
  const char* name;
  int64_t max_positions;
  int64_t sliding_window = 0;     ///< 0: its code knows none
  bool window_by_switch = false;  ///< use_sliding_window switches it on, from layer max_window_layers on
  int64_t kv_heads = 0;           ///< 0: as many as heads
  int64_t head_dim = 0;           ///< 0: hidden_size / heads
  bool add_bos = false;
  bool reads_attention_bias = true;        ///< the key: biases on q, k, v and the output
  bool qkv_bias = false, qk_norm = false;  ///< whatever config.json says
  bool luna = false;                       ///< ours: causal Luna in place of softmax attention
};
constexpr std::array<Family, 7> families{
    {{.name = "llama", .max_positions = 2048, .add_bos = true},
     {.name = "mistral",
      .max_positions = 4096 * 32,
      .sliding_window = 4096,
      .kv_heads = 8,
      .add_bos = true,
      .reads_attention_bias = false},
     {.name = "Yi", .max_positions = 4096},
     {.name = "yi", .max_positions = 4096},
     {.name = "qwen2",
      .max_positions = 32768,
      .sliding_window = 4096,
      .window_by_switch = true,
      .kv_heads = 32,
      .reads_attention_bias = false,
      .qkv_bias = true},
     {.name = "qwen3",
      .max_positions = 32768,
      .sliding_window = 4096,
      .window_by_switch = true,
      .kv_heads = 32,
      .head_dim = 128,
      .qk_norm = true},
     {.name = "attnlab_luna", .max_positions = 2048, .reads_attention_bias = false, .luna = true}}};

template <class Enum>
using Words = std::vector<std::pair<std::string, Enum>>;
const Words<CausalLunaOptions::Omega> omegas{{"elu", CausalLunaOptions::Omega::elu},
                                             {"softplus", CausalLunaOptions::Omega::softplus}};
const Words<LunaPositions> luna_positions{{"sinusoidal", LunaPositions::sinusoidal},
                                          {"rotary", LunaPositions::rotary}};

const Family& family_of(const JsonFile& config) {
  const std::string name = config.text("model_type");
  for (const Family& family : families)
    if (name == family.name) return family;
  user_error(
      "{}: the model_type '{}' is unknown here; llama, mistral, Yi, qwen2, qwen3 and attnlab_luna are read",
      config.path(), name);
}

/// Stops at settings that would change the model and that this decoder does not have.
void refuse_what_is_not_there(const JsonFile& config) {
  const std::string activation = config.text("hidden_act", "silu");
  if (activation != "silu")
    user_error("{}: the activation '{}' is not implemented, only silu is", config.path(), activation);
  if (config.flag("mlp_bias", false))
    user_error("{}: 'mlp_bias' asks for biases in the feed-forward network, which are not implemented",
               config.path());
  if (config.has("quantization_config"))
    user_error("{}: quantised weights are not implemented", config.path());
}

/// transformers 4.53 and later name the kind of every layer, which then counts.
int64_t listed_window(const JsonFile& config, int64_t layers, int64_t window) {
  const auto& types = config.at("layer_types");
  const auto all = [&](const char* kind) {
    return std::all_of(types.begin(), types.end(), [&](const auto& type) { return type == kind; });
  };
  if (!types.is_array() || static_cast<int64_t>(types.size()) != layers)
    user_error("{}: 'layer_types' is no list of the kinds of {} layers", config.path(), layers);
  if (all("full_attention")) return 0;
  if (all("sliding_attention")) return window;
  user_error("{}: 'layer_types' asks for layers of several kinds, which is not implemented", config.path());
}

/// A window that is switched on holds from layer max_window_layers on; layers of two kinds are not
/// implemented.
int64_t switched_window(const JsonFile& config, int64_t layers, int64_t window) {
  if (!config.flag("use_sliding_window", false) || window == 0) return 0;
  if (config.has("layer_types")) return listed_window(config, layers, window);
  const int64_t first = config.count("max_window_layers", 0, 28);
  if (first >= layers) return 0;
  if (first > 0)
    user_error("{}: a sliding window on layers {} to {} only is not implemented", config.path(), first,
               layers - 1);
  return window;
}

int64_t read_window(const JsonFile& config, const Family& family, int64_t layers) {
  if (family.sliding_window == 0) return 0;  // Llama's code does not look at the key
  const bool none = config.map().contains("sliding_window") && !config.has("sliding_window");  // null
  const int64_t window = none ? 0 : config.count("sliding_window", 1, family.sliding_window);
  return family.window_by_switch ? switched_window(config, layers, window) : window;
}

template <class Enum>
Enum read_word(const JsonFile& config, const char* key, const Words<Enum>& words) {
  const std::string given = config.text(key);
  for (const auto& [word, meant] : words)
    if (given == word) return meant;
  user_error("{}: the {} '{}' is unknown; {} and {} are read", config.path(), key, given, words[0].first,
             words[1].first);
}

template <class Enum>
std::string word_for(Enum value, const Words<Enum>& words) {
  return std::find_if(words.begin(), words.end(), [&](const auto& one) { return one.second == value; })
      ->first;
}

/// What stands in for softmax: the keys of ours.
void read_luna(const JsonFile& config, DecoderOptions& o) {
  o.attention.select("luna");
  auto& luna = dynamic_cast<DecoderLunaOptions&>(*o.attention);
  luna.length = config.count("luna_length", 1);
  luna.sums.tie_kv = config.flag("luna_tie_kv", false);
  luna.sums.omega = read_word(config, "luna_omega", omegas);
  luna.positions = read_word(config, "luna_positions", luna_positions);
}

/// Null of another attention.
const DecoderLunaOptions* luna_of(const DecoderOptions& o) {
  return dynamic_cast<const DecoderLunaOptions*>(&*o.attention);
}

void write_luna(const DecoderLunaOptions& luna, ordered_json& json) {
  json["luna_length"] = luna.length;
  json["luna_tie_kv"] = luna.sums.tie_kv;
  json["luna_omega"] = word_for(luna.sums.omega, omegas);
  json["luna_positions"] = word_for(luna.positions, luna_positions);
}

DecoderOptions read_decoder(const JsonFile& config, const Family& family) {
  DecoderOptions o;
  o.vocabulary = config.count("vocab_size", 1);
  o.dim = config.count("hidden_size", 1);
  o.ffn_dim = config.count("intermediate_size", 1);
  o.layers = config.count("num_hidden_layers", 1);
  if (o.layers > DecoderOptions::most_layers)
    user_error("{}: {} layers, and no more than {} are read", config.path(), o.layers,
               DecoderOptions::most_layers);
  o.heads = config.count("num_attention_heads", 1);
  o.kv_heads = config.count("num_key_value_heads", 1, family.kv_heads);
  o.head_dim = config.count("head_dim", 1, family.head_dim);
  o.norm_eps = config.number("rms_norm_eps", 1e-6);
  o.max_positions = config.count("max_position_embeddings", 1, family.max_positions);
  o.tied_embeddings = config.flag("tie_word_embeddings", false);
  o.o_bias = family.reads_attention_bias && config.flag("attention_bias", false);
  o.qkv_bias = family.qkv_bias || o.o_bias;
  o.qk_norm = family.qk_norm;
  o.sliding_window = read_window(config, family, o.layers);
  if (family.luna) read_luna(config, o);
  read_rope(config, o);
  try {
    return o.resolved();
  } catch (const UserError& wrong) {
    user_error("{}: {}", config.path(), wrong.what());
  }
}

/// A text, or in older files a list of named ones, of which `default` is meant.
std::string chat_template_of(const JsonFile& tokenizer) {
  if (!tokenizer.has("chat_template")) return "";
  const auto& told = tokenizer.at("chat_template");
  if (told.is_string()) return told.get<std::string>();
  for (const auto& one : told)
    if (one.is_object() && one.contains("name") && one["name"] == "default" && one.contains("template") &&
        one["template"].is_string())
      return one["template"].get<std::string>();
  return "";
}

torch::ScalarType read_type(const JsonFile& config) {
  const std::string name = config.text("dtype", config.text("torch_dtype", "float32"));
  for (const auto& [text, type] : type_names)
    if (name == text) return type;
  user_error("{}: weights of type '{}' are not read; float32, bfloat16, float16 and float64 are",
             config.path(), name);
}

/// The family whose code computes what these options describe; the plainest one.
struct Written {
  const char* name;
  const char* architecture;
  bool qwen;
};
Written family_to_write(const DecoderOptions& o) {
  if (luna_of(o))
    return {"attnlab_luna", "AttnlabLunaForCausalLM", false};  // which transformers refuses by name
  if (o.qk_norm) return {"qwen3", "Qwen3ForCausalLM", true};
  if (o.qkv_bias && !o.o_bias) return {"qwen2", "Qwen2ForCausalLM", true};
  if (o.sliding_window > 0) return {"mistral", "MistralForCausalLM", false};  // Llama's code has no window
  return {"llama", "LlamaForCausalLM", false};
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
  all.stored_as = config.text("attnlab_weights", "");
  std::vector<int64_t> bos = config.ids("bos_token_id");
  all.eos_ids = config.ids("eos_token_id");
  if (fs::exists(folder / generation_name)) {
    const JsonFile generation(folder / generation_name);
    if (generation.has("eos_token_id")) all.eos_ids = generation.ids("eos_token_id");
    if (bos.empty()) bos = generation.ids("bos_token_id");
  }
  if (!bos.empty()) all.bos_id = bos.front();
  all.add_bos = family.add_bos;
  if (fs::exists(folder / tokenizer_name)) {
    const JsonFile tokenizer(folder / tokenizer_name);
    all.add_bos = tokenizer.flag("add_bos_token", family.add_bos);
    all.chat_template = chat_template_of(tokenizer);
  }
  if (fs::exists(folder / template_name)) all.chat_template = read_file(folder / template_name);
  return all;
}

void write_hf_config(const fs::path& folder, const HfConfig& config) {
  const DecoderOptions o = config.decoder.resolved();
  const Written family = family_to_write(o);
  ordered_json json;
  json["architectures"] = {family.architecture};
  json["model_type"] = family.name;
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
  json["rope_scaling"] = rope_scaling_json(o.rope_scaling);
  json["max_position_embeddings"] = o.max_positions;
  if (o.sliding_window > 0) json["sliding_window"] = o.sliding_window;
  if (family.qwen) json["use_sliding_window"] = o.sliding_window > 0, json["max_window_layers"] = 0;
  if (const auto* luna = luna_of(o)) write_luna(*luna, json);
  if (o.o_bias) json["attention_bias"] = true;
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
