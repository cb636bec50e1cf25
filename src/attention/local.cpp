#include "attention/local.h"

#include "attention/flush.h"
#include "kernels/attention_weights.h"

namespace attnlab {
namespace {

/// [B, n, …] cut into `blocks` windows of `span` rows that begin every `step` rows: [B·blocks, span, …].
/// `before` rows of `fill` come first, and as many as are missing last.
Tensor windows(const Tensor& x, int64_t before, int64_t blocks, int64_t step, int64_t span, double fill) {
  const int64_t rows = (blocks - 1) * step + span;
  const int64_t kept = std::min(x.size(1), rows - before);
  std::vector<int64_t> pad(2 * static_cast<size_t>(x.dim() - 2), 0);
  pad.insert(pad.end(), {before, rows - before - kept});
  const Tensor padded = torch::constant_pad_nd(x.narrow(1, 0, kept), pad, fill);
  return padded.unfold(1, span, step).movedim(-1, 2).flatten(0, 1);
}

}  // namespace

void LocalOptions::visit(Fields& f) {
  f("block", block, Range{1, 65536}, "positions in a block");
  f("neighbours", neighbours, Range{0, 1024}, "blocks on either side that a block reads besides itself");
}

std::shared_ptr<AttentionImpl> LocalOptions::build(const AttentionShape& shape) const {
  return std::make_shared<LocalAttentionImpl>(*this, shape);
}

LocalAttentionImpl::LocalAttentionImpl(const LocalOptions& options, const AttentionShape& shape)
    : ProjectedAttentionImpl(shape), options_(options) {}

AttentionOutput LocalAttentionImpl::forward(const Tensor& query_BND, const Tensor& context_BMD,
                                            const Masks& masks, const Tensor&) {
  const Flush queries(masks.query_BN, query_BND.size(1)), context(masks.context_BM, context_BMD.size(1));
  const int64_t w = options_.block, before = options_.neighbours * w;
  const int64_t n = queries.length(), blocks = (n + w - 1) / w;
  const Tensor c_BMD = context.left(context_BMD);
  const auto spans = [&](const Tensor& x, double fill) {
    return windows(x, before, blocks, w, span(), fill);
  };

  Tensor hidden_BM1 = torch::zeros({c_BMD.size(0), c_BMD.size(1), 1}, c_BMD.options().requires_grad(false));
  const double unreadable = hidden_score(c_BMD.scalar_type());
  if (context.padding().defined()) hidden_BM1.masked_fill_(context.padding().unsqueeze(-1), unreadable);
  const Tensor bias_CS = spans(hidden_BM1, unreadable).squeeze(-1);
  const Tensor q_CWD = windows(queries.left(query_(query_BND)), 0, blocks, w, w, 0.0);
  const Tensor y_CWD = weighted_attention(q_CWD, spans(key_(c_BMD), 0.0), spans(value_(c_BMD), 0.0),
                                          shape_.heads, bias_CS, Drop::draw(shape_.dropout, is_training()));
  const Tensor y_BLD = y_CWD.reshape({query_BND.size(0), blocks * w, shape_.dim}).narrow(1, 0, n);
  return {output_(queries.back(y_BLD)), {}};
}

WeightMemory LocalAttentionImpl::weight_memory(int64_t n, int64_t, torch::DeviceType device) const {
  const double weights = weight_bytes(shape_.heads, n, span());
  const double mask = device == torch::kCPU ? 0.0 : 0.25;  // as in the textbook form (softmax.cpp)
  return {weights * (shape_.dropout > 0 ? 2 + mask : 1), 2 * weights};
}

double LocalAttentionImpl::flops(int64_t n, int64_t m) const {
  const int64_t d = shape_.dim, w = options_.block, whole = (n + w - 1) / w * w;
  return 2 * product_flops(n, d, d) + 2 * product_flops(m, d, d) + 2 * product_flops(whole, d, span());
}

}  // namespace attnlab
