// Random texts as a decoder's layer would project them, and the comparison with the reference.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <vector>

#include "cache/cache_options.h"
#include "cache/per_step_reference.h"
#include "cache/rope.h"
#include "cache/state.h"

namespace attnlab {

/// A batch of texts, padded to the longest on the left or on the right.
struct Texts {
  NewTokens tokens;
  std::vector<int64_t> lengths;
  bool left = false;

  int64_t start(int64_t b) const { return left ? tokens.q_BTHd.size(1) - lengths[b] : 0; }
};

inline Texts make_texts(const StateShape& shape, std::vector<int64_t> lengths, bool left, torch::Dtype type,
                        uint64_t seed = 1) {
  torch::manual_seed(seed);
  const int64_t n = *std::max_element(lengths.begin(), lengths.end());
  const int64_t batch = static_cast<int64_t>(lengths.size());
  const auto random = [&](int64_t heads) {  // rounded to fp32, so that both types see the same numbers
    return torch::randn({batch, n, heads, shape.head_dim}).to(type);
  };
  Texts texts;
  texts.tokens.q_BTHd = random(shape.heads);
  texts.tokens.k_BTKd = random(shape.kv_heads);
  texts.tokens.v_BTKd = random(shape.kv_heads);
  texts.tokens.ids_BT = torch::randint(0, 20, {batch, n}, torch::kLong);
  texts.tokens.surprisal_BT = torch::rand({batch, n}, torch::kDouble) * 5;
  texts.tokens.positions_BT = torch::zeros({batch, n}, torch::kLong);
  texts.tokens.padding_BT = torch::ones({batch, n}, torch::kBool);
  texts.lengths = std::move(lengths);
  texts.left = left;
  for (int64_t b = 0; b < batch; ++b) {
    texts.tokens.positions_BT[b]
        .narrow(0, texts.start(b), texts.lengths[b])
        .copy_(torch::arange(texts.lengths[b]));
    texts.tokens.padding_BT[b].narrow(0, texts.start(b), texts.lengths[b]).fill_(false);
  }
  return texts;
}

/// Columns [first, first + count) of a batch.
inline NewTokens part(const NewTokens& t, int64_t first, int64_t count) {
  const auto cut = [&](const Tensor& x) { return x.defined() ? x.narrow(1, first, count) : x; };
  return {cut(t.q_BTHd), cut(t.k_BTKd),     cut(t.v_BTKd),      cut(t.positions_BT),
          cut(t.ids_BT), cut(t.padding_BT), cut(t.surprisal_BT)};
}

/// y of texts fed to a state in calls of the given lengths, the last of them repeated. Inputs go to `device`.
inline Tensor feed(LayerState& state, const Texts& texts, const std::vector<int64_t>& calls, const Rope& rope,
                   torch::Device device = torch::kCPU) {
  const int64_t n = texts.tokens.q_BTHd.size(1);
  std::vector<Tensor> ys;
  for (int64_t first = 0, call = 0; first < n; ++call) {
    const int64_t count = std::min(calls[std::min<std::size_t>(call, calls.size() - 1)], n - first);
    NewTokens tokens = part(texts.tokens, first, count);
    for (Tensor* t : {&tokens.q_BTHd, &tokens.k_BTKd, &tokens.v_BTKd, &tokens.positions_BT, &tokens.ids_BT,
                      &tokens.padding_BT, &tokens.surprisal_BT})
      *t = t->to(device);
    ys.push_back(state.attend(tokens, rope).to(torch::kCPU));
    first += count;
  }
  return torch::cat(ys, 1);
}

/// Text b as the reference reads it.
inline reference::Text text_of(const Texts& texts, int64_t b) {
  const auto heads_of = [&](const Tensor& x_BTHd) {
    const Tensor x = x_BTHd[b].narrow(0, texts.start(b), texts.lengths[b]).to(torch::kDouble).contiguous();
    std::vector<std::vector<reference::Vec>> rows(x.size(0));
    const double* p = x.const_data_ptr<double>();
    for (auto& row : rows)
      for (int64_t h = 0; h < x.size(1); ++h, p += x.size(2)) row.emplace_back(p, p + x.size(2));
    return rows;
  };
  reference::Text text{
      heads_of(texts.tokens.q_BTHd), heads_of(texts.tokens.k_BTKd), heads_of(texts.tokens.v_BTKd), {}, {}};
  for (int64_t t = 0; t < texts.lengths[b]; ++t) {
    text.ids.push_back(texts.tokens.ids_BT[b][texts.start(b) + t].item<int64_t>());
    text.surprisal.push_back(texts.tokens.surprisal_BT[b][texts.start(b) + t].item<double>());
  }
  return text;
}

struct Tolerance {
  double output;  ///< largest difference while the same states were dropped
  double gap;     ///< largest relative gap of scores at which another state may be dropped; 0: none may
};
constexpr Tolerance exact{1e-11, 0.0}, fp32{1e-5, 1e-5};

/// y [B,T,H,d] and expiry [B,lanes,T] of a batch against the reference, text by text. In fp32 a near tie may
/// fall the other way; what comes after it is not compared.
inline void expect_agreement(const Texts& texts, const Tensor& y_BTHd, const Tensor& expiry_BgT,
                             const reference::Setting& setting, const reference::Rule& rule,
                             Tolerance tolerance) {
  int64_t compared = 0, tokens = 0;
  for (int64_t b = 0; b < y_BTHd.size(0); ++b) {
    SCOPED_TRACE("text " + std::to_string(b));
    const reference::Outcome expected = reference::run(text_of(texts, b), setting, rule);
    const int64_t n = texts.lengths[b], start = texts.start(b);
    int64_t same_until = n;
    for (size_t g = 0; g < expected.expiry.size(); ++g) {
      std::vector<int64_t> ours(n);
      const int64_t* row = expiry_BgT[b][static_cast<int64_t>(g)].const_data_ptr<int64_t>();
      for (int64_t j = 0; j < n; ++j) {
        const int64_t last = row[start + j];
        ours[j] = last < 0 ? last : last - start;
      }
      for (int64_t j = 0; j < n; ++j) {
        const int64_t theirs = expected.expiry[g][j];
        if (ours[j] == theirs) continue;
        const int64_t step = std::min(ours[j] < 0 ? n : ours[j], theirs < 0 ? n : theirs);
        same_until = std::min(same_until, step);
      }
      if (same_until < n) {
        EXPECT_LT(expected.gap[g][same_until], tolerance.gap) << "lane " << g << ", step " << same_until;
      }
    }
    const Tensor y = y_BTHd[b].narrow(0, start, n).to(torch::kDouble).contiguous();
    const double* p = y.const_data_ptr<double>();
    double largest = 0;
    for (int64_t t = 0; t < n; ++t)
      for (const auto& head : expected.y[t])
        for (const double value : head) {
          const double difference = std::abs(value - *p++);
          if (t <= same_until) largest = std::max(largest, std::isnan(difference) ? 1e300 : difference);
        }
    EXPECT_LT(largest, tolerance.output);
    compared += std::min(same_until + 1, n);
    tokens += n;
  }
  EXPECT_GT(compared, tokens * 9 / 10) << "near ties leave too little to compare: choose another seed";
}

}  // namespace attnlab
