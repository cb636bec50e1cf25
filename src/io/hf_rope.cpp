#include "io/hf_rope.h"

#include "core/error.h"

namespace attnlab {
namespace {

using Kind = RopeScaling::Kind;

double positive(const JsonFile& config, const JsonFile& rope, const char* key, double otherwise) {
  const double value = rope.number(key, otherwise);
  if (!(value > 0))
    user_error("{}: '{}' of the rotary positions is {} where a number above 0 was expected", config.path(),
               key, value);
  return value;
}

double needed_factor(const JsonFile& config, const JsonFile& rope, const std::string& kind) {
  if (!rope.has("factor"))
    user_error("{}: rotary positions scaled by '{}' need a 'factor'", config.path(), kind);
  const double factor = rope.number("factor", 1.0);
  if (!(factor >= 1))
    user_error("{}: 'factor' of the rotary positions is {} where a number of at least 1 was expected",
               config.path(), factor);
  return factor;
}

RopeScaling read_llama3(const JsonFile& config, const JsonFile& rope) {
  RopeScaling s;
  s.kind = Kind::llama3;
  s.factor = needed_factor(config, rope, "llama3");
  for (const char* key : {"low_freq_factor", "high_freq_factor", "original_max_position_embeddings"})
    if (!rope.has(key)) user_error("{}: rotary positions scaled by 'llama3' need '{}'", config.path(), key);
  s.low_frequency = positive(config, rope, "low_freq_factor", 1.0);
  s.high_frequency = positive(config, rope, "high_freq_factor", 4.0);
  s.original_positions = rope.count("original_max_position_embeddings", 1);
  if (s.high_frequency <= s.low_frequency)
    user_error("{}: 'high_freq_factor' {} is not above 'low_freq_factor' {}", config.path(), s.high_frequency,
               s.low_frequency);
  return s;
}

RopeScaling read_yarn(const JsonFile& config, const JsonFile& rope, int64_t max_positions) {
  RopeScaling s;
  s.kind = Kind::yarn;
  s.factor = needed_factor(config, rope, "yarn");
  s.original_positions = rope.count("original_max_position_embeddings", 1, max_positions);
  s.beta_fast = positive(config, rope, "beta_fast", 32.0);
  s.beta_slow = positive(config, rope, "beta_slow", 1.0);
  s.truncate = rope.flag("truncate", true);
  if (s.beta_fast < s.beta_slow)
    user_error("{}: 'beta_fast' {} is below 'beta_slow' {}", config.path(), s.beta_fast, s.beta_slow);
  const double m = rope.number("mscale", 0.0), all = rope.number("mscale_all_dim", 0.0);
  s.attention_factor = yarn_attention_factor(s.factor);
  if (m != 0 && all != 0)
    s.attention_factor = yarn_attention_factor(s.factor, m) / yarn_attention_factor(s.factor, all);
  s.attention_factor = positive(config, rope, "attention_factor", s.attention_factor);
  return s;
}

RopeScaling read_scaling(const JsonFile& config, const JsonFile& rope, int64_t max_positions) {
  const std::string kind = rope.text("rope_type", rope.text("type", "default"));
  if (kind == "default") return {};
  if (kind == "llama3") return read_llama3(config, rope);
  if (kind == "yarn") return read_yarn(config, rope, max_positions);
  if (kind != "linear")
    user_error("{}: rotary positions scaled by '{}' are not implemented; linear, llama3 and yarn are",
               config.path(), kind);
  RopeScaling s;
  s.kind = Kind::linear;
  s.factor = needed_factor(config, rope, kind);
  return s;
}

}  // namespace

void read_rope(const JsonFile& config, DecoderOptions& options) {
  options.rope_theta = config.number("rope_theta", 1e4);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!config.has(key)) continue;
    const JsonFile rope = config.inside(key);
    options.rope_scaling = read_scaling(config, rope, options.max_positions);
    if (rope.number("partial_rotary_factor", 1.0) != 1.0)
      user_error("{}: rotary positions on a part of each head are not implemented", config.path());
    options.rope_theta = rope.number("rope_theta", options.rope_theta);
  }
  if (options.rope_theta < 1)
    user_error("{}: rope_theta is {} where a number of at least 1 was expected", config.path(),
               options.rope_theta);
}

nlohmann::ordered_json rope_scaling_json(const RopeScaling& s) {
  using nlohmann::ordered_json;
  switch (s.kind) {
    case Kind::linear:
      return {{"rope_type", "linear"}, {"factor", s.factor}};
    case Kind::llama3:
      return {{"rope_type", "llama3"},
              {"factor", s.factor},
              {"low_freq_factor", s.low_frequency},
              {"high_freq_factor", s.high_frequency},
              {"original_max_position_embeddings", s.original_positions}};
    case Kind::yarn:
      return {{"rope_type", "yarn"},
              {"factor", s.factor},
              {"original_max_position_embeddings", s.original_positions},
              {"beta_fast", s.beta_fast},
              {"beta_slow", s.beta_slow},
              {"truncate", s.truncate},
              {"attention_factor", s.attention_factor}};
    case Kind::none:
      break;
  }
  return nullptr;
}

}  // namespace attnlab
