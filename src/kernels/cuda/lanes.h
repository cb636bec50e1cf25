// The three kernels of bounded_step.h for a block of threads in phases (block.h): which rows are read, which
// slot the next token takes. N query heads share one reading of a key.
#pragma once

#include "kernels/cuda/attend.h"
#include "kernels/cuda/bounded_step.h"

namespace attnlab::cuda {

/// Query heads that one block takes at a time: scratch per unit is [N, S].
inline int heads_at_once(const Shape& shape) { return shape.group() == 1 ? 1 : 4; }

/// Another thread block has written this: not from this processor's own cache.
ATTNLAB_DEVICE float from_all(const float* x) {
#ifdef __CUDA_ARCH__
  return __ldcg(x);
#else
  return *x;
#endif
}

template <class T>
ATTNLAB_DEVICE const T* at(const void* base, int64_t offset) {
  return static_cast<const T*>(base) + offset;
}
template <class T>
ATTNLAB_DEVICE T* at(void* base, int64_t offset) {
  return static_cast<T*>(base) + offset;
}

/// Where no token is.
template <class T, class Block>
ATTNLAB_DEVICE void clear(Block& block, T* y, int count) {
  block.for_each(count, [&](int i) { narrow(0.0f, y[i]); });
}

template <int N, class T, class Block>
ATTNLAB_DEVICE void step_unit(Block& block, const StepCall& a, int unit) {
  const int group = a.shape.group(), d = a.shape.d;
  const int64_t given = a.extent ? a.extent[unit] : a.slots, from = static_cast<int64_t>(unit) * a.slots;
  const Unit<T> u{.heads = group,
                  .d = d,
                  .n = static_cast<int>(given < 0         ? 0
                                        : given < a.slots ? given
                                                          : a.slots),
                  .q = at<T>(a.q, static_cast<int64_t>(unit) * group * d),
                  .bias = a.bias ? a.bias + from : nullptr,
                  .y = at<T>(a.y, static_cast<int64_t>(unit) * group * d),
                  .shares = a.shares ? a.shares + from : nullptr,
                  .weights = at<float>(a.workspace, N * from),
                  .stride = a.slots};
  attend<N, Slots::any>(
      block, u, [&](int s) { return at<T>(a.k, (from + s) * d); },
      [&](int s) { return at<T>(a.v, (from + s) * d); });
}

// Lanes ---------------------------------------------------------------------------------------------------

/// What a lane's decision reads: `heads` key-value heads' shares, one after the other.
struct Votes {
  const float* shares;  ///< [heads, stride]
  int heads, stride;
  float each;  ///< 1 / query heads
};

template <class Block>
ATTNLAB_DEVICE Candidate choose(Block& block, Score score, const Votes& votes, int n, const int64_t* order,
                                int64_t not_before) {
  if (score == Score::age) return lowest(block, n, order, not_before, [](int) { return 0.0f; });
  return lowest(block, n, order, not_before, [&](int s) {
    float sum = 0.0f;
    for (int h = 0; h < votes.heads; ++h)
      sum += from_all(votes.shares + static_cast<int64_t>(h) * votes.stride + s);
    return multiply(sum, votes.each);
  });
}

/// x, kept within 0 … most.
ATTNLAB_DEVICE int64_t bounded(int64_t x, int64_t most) { return x < 0 ? 0 : x < most ? x : most; }

// Decoding. workspace: weights [B·K, N, S], then shares [B·K, S] -------------------------------------------

template <int N>
ATTNLAB_DEVICE float* decode_shares(const DecodeCall& a) {
  return at<float>(a.workspace, static_cast<int64_t>(a.shape.units()) * N * (a.rule.size + 1));
}

/// A key-value head takes in its new state and attends.
template <int N, class T, class Block>
ATTNLAB_DEVICE void decode_unit(Block& block, const DecodeCall& a, int unit) {
  const int group = a.shape.group(), d = a.shape.d, slots = a.rule.size + 1;
  const int sequence = unit / a.shape.kv_heads, lane = a.rule.apart ? unit : sequence;
  const int64_t own = static_cast<int64_t>(unit) * slots, query = static_cast<int64_t>(unit) * group * d;
  T* const y = at<T>(a.y, query);
  if (a.present && !a.present[sequence]) return clear(block, y, group * d);

  // A caller's counts may be anything: nothing is written out of bounds.
  const int64_t live = bounded(a.counts[3 * lane + 1], a.rule.size),
                slot = bounded(a.counts[3 * lane + 2], live);
  T *const k = at<T>(a.kept_k, own * d), *const v = at<T>(a.kept_v, own * d);
  block.for_each(d, [&](int c) {
    k[slot * d + c] = at<T>(a.k, static_cast<int64_t>(unit) * d)[c];
    v[slot * d + c] = at<T>(a.v, static_cast<int64_t>(unit) * d)[c];
  });
  const Unit<T> u{.heads = group,
                  .d = d,
                  .n = static_cast<int>(live) + 1,
                  .q = at<T>(a.q, query),
                  .bias = nullptr,
                  .y = y,
                  .shares = decode_shares<N>(a) + own,
                  .weights = at<float>(a.workspace, N * own),
                  .stride = slots};
  attend<N>(
      block, u, [&](int s) -> const T* { return k + static_cast<int64_t>(s) * d; },
      [&](int s) -> const T* { return v + static_cast<int64_t>(s) * d; });
}

/// Then the lane decides.
template <int N, class Block>
ATTNLAB_DEVICE void decode_lane(Block& block, const DecodeCall& a, int lane) {
  const int slots = a.rule.size + 1, heads = a.rule.apart ? 1 : a.shape.kv_heads;
  const bool present = !a.present || a.present[lane * heads / a.shape.kv_heads];
  int64_t *const counts = a.counts + 3 * lane, *const order = a.order + static_cast<int64_t>(lane) * slots;
  const int64_t tokens = counts[0], live = bounded(counts[1], a.rule.size), slot = bounded(counts[2], live);
  block.for_each(1, [&](int) {
    if (present) order[slot] = tokens;
  });
  int64_t gone = -1, free = live + 1;
  if (present && live == a.rule.size) {
    const Votes votes{decode_shares<N>(a) + static_cast<int64_t>(lane) * heads * slots, heads, slots,
                      1.0f / static_cast<float>(heads * a.shape.group())};
    const Candidate last = choose(block, a.rule.score, votes, slots, order, a.rule.protect_first);
    // Nobody, where the caller's order is none: the newest then goes, and nothing is written out of bounds.
    gone = last.slot < 0 ? tokens : last.order;
    free = last.slot < 0 ? slot : last.slot;
  }
  block.for_each(1, [&](int) {
    a.dropped[lane] = gone;
    if (!present) return;
    counts[0] = tokens + 1;
    counts[1] = live + (gone < 0 ? 1 : 0);
    counts[2] = free;
  });
}

// A whole text. Keys and values stay where they are: a slot holds the column of its token -------------------

struct TextSpace {
  float* weights;      ///< [B·K, N, S]
  float* shares;       ///< [2, B·K, S]: two decisions in turn, so that a late block can still read the last
  int64_t* columns;    ///< [B·K, S]
  unsigned* meetings;  ///< [L]: blocks that have come to the lane's meetings
  int slots;
};

/// What each block of a lane knows; all blocks of a lane know the same.
struct TextState {
  int live = 0, next = 0, decisions = 0;
  int64_t read = 0, not_before = 0;  ///< tokens; the first column that is not protected
};

template <class Block>
ATTNLAB_DEVICE int64_t* expiry_of(const TextCall& a, Block&, int unit) {
  if (!a.rule.apart && unit % a.shape.kv_heads != 0) return nullptr;  // the lane's first head writes it
  return a.expiry + static_cast<int64_t>(a.rule.apart ? unit : unit / a.shape.kv_heads) * a.tokens;
}

/// The token of column t attends. Returns whether the lane must decide who goes; false at padding.
template <int N, class T, class Block>
ATTNLAB_DEVICE bool text_unit(Block& block, const TextCall& a, const TextSpace& space, TextState& state,
                              int unit, int t) {
  const int kv = a.shape.kv_heads, group = a.shape.group(), d = a.shape.d, sequence = unit / kv,
            head = unit % kv;
  const int64_t column = static_cast<int64_t>(sequence) * a.tokens + t;
  int64_t* const columns = space.columns + static_cast<int64_t>(unit) * space.slots;
  int64_t* const expiry = expiry_of(a, block, unit);
  T* const y = at<T>(a.y, (column * kv + head) * group * d);
  const bool present = !a.present || a.present[column];
  block.for_each(1, [&](int) {
    if (expiry) expiry[t] = present ? -1 : -2;
    if (present) columns[state.next] = t;
  });
  if (!present) {
    clear(block, y, group * d);
    return false;
  }
  if (state.read++ < a.rule.protect_first) state.not_before = t + 1;

  const auto row = [&](const void* x, int s) {
    return at<T>(x, ((static_cast<int64_t>(sequence) * a.tokens + columns[s]) * kv + head) * d);
  };
  const int64_t turn = static_cast<int64_t>(state.decisions % 2) * a.shape.units();
  const Unit<T> u{.heads = group,
                  .d = d,
                  .n = ++state.live,
                  .q = at<T>(a.q, (column * kv + head) * group * d),
                  .bias = nullptr,
                  .y = y,
                  .shares = space.shares + (turn + unit) * space.slots,
                  .weights = space.weights + static_cast<int64_t>(unit) * N * space.slots,
                  .stride = space.slots};
  attend<N>(
      block, u, [&](int s) { return row(a.k, s); }, [&](int s) { return row(a.v, s); });
  state.next = state.live;
  return state.live > a.rule.size;
}

/// Every block of the lane decides for itself, on the same numbers.
template <class Block>
ATTNLAB_DEVICE void text_decision(Block& block, const TextCall& a, const TextSpace& space, TextState& state,
                                  int unit, int t) {
  const int heads = a.rule.apart ? 1 : a.shape.kv_heads, first = unit / heads * heads;
  const int64_t turn = static_cast<int64_t>(state.decisions++ % 2) * a.shape.units();
  const Votes votes{space.shares + (turn + first) * space.slots, heads, space.slots,
                    1.0f / static_cast<float>(heads * a.shape.group())};
  const int64_t* const columns = space.columns + static_cast<int64_t>(unit) * space.slots;
  const Candidate last = choose(block, a.rule.score, votes, state.live, columns, state.not_before);
  int64_t* const expiry = expiry_of(a, block, unit);
  block.for_each(1, [&](int) {
    if (expiry) expiry[last.order] = t;
  });
  state.next = last.slot;
  --state.live;
}

}  // namespace attnlab::cuda
