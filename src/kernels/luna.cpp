#include "kernels/luna.h"

#include <cmath>

#include "kernels/few_rows.h"
#include "kernels/linear.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

/// [B, L, D] → [B, H, L, d]
Tensor split_heads(const Tensor& x_BLD, int64_t heads) {
  return x_BLD.unflatten(-1, {heads, x_BLD.size(-1) / heads}).transpose(1, 2);
}

/// The rows' images under each head's map, [B, H, L, d] · [H, d, D] → [B, H, L, D]: a head's rows of all
/// texts in one product, because a broadcast product copies the map for every text and keeps the copies for
/// the backward.
Tensor map_heads(const Tensor& rows_BHLd, const Tensor& map_HdD) {
  const int64_t texts = rows_BHLd.size(0), length = rows_BHLd.size(2);
  const Tensor rows_HRd = rows_BHLd.transpose(0, 1).flatten(1, 2);
  return at::bmm(rows_HRd, map_HdD).unflatten(1, {texts, length}).transpose(0, 1);
}

/// The same, all heads' rows of a text one below the other: [B, H·L, D].
Tensor absorb(const Tensor& rows_BHLd, const Tensor& map_HdD) {
  return map_heads(rows_BHLd, map_HdD).flatten(1, 2);
}

LunaOutput absorbed(const Tensor& query, const Tensor& context, const Tensor& state, const LunaWeights& w,
                    int64_t heads, const Tensor& context_bias, const Tensor& slot_bias, Drop pack_drop,
                    Drop unpack_drop) {
  const int64_t dim = state.size(2), d = dim / heads, length = state.size(1);
  const double scale = 1.0 / std::sqrt(static_cast<double>(d));
  const auto by_head = [&](const Tensor& weight) { return weight.view({heads, d, dim}); };

  // Pack. The key's bias adds the same to all scores of a row and so leaves the softmax alone.
  const Tensor pq = split_heads(affine(state, w.pack_query.weight, w.pack_query.bias) * scale, heads);
  const Packed packed = pack_rows(absorb(pq, by_head(w.pack_key.weight)), context, context_bias, pack_drop);
  const Tensor heads_BHLd =
      map_heads(packed.z_BRD.unflatten(1, {heads, length}), by_head(w.pack_value.weight).transpose(1, 2)) +
      packed.total_BR.unflatten(1, {heads, length}).unsqueeze(-1) * w.pack_value.bias.view({heads, 1, d});
  const Tensor y_p = heads_BHLd.transpose(1, 2).flatten(2);

  // Unpack.
  const Tensor k = split_heads(affine(y_p, w.key.weight, w.key.bias) * scale, heads);
  const Tensor v = split_heads(affine(y_p, w.value.weight, w.value.bias), heads);
  Tensor c0 = (k * w.query.bias.view({heads, 1, d})).sum(-1);
  if (slot_bias.defined()) c0 = c0 + slot_bias.unsqueeze(1);
  const Tensor output_HdD = w.output.weight.t().reshape({heads, d, dim});
  const Tensor y = unpack_rows(query, absorb(k, by_head(w.query.weight)), c0.flatten(1),
                               absorb(v, output_HdD), w.output.bias, heads, unpack_drop);
  return {y, y_p};
}

LunaOutput projected(const Tensor& query, const Tensor& context, const Tensor& state, const LunaWeights& w,
                     int64_t heads, const Tensor& context_bias, const Tensor& slot_bias, Drop pack_drop,
                     Drop unpack_drop) {
  const auto map = [](const Tensor& x, const AffineMap& m) { return affine(x, m.weight, m.bias); };
  const bool tied_pack = w.pack_key.weight.is_same(w.pack_value.weight);
  const Tensor pk = map(context, w.pack_key);
  const Tensor y_p =
      weighted_attention(map(state, w.pack_query), pk, tied_pack ? pk : map(context, w.pack_value), heads,
                         context_bias, pack_drop);
  const Tensor k = map(y_p, w.key);
  const Tensor v = w.key.weight.is_same(w.value.weight) ? k : map(y_p, w.value);
  const Tensor y = weighted_attention(map(query, w.query), k, v, heads, slot_bias, unpack_drop);
  return {map(y, w.output), y_p};
}

}  // namespace

bool has_native_luna(const Tensor& query) { return is_native(query); }

LunaOutput luna_attention(const Tensor& query, const Tensor& context, const Tensor& state,
                          const LunaWeights& weights, int64_t heads, const Tensor& context_bias,
                          const Tensor& slot_bias, Drop pack_drop, Drop unpack_drop) {
  const auto form = luna_absorbs(state.size(2), heads, state.size(1), query.size(1), context.size(1))
                        ? absorbed
                        : projected;
  return form(query, context, state, weights, heads, context_bias, slot_bias, pack_drop, unpack_drop);
}

}  // namespace attnlab
