#include "kernels/beam_attention.h"

#include "kernels/native.h"

namespace attnlab {
namespace {

Tensor composed_beam_attention(const Tensor& q_RD, const BeamCache& cache, int64_t heads) {
  const auto tokens = static_cast<int64_t>(cache.keys.size());
  const auto gathered = [&](const std::vector<Tensor>& all) {
    std::vector<Tensor> mine;
    for (int64_t t = 0; t < tokens; ++t)
      mine.push_back(all[static_cast<size_t>(t)].index_select(0, cache.who_RT.select(1, t).to(torch::kLong)));
    return torch::stack(mine, 1).unflatten(-1, {heads, -1}).transpose(1, 2);
  };
  const Tensor q_RH1d = q_RD.unflatten(-1, {heads, -1}).unsqueeze(2);
  return at::scaled_dot_product_attention(q_RH1d, gathered(cache.keys), gathered(cache.values)).flatten(1);
}

std::vector<const float*> starts_of(const std::vector<Tensor>& all) {
  std::vector<const float*> starts;
  for (const Tensor& one : all) starts.push_back(one.const_data_ptr<float>());
  return starts;
}

}  // namespace

void BeamCache::add(const Tensor& key_RD, const Tensor& value_RD) {
  const Tensor own_R1 = at::arange(key_RD.size(0), key_RD.options().dtype(torch::kInt)).unsqueeze(1);
  who_RT = who_RT.defined() ? at::cat({who_RT, own_R1}, 1) : own_R1;
  keys.push_back(key_RD.contiguous());
  values.push_back(value_RD.contiguous());
}

void BeamCache::select(const Tensor& rows_R) {
  if (who_RT.defined()) who_RT = who_RT.index_select(0, rows_R);
}

int64_t BeamCache::bytes() const {
  int64_t sum = who_RT.defined() ? static_cast<int64_t>(who_RT.nbytes()) : 0;
  for (const auto* all : {&keys, &values})
    for (const Tensor& one : *all) sum += static_cast<int64_t>(one.nbytes());
  return sum;
}

Tensor beam_attention(const Tensor& q_RD, const BeamCache& cache, int64_t heads, int64_t beam) {
  if (!is_native(q_RD)) return composed_beam_attention(q_RD, cache, heads);
  const int64_t rows = q_RD.size(0), dim = q_RD.size(1), d = dim / heads, tokens = cache.who_RT.size(1);
  const Tensor q = q_RD.contiguous(), who = cache.who_RT.contiguous();
  Tensor y = at::empty_like(q);
  const std::vector<const float*> keys = starts_of(cache.keys), values = starts_of(cache.values);
  const float scale = 1.0f / std::sqrt(static_cast<float>(d));
  const auto* qp = q.const_data_ptr<float>();
  const auto* whop = who.const_data_ptr<int32_t>();
  float* yp = y.mutable_data_ptr<float>();
  at::parallel_for(0, rows / beam * heads, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> weights(static_cast<size_t>(beam * tokens));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i / heads * beam, first = i % heads * d;
      simd().beam_attention({tokens, beam, d, dim, first, keys.data(), values.data(), whop + row * tokens,
                             qp + row * dim + first, scale, weights.data(), yp + row * dim + first});
    }
  });
  return y;
}

}  // namespace attnlab
