#include "kernels/beam_attention.h"

#include "kernels/bounded_operators.h"
#include "kernels/native.h"
#include "kernels/sdpa.h"

namespace attnlab {
namespace {

Tensor composed_beam_attention(const Tensor& q_RD, const BeamCache& cache) {
  std::vector<Tensor> keys, values;
  for (const BeamBlock& block : cache.blocks)
    for (int64_t i = 0; i < block.tokens; ++i) {
      const Tensor who_R = cache.who_RT.select(1, static_cast<int64_t>(keys.size())).to(torch::kLong);
      keys.push_back(block.keys.select(2, i).index_select(0, who_R));
      values.push_back(block.values.select(2, i).index_select(0, who_R));
    }
  const Tensor q_RH1d = q_RD.unflatten(-1, {keys[0].size(1), -1}).unsqueeze(2);
  return sdpa(q_RH1d, at::stack(keys, 2), at::stack(values, 2), {}).flatten(1);
}

/// Of every token, the first head of the first row.
std::vector<const float*> starts_of(const BeamCache& cache, Tensor BeamBlock::*which) {
  std::vector<const float*> starts;
  for (const BeamBlock& block : cache.blocks) {
    const Tensor& all = block.*which;
    for (int64_t i = 0; i < block.tokens; ++i)
      starts.push_back(all.const_data_ptr<float>() + i * all.size(3));
  }
  return starts;
}

}  // namespace

void BeamCache::add(const Tensor& key_RD, const Tensor& value_RD, int64_t heads) {
  const int64_t rows = key_RD.size(0), d = key_RD.size(1) / heads;
  const Tensor own_R1 = at::arange(rows, key_RD.options().dtype(torch::kInt)).unsqueeze(1);
  who_RT = who_RT.defined() ? at::cat({who_RT, own_R1}, 1) : own_R1;
  if (blocks.empty() || blocks.back().tokens == BeamBlock::kPlaces || blocks.back().keys.size(0) < rows) {
    const auto empty = [&] { return at::empty({rows, heads, BeamBlock::kPlaces, d}, key_RD.options()); };
    blocks.push_back({empty(), empty()});
  }
  BeamBlock& last = blocks.back();
  last.keys.narrow(0, 0, rows).select(2, last.tokens).copy_(key_RD.unflatten(1, {heads, d}));
  last.values.narrow(0, 0, rows).select(2, last.tokens).copy_(value_RD.unflatten(1, {heads, d}));
  ++last.tokens;
}

void BeamCache::select(const Tensor& rows_R) {
  if (who_RT.defined()) who_RT = who_RT.index_select(0, rows_R);
}

int64_t BeamCache::bytes() const {
  int64_t sum = who_RT.defined() ? static_cast<int64_t>(who_RT.nbytes()) : 0;
  for (const BeamBlock& block : blocks)
    sum += static_cast<int64_t>(block.keys.nbytes() + block.values.nbytes());
  return sum;
}

Tensor context_attention(const Tensor& q_SHNd, const Tensor& k_SHMd, const Tensor& v_SHMd,
                         const Tensor& bias_SM) {
  if (!is_native(q_SHNd)) {
    const Tensor bias_S11M = bias_SM.defined() ? bias_SM.unsqueeze(1).unsqueeze(1) : Tensor();
    return sdpa(q_SHNd, k_SHMd, v_SHMd, {.mask = if_defined(bias_S11M)}).transpose(1, 2).flatten(2);
  }
  // A head's queries are to the operator what query heads that share keys are.
  const Tensor bias_SHM =
      bias_SM.defined() ? bias_SM.unsqueeze(1).expand({-1, q_SHNd.size(1), -1}).contiguous() : Tensor();
  const Tensor y_SRd = std::get<0>(bounded_attention_step(
      q_SHNd.flatten(1, 2).contiguous(), k_SHMd.contiguous(), v_SHMd.contiguous(), bias_SHM, {}));
  return y_SRd.view(q_SHNd.sizes()).transpose(1, 2).flatten(2);
}

Tensor beam_attention(const Tensor& q_RD, const BeamCache& cache, int64_t beam) {
  if (!is_native(q_RD)) return composed_beam_attention(q_RD, cache);
  const int64_t rows = q_RD.size(0), dim = q_RD.size(1), heads = cache.blocks.front().keys.size(1),
                d = dim / heads, tokens = cache.who_RT.size(1);
  const Tensor q = q_RD.contiguous(), who = cache.who_RT.contiguous();
  Tensor y = at::empty_like(q);
  const std::vector<const float*> keys = starts_of(cache, &BeamBlock::keys),
                                  values = starts_of(cache, &BeamBlock::values);
  const float scale = 1.0f / std::sqrt(static_cast<float>(d));
  const auto* qp = q.const_data_ptr<float>();
  const auto* whop = who.const_data_ptr<int32_t>();
  float* yp = y.mutable_data_ptr<float>();
  at::parallel_for(0, rows / beam * heads, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> weights(static_cast<size_t>(beam * tokens));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i / heads * beam, head = i % heads, at = row * dim + head * d;
      simd().beam_attention({tokens, beam, d, dim, BeamBlock::kPlaces * dim, head * BeamBlock::kPlaces * d,
                             keys.data(), values.data(), whop + row * tokens, qp + at, scale, weights.data(),
                             yp + at});
    }
  });
  return y;
}

}  // namespace attnlab
