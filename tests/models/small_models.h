// Small classifiers and padded batches for the tests of models.
#pragma once

#include <string_view>
#include <vector>

#include "attention/luna.h"
#include "attention/softmax.h"
#include "models/classifier.h"
#include "models/parameter_count.h"

namespace attnlab {

/// 2 layers × 8, 2 heads, no dropout; luna carries 4 rows.
inline ClassifierOptions small_options(std::string_view attention = "luna") {
  ClassifierOptions o;
  o.encoder.dim = 8;
  o.encoder.heads = 2;
  o.encoder.ffn_dim = 12;
  o.encoder.layers = 2;
  o.encoder.dropout = o.encoder.attention_dropout = 0.0;
  o.encoder.initialisation = Initialisation::xavier;
  o.encoder.attention = Choice<AttentionOptions>(attention);
  if (auto* luna = dynamic_cast<LunaOptions*>(&*o.encoder.attention)) luna->projection_length = 4;
  o.head_dim = 16;
  return o;
}

inline constexpr int64_t small_vocabulary = 20, small_length = 12, small_classes = 3;

inline Classifier small_classifier(const ClassifierOptions& options, uint64_t seed = 1) {
  torch::manual_seed(seed);
  Classifier model(options, small_vocabulary, small_length, small_classes);
  model->eval();
  return model;
}

struct PaddedIds {
  Tensor ids_BN, padding_BN;
};

/// Sentences padded to the longest (plus `extra`) with padding_id, on the right or on the left.
inline PaddedIds padded(const std::vector<std::vector<int64_t>>& sentences, bool left = false,
                        int64_t extra = 0) {
  size_t longest = 0;
  for (const auto& s : sentences) longest = std::max(longest, s.size());
  const int64_t batch = static_cast<int64_t>(sentences.size()), n = static_cast<int64_t>(longest) + extra;
  PaddedIds out{torch::full({batch, n}, padding_id, torch::kLong), torch::ones({batch, n}, torch::kBool)};
  for (int64_t i = 0; i < batch; ++i) {
    const int64_t length = static_cast<int64_t>(sentences[i].size());
    const int64_t start = left ? n - length : 0;
    out.ids_BN[i].narrow(0, start, length).copy_(torch::tensor(sentences[i]));
    out.padding_BN[i].narrow(0, start, length).fill_(false);
  }
  return out;
}

inline double largest_difference(const Tensor& a, const Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace attnlab
