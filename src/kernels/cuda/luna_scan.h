// The passes of causal_luna.h as phases of a block (block.h), a stretch of a head to a block. The formulas
// are those of kernels/simd/luna.inc: the first scan serves the output (X = Q, Y = K, Z = V) and the gradient
// of Q (X = ∂Y/t, Y = V, Z = K); the scan backwards is taken once for K and once for V.
#pragma once

#include <cmath>

#include "kernels/cuda/block.h"
#include "kernels/cuda/causal_luna.h"

namespace attnlab::cuda {

/// A matrix in shared memory. Its rows are an odd number apart, so that a column's numbers lie in different
/// banks.
template <typename Number>
struct Tile {
  Number* at;
  int stride;
  ATTNLAB_DEVICE Number& operator()(int r, int c) const { return at[r * stride + c]; }
};

template <class Int>
ATTNLAB_ANYWHERE constexpr Int odd(Int width) {
  return width | 1;
}

/// Hands out tiles of a block's memory.
template <typename Number>
struct Tiles {
  Number* next;
  ATTNLAB_DEVICE Tile<Number> take(int rows, int width) {
    const Tile<Number> tile{next, odd(width)};
    next += rows * odd(width);
    return tile;
  }
};

/// One stretch of one head.
template <typename Number>
struct LunaUnit {
  const LunaCall<Number>& call;
  int text, head, index;  ///< index: of the stretch
  int first, end;         ///< its tokens

  ATTNLAB_DEVICE LunaUnit(const LunaCall<Number>& call, int64_t unit) : call(call) {
    index = static_cast<int>(unit % call.each);
    const int64_t of = unit / call.each;
    head = static_cast<int>(of % call.heads);
    text = static_cast<int>(of / call.heads);
    first = index * call.stretch;
    end = first + call.stretch < call.tokens ? first + call.stretch : call.tokens;
  }
  template <typename Rows>
  ATTNLAB_DEVICE auto* row(const Rows& rows, int token) const {
    return rows.at + text * rows.of_text + head * rows.of_head + token * rows.of_token;
  }
  /// Of u, dlogits and mask.
  ATTNLAB_DEVICE int64_t weight(int token, int r) const {
    return ((static_cast<int64_t>(text) * call.heads + head) * call.tokens + token) * call.l + r;
  }
  ATTNLAB_DEVICE Number part(int token) const { return call.parts[text * call.parts_of_text + token]; }
  ATTNLAB_DEVICE Number kept(int token, int r) const {
    return call.mask ? call.mask[weight(token, r)] : Number(1);
  }
  /// Keys' sums, or values'.
  ATTNLAB_DEVICE Number* sums(int r, bool of_values) const {
    const int64_t at = (static_cast<int64_t>(text) * call.heads + head) * call.each + index;
    return call.sums + ((at * call.l + r) * 2 + of_values) * call.d;
  }
};

// ---- phases -----------------------------------------------------------------------------------------------

/// A chunk's rows, zeros behind the last token.
template <typename Block, typename Number, typename Rows>
ATTNLAB_DEVICE void load_rows(Block& block, const LunaUnit<Number>& unit, const Rows& rows, int width,
                              int first, bool scaled, Tile<Number> to) {
  block.for_each(luna_chunk_tokens * width, [&](int i) {
    const int r = i / width, c = i % width, token = first + r;
    const Number scale = scaled && token < unit.end ? unit.part(token) : Number(1);
    to(r, c) = token < unit.end ? scale * unit.row(rows, token)[c] : Number(0);
  });
}

/// U after dropout, or dlogits.
template <typename Block, typename Number>
ATTNLAB_DEVICE void load_weights(Block& block, const LunaUnit<Number>& unit, bool dropped_u, int first,
                                 Tile<Number> to) {
  const LunaCall<Number>& a = unit.call;
  block.for_each(luna_chunk_tokens * a.l, [&](int i) {
    const int r = i / a.l, c = i % a.l, token = first + r;
    Number x = 0;
    if (token < unit.end)
      x = dropped_u ? a.u[unit.weight(token, c)] * unit.kept(token, c) : a.dlogits[unit.weight(token, c)];
    to(r, c) = x;
  });
}

template <typename Block, typename Number>
ATTNLAB_DEVICE void load_sums(Block& block, const LunaUnit<Number>& unit, bool of_values, Tile<Number> to) {
  const int d = unit.call.d;
  block.for_each(unit.call.l * d, [&](int i) { to(i / d, i % d) = unit.sums(i / d, of_values)[i % d]; });
}
template <typename Block, typename Number>
ATTNLAB_DEVICE void store_sums(Block& block, const LunaUnit<Number>& unit, bool of_values,
                               Tile<Number> from) {
  const int d = unit.call.d;
  block.for_each(unit.call.l * d, [&](int i) { unit.sums(i / d, of_values)[i % d] = from(i / d, i % d); });
}

/// term(0) + … + term(count − 1) with `first` to begin at.
template <typename Number, typename Term>
ATTNLAB_DEVICE Number sum_of(int first, int end, Term term) {
  Number sum = 0;
  for (int p = first; p < end; ++p) sum += term(p);
  return sum;
}

/// Adds Σ_t r(t, i)·x(t, p) to sums [l, d].
template <typename Block, typename Number>
ATTNLAB_DEVICE void add_to_sums(Block& block, int l, int d, Tile<Number> rs, Tile<Number> xs,
                                Tile<Number> sums) {
  block.for_each(l * d, [&](int i) {
    const int r = i / d, p = i % d;
    sums(r, p) += sum_of<Number>(0, luna_chunk_tokens, [&](int t) { return rs(t, r) * xs(t, p); });
  });
}

// ---- the passes -------------------------------------------------------------------------------------------

/// The first scan: `each(first, w)` is a phase that makes R of W, in place, for the tokens from `first` on.
template <typename Block, typename Number, typename X, typename Each>
ATTNLAB_DEVICE void luna_scan(Block& block, const LunaUnit<Number>& unit, Number* memory, const X& x,
                              bool scaled, bool swapped, const HeadRows<Number>& out, Each each) {
  constexpr int c = luna_chunk_tokens;
  const LunaCall<Number>& a = unit.call;
  Tiles<Number> tiles{memory};
  const Tile<Number> xs = tiles.take(c, a.d), ys = tiles.take(c, a.d), zs = tiles.take(c, a.d),
                     as = tiles.take(c, a.l), ws = tiles.take(c, a.l), square = tiles.take(c, c),
                     sums_y = tiles.take(a.l, a.d), sums_z = tiles.take(a.l, a.d);
  load_sums(block, unit, swapped, sums_y);
  load_sums(block, unit, !swapped, sums_z);
  for (int first = unit.first; first < unit.end; first += c) {
    load_rows(block, unit, x, a.d, first, scaled, xs);
    load_rows(block, unit, swapped ? a.v : a.k, a.d, first, false, ys);
    load_rows(block, unit, swapped ? a.k : a.v, a.d, first, false, zs);
    load_rows(block, unit, a.a, a.l, first, false, as);
    block.for_each(c * (c + a.l), [&](int i) {
      const int t = i / (c + a.l), j = i % (c + a.l);
      if (j < c)
        square(t, j) = j > t ? Number(0) : sum_of<Number>(0, a.d, [&](int p) { return xs(t, p) * ys(j, p); });
      else
        ws(t, j - c) = sum_of<Number>(0, a.d, [&](int p) { return xs(t, p) * sums_y(j - c, p); });
    });
    block.for_each(c * a.l, [&](int i) {
      const int t = i / a.l, r = i % a.l;
      ws(t, r) += sum_of<Number>(0, t + 1, [&](int j) { return square(t, j) * as(j, r); });
    });
    each(first, ws);
    block.for_each(c * c, [&](int i) {
      const int t = i / c, j = i % c;
      square(t, j) = j > t ? Number(0) : sum_of<Number>(0, a.l, [&](int r) { return ws(t, r) * as(j, r); });
    });
    block.for_each(c * a.d, [&](int i) {
      const int t = i / a.d, p = i % a.d;
      const Number sum = sum_of<Number>(0, a.l, [&](int r) { return ws(t, r) * sums_z(r, p); }) +
                         sum_of<Number>(0, t + 1, [&](int j) { return square(t, j) * zs(j, p); });
      if (first + t < unit.end) unit.row(out, first + t)[p] = sum;
    });
    add_to_sums(block, a.l, a.d, as, ys, sums_y);
    add_to_sums(block, a.l, a.d, as, zs, sums_z);
  }
}

template <typename Block, typename Number>
ATTNLAB_DEVICE void luna_forward(Block& block, const LunaCall<Number>& a, int64_t of, Number* memory) {
  const LunaUnit<Number> unit(a, of);
  luna_scan(block, unit, memory, a.q, false, false, a.y, [&](int first, Tile<Number> w) {
    block.for_each(luna_chunk_tokens, [&](int t) {
      const int token = first + t;
      if (token >= unit.end) return;
      const Number part = unit.part(token);
      Number top = -3e38, total = 0;
      for (int r = 0; r < a.l; ++r) {
        const Number x = w(t, r) * part + (a.bias ? a.bias[unit.text * a.l + r] : Number(0));
        w(t, r) = x;
        top = x > top ? x : top;
      }
      for (int r = 0; r < a.l; ++r) total += w(t, r) = std::exp(w(t, r) - top);
      const Number inverse = total == Number(0) ? Number(0) : 1 / total;
      for (int r = 0; r < a.l; ++r) {
        const Number u = w(t, r) * inverse;
        a.u[unit.weight(token, r)] = u;
        w(t, r) = u * unit.kept(token, r) * part;
      }
    });
  });
}

template <typename Block, typename Number>
ATTNLAB_DEVICE void luna_backward_queries(Block& block, const LunaCall<Number>& a, int64_t of,
                                          Number* memory) {
  const LunaUnit<Number> unit(a, of);
  luna_scan(block, unit, memory, a.dy, true, true, a.dq, [&](int first, Tile<Number> w) {
    block.for_each(luna_chunk_tokens, [&](int t) {
      const int token = first + t;
      if (token >= unit.end) return;
      const Number part = unit.part(token);
      Number dot = 0;
      for (int r = 0; r < a.l; ++r) {
        w(t, r) *= unit.kept(token, r);
        dot += a.u[unit.weight(token, r)] * w(t, r);
      }
      for (int r = 0; r < a.l; ++r)
        a.dlogits[unit.weight(token, r)] = w(t, r) = part * a.u[unit.weight(token, r)] * (w(t, r) - dot);
    });
  });
}

/// One chunk of the scan backwards, for K (X = Q, R = dlogits) or for V (X = ∂Y/t, R = U).
template <typename Block, typename Number>
ATTNLAB_DEVICE void luna_suffix_chunk(Block& block, const LunaUnit<Number>& unit, int first, bool of_values,
                                      Tile<Number> xs, Tile<Number> ys, Tile<Number> rs, Tile<Number> as,
                                      Tile<Number> outer, Tile<Number> inner, Tile<Number> sums) {
  constexpr int c = luna_chunk_tokens;
  const LunaCall<Number>& a = unit.call;
  if (of_values)
    load_rows(block, unit, a.dy, a.d, first, true, xs);
  else
    load_rows(block, unit, a.q, a.d, first, false, xs);
  load_rows(block, unit, of_values ? a.v : a.k, a.d, first, false, ys);
  load_weights(block, unit, of_values, first, rs);
  block.for_each(2 * c * c, [&](int i) {
    const int j = i / (2 * c), t = i % c;
    if (i % (2 * c) < c)
      outer(j, t) = t < j ? Number(0) : sum_of<Number>(0, a.l, [&](int r) { return as(j, r) * rs(t, r); });
    else
      inner(j, t) = t < j ? Number(0) : sum_of<Number>(0, a.d, [&](int p) { return ys(j, p) * xs(t, p); });
  });
  const HeadRows<Number>& dy = of_values ? a.dv : a.dk;
  block.for_each(c * (a.d + a.l), [&](int i) {
    const int j = i / (a.d + a.l), p = i % (a.d + a.l), r = p - a.d;
    if (first + j >= unit.end) return;
    if (p < a.d) {
      unit.row(dy, first + j)[p] = sum_of<Number>(0, a.l, [&](int q) { return as(j, q) * sums(q, p); }) +
                                   sum_of<Number>(j, c, [&](int t) { return outer(j, t) * xs(t, p); });
    } else {
      Number& da = unit.row(a.da, first + j)[r];
      da = (of_values ? da : Number(0)) +
           sum_of<Number>(0, a.d, [&](int q) { return ys(j, q) * sums(r, q); }) +
           sum_of<Number>(j, c, [&](int t) { return inner(j, t) * rs(t, r); });
    }
  });
  add_to_sums(block, a.l, a.d, rs, xs, sums);
}

template <typename Block, typename Number>
ATTNLAB_DEVICE void luna_backward_keys(Block& block, const LunaCall<Number>& a, int64_t of, Number* memory) {
  constexpr int c = luna_chunk_tokens;
  const LunaUnit<Number> unit(a, of);
  Tiles<Number> tiles{memory};
  const Tile<Number> xs = tiles.take(c, a.d), ys = tiles.take(c, a.d), rs = tiles.take(c, a.l),
                     as = tiles.take(c, a.l), outer = tiles.take(c, c), inner = tiles.take(c, c),
                     keys = tiles.take(a.l, a.d), values = tiles.take(a.l, a.d);
  load_sums(block, unit, false, keys);
  load_sums(block, unit, true, values);
  const int chunks = (unit.end - unit.first + c - 1) / c;
  for (int chunk = chunks - 1; chunk >= 0; --chunk) {
    const int first = unit.first + chunk * c;
    load_rows(block, unit, a.a, a.l, first, false, as);
    for (const bool of_values : {false, true})
      luna_suffix_chunk(block, unit, first, of_values, xs, ys, rs, as, outer, inner,
                        of_values ? values : keys);
  }
}

/// Sums of a stretch's own tokens: A with K and V, or (suffix) dlogits with Q and U with ∂Y/t.
template <typename Block, typename Number>
ATTNLAB_DEVICE void luna_sums(Block& block, const LunaCall<Number>& a, int64_t of, bool suffix,
                              Number* memory) {
  constexpr int c = luna_chunk_tokens;
  const LunaUnit<Number> unit(a, of);
  for (const bool of_values : {false, true}) {
    Tiles<Number> tiles{memory};
    const Tile<Number> xs = tiles.take(c, a.d), rs = tiles.take(c, a.l), sums = tiles.take(a.l, a.d);
    block.for_each(a.l * a.d, [&](int i) { sums(i / a.d, i % a.d) = 0; });
    for (int first = unit.first; first < unit.end; first += c) {
      if (suffix && of_values)
        load_rows(block, unit, a.dy, a.d, first, true, xs);
      else
        load_rows(block, unit, suffix ? a.q : of_values ? a.v : a.k, a.d, first, false, xs);
      if (suffix)
        load_weights(block, unit, of_values, first, rs);
      else
        load_rows(block, unit, a.a, a.l, first, false, rs);
      add_to_sums(block, a.l, a.d, rs, xs, sums);
    }
    store_sums(block, unit, of_values, sums);
  }
}

template <typename Block, typename Number>
ATTNLAB_DEVICE void luna_pass(Block& block, LunaPass pass, const LunaCall<Number>& a, int64_t of,
                              Number* memory) {
  switch (pass) {
    case LunaPass::sums:
      return luna_sums(block, a, of, false, memory);
    case LunaPass::forward:
      return luna_forward(block, a, of, memory);
    case LunaPass::backward_queries:
      return luna_backward_queries(block, a, of, memory);
    case LunaPass::suffix_sums:
      return luna_sums(block, a, of, true, memory);
    case LunaPass::backward_keys:
      return luna_backward_keys(block, a, of, memory);
  }
}

/// Numbers of memory that the passes take, the largest of all.
ATTNLAB_ANYWHERE constexpr int64_t luna_memory(int64_t d, int64_t l) {
  constexpr int64_t c = luna_chunk_tokens;
  return c * (3 * odd(d) + 2 * odd(l) + 2 * odd(luna_chunk_tokens)) + 2 * l * odd(d);
}

/// Whether a block with so many bytes of shared memory holds them in fp32, and an int counts a head's
/// weights.
constexpr bool luna_fits(int64_t tokens, int64_t d, int64_t l, int64_t shared_bytes) {
  return tokens * l < (int64_t{1} << 31) && 4 * luna_memory(d, l) <= shared_bytes;
}

}  // namespace attnlab::cuda
