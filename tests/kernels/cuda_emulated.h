// Whole calls of kernels/cuda/bounded_step.h on emulated blocks, and texts to give them.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "cache/per_step_reference.h"
#include "kernels/cuda/lanes.h"
#include "kernels/emulated_block.h"

namespace attnlab::cuda {

using Floats = std::vector<float>;
using Longs = std::vector<int64_t>;

template <class T>
std::vector<T> narrowed(const Floats& x) {
  std::vector<T> y(x.size());
  for (size_t i = 0; i < x.size(); ++i) narrow(x[i], y[i]);
  return y;
}

template <class T>
Floats widened_all(const std::vector<T>& x) {
  Floats y(x.size());
  std::transform(x.begin(), x.end(), y.begin(), [](T one) { return widened(one); });
  return y;
}

/// Normal numbers, all of them numbers of T.
template <class T>
Floats noise(size_t count, int seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  Floats x(count);
  for (float& one : x) one = normal(generator);
  return widened_all(narrowed<T>(x));
}

/// Texts of B sequences: q [B, T, H, d], k and v [B, T, K, d]. Components 0 and d/2 of q and k are 0, so that
/// the reference's rotation by positions, with θ infinite, turns nothing.
struct Texts {
  Shape shape;
  int tokens;
  Floats q, k, v;

  template <class T>
  static Texts random(const Shape& shape, int tokens, int seed) {
    Texts x{shape, tokens, {}, {}, {}};
    const size_t rows = static_cast<size_t>(shape.batch) * tokens, d = shape.d;
    x.q = noise<T>(rows * shape.heads * d, seed);
    x.k = noise<T>(rows * shape.kv_heads * d, seed + 1);
    x.v = noise<T>(rows * shape.kv_heads * d, seed + 2);
    for (Floats* turned : {&x.q, &x.k})
      for (size_t i = 0; i < turned->size(); i += d) (*turned)[i] = (*turned)[i + d / 2] = 0;
    return x;
  }

  /// The first token takes all the weight: the others' logits are 90 to 150 less, different for every head.
  template <class T>
  static Texts peaked(const Shape& shape, int tokens, int seed) {
    Texts x = random<T>(shape, tokens, seed);
    std::mt19937 generator(seed);
    std::uniform_real_distribution<float> less(90, 150);
    for (size_t i = 1; i < x.q.size(); i += shape.d) x.q[i] = std::sqrt(static_cast<float>(shape.d));
    for (size_t i = 1; i < x.k.size(); i += shape.d)
      x.k[i] = i / (shape.d * shape.kv_heads) % tokens == 0 ? 5.0f : -less(generator);
    return x;
  }

  static reference::Vec row(const Floats& x, size_t at, int d) {
    return reference::Vec(x.begin() + at * d, x.begin() + (at + 1) * d);
  }

  /// The tokens of one sequence that stand in `columns`.
  reference::Text sequence(int b, const std::vector<int>& columns) const {
    reference::Text text;
    for (const int t : columns) {
      const size_t at = static_cast<size_t>(b) * tokens + t;
      auto& q_Hd = text.q.emplace_back();
      auto &k_Kd = text.k.emplace_back(), &v_Kd = text.v.emplace_back();
      for (int h = 0; h < shape.heads; ++h) q_Hd.push_back(row(q, at * shape.heads + h, shape.d));
      for (int h = 0; h < shape.kv_heads; ++h) {
        k_Kd.push_back(row(k, at * shape.kv_heads + h, shape.d));
        v_Kd.push_back(row(v, at * shape.kv_heads + h, shape.d));
      }
    }
    return text;
  }
};

struct Read {
  Floats y;      ///< [B, T, H, d]
  Longs expiry;  ///< [L, T]
};

/// tova_text. present: [B·T] or empty.
template <int N, class T>
Read read_texts(const Texts& x, const Rule& rule, const std::vector<char>& present, BlockKind kind) {
  const int units = x.shape.units(), slots = std::min(rule.size, x.tokens) + 1;
  const auto q = narrowed<T>(x.q), k = narrowed<T>(x.k), v = narrowed<T>(x.v);
  std::vector<T> y(q.size());
  Read read{{}, Longs(static_cast<size_t>(rule.apart ? units : x.shape.batch) * x.tokens)};
  const auto mask = std::make_unique<bool[]>(present.size());
  std::copy(present.begin(), present.end(), mask.get());

  TextCall call;
  call.shape = x.shape;
  call.rule = rule;
  call.tokens = x.tokens;
  call.q = q.data();
  call.k = k.data();
  call.v = v.data();
  call.present = present.empty() ? nullptr : mask.get();
  call.y = y.data();
  call.expiry = read.expiry.data();
  Floats weights(units * N * slots, NAN), shares(2 * units * slots, NAN);
  Longs columns(units * slots, -7);
  const TextSpace space{weights.data(), shares.data(), columns.data(), nullptr, slots};

  std::vector<TextState> states(units);
  std::vector<EmulatedBlock> blocks(units, EmulatedBlock(kind, N));
  std::vector<char> decides(units, 0);
  const auto decide = [&](int unit, int t) {
    if (decides[unit]) text_decision(blocks[unit], call, space, states[unit], unit, t);
  };
  // A block decides and is through with its next token before the others have decided.
  for (int t = 0; t < x.tokens; ++t)
    for (int i = 0; i < units; ++i) {
      const int unit = kind.backwards ? units - 1 - i : i;
      decide(unit, t - 1);
      decides[unit] = text_unit<N, T>(blocks[unit], call, space, states[unit], unit, t);
    }
  for (int unit = 0; unit < units; ++unit) decide(unit, x.tokens - 1);
  read.y = widened_all(y);
  return read;
}

/// The same by decode_step, token after token.
template <int N, class T>
Read decode_texts(const Texts& x, const Rule& rule, const std::vector<char>& present, BlockKind kind) {
  const int batch = x.shape.batch, units = x.shape.units(), slots = rule.size + 1, d = x.shape.d;
  const int lanes = rule.apart ? units : batch;
  std::vector<T> kept_k(units * slots * d), kept_v(kept_k), q, k, v, y(batch * x.shape.heads * d);
  Floats workspace(units * slots * (N + 1), NAN);
  Longs order(lanes * slots, -7), counts(lanes * 3), dropped(lanes);
  Read read{Floats(x.q.size()), Longs(lanes * x.tokens, -2)};
  std::vector<Longs> columns(batch);  // of each sequence's tokens

  const auto step_of = [&](const Floats& all, int heads, int t) {
    Floats step;
    for (int b = 0; b < batch; ++b) {
      const auto first = all.begin() + (static_cast<int64_t>(b) * x.tokens + t) * heads * d;
      step.insert(step.end(), first, first + heads * d);
    }
    return narrowed<T>(step);
  };
  for (int t = 0; t < x.tokens; ++t) {
    q = step_of(x.q, x.shape.heads, t);
    k = step_of(x.k, x.shape.kv_heads, t);
    v = step_of(x.v, x.shape.kv_heads, t);
    const auto mask = std::make_unique<bool[]>(batch);
    for (int b = 0; b < batch; ++b) {
      mask[b] = present.empty() || present[b * x.tokens + t];
      if (mask[b]) columns[b].push_back(t);
    }
    const DecodeCall call{x.shape,    rule,           q.data(),        k.data(),     v.data(),
                          mask.get(), kept_k.data(),  kept_v.data(),   order.data(), counts.data(),
                          y.data(),   dropped.data(), workspace.data()};
    EmulatedBlock block(kind, N);
    for (int unit = 0; unit < units; ++unit) decode_unit<N, T>(block, call, unit);
    for (int lane = 0; lane < lanes; ++lane) decode_lane<N>(block, call, lane);
    for (int lane = 0; lane < lanes; ++lane) {
      const int b = lane * batch / lanes;
      if (mask[b]) read.expiry[lane * x.tokens + t] = -1;
      if (dropped[lane] >= 0) read.expiry[lane * x.tokens + columns[b][dropped[lane]]] = t;
    }
    const Floats wide = widened_all(y);
    const int width = x.shape.heads * d;
    for (int b = 0; b < batch; ++b)
      std::copy_n(wide.begin() + b * width, width,
                  read.y.begin() + (static_cast<int64_t>(b) * x.tokens + t) * width);
  }
  return read;
}

}  // namespace attnlab::cuda
