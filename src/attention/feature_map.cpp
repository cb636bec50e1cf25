#include "attention/feature_map.h"

#include "attention/shape.h"

namespace attnlab {

Tensor feature_attention(const Tensor& q_BHNF, const Tensor& k_BHMF, const Tensor& v_BHMd, double eps) {
  // A column of ones beside the values makes the denominator in the same products.
  const Tensor values_BHMe = torch::constant_pad_nd(v_BHMd, {0, 1}, 1.0);
  const Tensor sums_BHNe = q_BHNF.matmul(k_BHMF.transpose(-2, -1).matmul(values_BHMe));
  const int64_t d = v_BHMd.size(-1);
  return sums_BHNe.narrow(-1, 0, d) / (sums_BHNe.narrow(-1, d, 1) + eps);
}

Tensor without_padding(const Tensor& k_BHMF, const Tensor& padding_BM) {
  if (!padding_BM.defined()) return k_BHMF;
  return k_BHMF.masked_fill(padding_BM.unsqueeze(1).unsqueeze(-1), 0.0);
}

double feature_attention_flops(int64_t n, int64_t m, int64_t heads, int64_t features, int64_t d) {
  return static_cast<double>(heads) * (product_flops(features, m, d + 1) + product_flops(n, features, d + 1));
}

}  // namespace attnlab
