// Stretched rotary positions against transformers' own frequencies (tests/golden/make_rope.py).
#include "io/hf_rope.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "io/hf_config.h"
#include "io/temporary.h"

namespace attnlab {
namespace {

using nlohmann::json;

/// A config.json with these rotary positions, read from a folder of its own.
DecoderOptions read_with(const json& golden) {
  const Temporary folder;
  json config{{"model_type", "llama"},  {"vocab_size", 8},        {"hidden_size", golden["head_dim"]},
              {"intermediate_size", 8}, {"num_hidden_layers", 1}, {"num_attention_heads", 1}};
  for (const char* key : {"head_dim", "rope_theta", "max_position_embeddings", "rope_scaling"})
    config[key] = golden[key];
  std::ofstream(folder / "config.json") << config;
  return read_hf_config(folder.path()).decoder;
}

TEST(HfRope, FrequenciesAreThoseOfTransformers) {
  std::ifstream in(ATTNLAB_SOURCE_DIR "/tests/golden/rope.json");
  const json goldens = json::parse(in);
  ASSERT_GE(goldens.size(), 10U);
  for (const json& golden : goldens) {
    const DecoderOptions o = read_with(golden);
    const std::vector<double> ours = rope_frequencies(o.head_dim, o.rope_theta, o.rope_scaling);
    const auto theirs = golden["frequencies"].get<std::vector<double>>();
    ASSERT_EQ(ours.size(), theirs.size());
    // theirs are computed in fp32
    for (std::size_t i = 0; i < ours.size(); ++i)
      EXPECT_NEAR(ours[i] / theirs[i], 1.0, 2e-6) << golden["name"] << " pair " << i;
    EXPECT_NEAR(o.rope_scaling.attention_factor, golden["attention_factor"].get<double>(), 1e-7)
        << golden["name"];
  }
}

}  // namespace
}  // namespace attnlab
