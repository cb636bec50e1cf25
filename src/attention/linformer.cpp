#include "attention/linformer.h"

#include "attention/flush.h"
#include "kernels/ops.h"

namespace attnlab {

void LinformerOptions::visit(Fields& f) {
  f("projected_length", projected_length, Range{1, 65536}, "rows k that keys and values are projected to");
  f("share_projections", share_projections,
    "one projection for keys and values (E = F) instead of two (Wang et al. 2020, §4, key-value sharing)");
}

std::shared_ptr<AttentionImpl> LinformerOptions::build(const AttentionShape& shape) const {
  return std::make_shared<LinformerAttentionImpl>(*this, shape);
}

LinformerAttentionImpl::LinformerAttentionImpl(const LinformerOptions& options, const AttentionShape& shape)
    : ProjectedAttentionImpl(shape), options_(options) {
  const auto compression = torch::nn::LinearOptions(shape.max_length, options.projected_length).bias(false);
  compress_key_ = register_module("compress_key", Linear(compression));
  compress_value_ =
      options.share_projections ? compress_key_ : register_module("compress_value", Linear(compression));
}

AttentionOutput LinformerAttentionImpl::forward(const Tensor& query_BND, const Tensor& context_BMD,
                                                const Masks& masks, const Tensor&) {
  const Flush flush(masks.context_BM, context_BMD.size(1));
  check_fixed_length("linformer", flush.length(), shape_.max_length);
  Tensor c_BMD = flush.left(context_BMD);
  if (flush.padding().defined()) c_BMD = c_BMD.masked_fill(flush.padding().unsqueeze(-1), 0.0);
  // A row of ones beside C carries the biases: E·(C·W + 1·b) = (E·C)·W + (E·1)·b.
  const Tensor real_BM1 = flush.padding().defined()
                              ? flush.padding().logical_not().to(c_BMD.scalar_type()).unsqueeze(-1)
                              : torch::ones({c_BMD.size(0), c_BMD.size(1), 1}, c_BMD.options());
  const auto compress = [&](const Linear& rows) {
    const Tensor e_KM = rows->weight.narrow(1, 0, flush.length());
    return std::pair{e_KM.matmul(c_BMD), e_KM.matmul(real_BM1)};
  };
  const auto map = [](const auto& rows, const Linear& linear) {
    return rows.first.matmul(linear->weight.t()) + rows.second * linear->bias;
  };
  const auto keys = compress(compress_key_);
  const auto values = options_.share_projections ? keys : compress(compress_value_);
  Tensor y_BND = weighted_attention(query_(query_BND), map(keys, key_), map(values, value_), shape_.heads, {},
                                    Drop::draw(shape_.dropout, is_training()));
  return {output_(y_BND), {}};
}

double LinformerAttentionImpl::flops(int64_t n, int64_t m) const {
  const int64_t d = shape_.dim, k = options_.projected_length;
  return 2 * product_flops(n, d, d) + (options_.share_projections ? 1 : 2) * product_flops(k, m, d) +
         2 * product_flops(k, d, d) + 2 * product_flops(n, d, k);
}

}  // namespace attnlab
