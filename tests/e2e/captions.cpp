#include "captions.h"

#include <array>

#include "core/random.h"

namespace attnlab {
namespace {

constexpr std::array<std::pair<const char*, const char*>, 12> words{{{"dog", "Hund"},
                                                                     {"house", "Haus"},
                                                                     {"green", "grün"},
                                                                     {"runs", "läuft"},
                                                                     {"girl", "Mädchen"},
                                                                     {"sees", "sieht"},
                                                                     {"water", "Wasser"},
                                                                     {"old", "alt"},
                                                                     {"street", "Straße"},
                                                                     {"two", "zwei"},
                                                                     {"man", "Mann"},
                                                                     {"jumps", "springt"}}};

}  // namespace

const char* const translate_yaml = R"(task: translate
device: cpu
threads: 1
data: {type: multi30k, vocabulary: {pieces: 90}}
batching: {max_tokens: 400, max_positions: 40}
model:
  encoder:
    dim: 16
    layers: 1
    heads: 2
    ffn_dim: 32
    attention: {type: luna, projection_length: 4}
  decoder_layers: 1
  self_attention: {type: luna}
  cross_attention: {type: luna, projection_length: 4}
train: {updates: 12, learning_rate: 0.01, validate_interval: 6, log_interval: 1, checkpoint_interval: 3}
decoding: {beam: 2, max_length: 39}
)";

void write_captions(const Lab& lab, int lines) {
  Random random(3);
  const auto write = [&](const std::string& part, int count) {
    std::string english, german;
    for (int i = 0; i < count; ++i) {
      const auto length = 2 + random.below(5);
      for (uint64_t j = 0; j < length; ++j) {
        const auto& [en, de] = words[random.below(words.size())];
        english += std::string(j ? " " : "") + en;
        german += std::string(j ? " " : "") + de;
      }
      english += "\n";
      german += "\n";
    }
    lab.write("data/multi30k/" + part + ".en", english);
    lab.write("data/multi30k/" + part + ".de", german);
  };
  write("train", lines);
  write("val", 8);
  write("test_2016_flickr", 8);
  lab.write("translate.yaml", translate_yaml);
}

}  // namespace attnlab
