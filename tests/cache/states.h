// What tests of states share: a small shape, and texts fed in calls.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "cache/cache_options.h"
#include "cache/texts.h"

namespace attnlab {

inline constexpr StateShape small_shape{.layers = 1, .heads = 4, .kv_heads = 2, .head_dim = 8};

inline std::unique_ptr<LayerState> one_state(const CacheOptions& options, const StateShape& s,
                                             const StateRun& run) {
  return std::move(make_states(options, s, run).front());
}

inline Tensor feed(LayerState& state, const NewTokens& tokens, std::vector<int64_t> calls) {
  std::vector<Tensor> ys;
  int64_t first = 0;
  for (const int64_t count : calls) {
    ys.push_back(state.attend(part(tokens, first, count), Rope(tokens.q_BTHd.size(-1), 10000.0)));
    first += count;
  }
  return torch::cat(ys, 1);
}

inline std::vector<int64_t> one_by_one(int64_t first, int64_t total) {
  std::vector<int64_t> calls(1 + total - first, 1);
  calls[0] = first;
  return calls;
}

inline const reference::Rule keep_all = [](const reference::Decision& d) {
  return reference::Vec(d.live.size(), 1.0);
};

}  // namespace attnlab
