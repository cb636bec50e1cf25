#include "attention/luna.h"

#include <cmath>

#include "attention/fused.h"
#include "kernels/attention_weights.h"
#include "kernels/beam_attention.h"
#include "kernels/luna.h"
#include "kernels/ops.h"

namespace attnlab {

void LunaOptions::visit(Fields& f) {
  f("projection_length", projection_length, Range{1, 65536}, "rows l of the extra sequence P (Luna §3.1)");
  f("tie_kv", tie_kv,
    "pack shares one projection between keys and values, unpack another: 5 linears instead of 7");
  f("dynamic_projection", dynamic_projection,
    "use only as many rows of P as the longest sentence has tokens, and let no sentence read more rows than "
    "its own length (released code)");
  f("kernel", kernel, {{"auto", Kernel::automatic}, {"plain", Kernel::plain}, {"sdpa", Kernel::sdpa}},
    "auto: this project's fused operator on the CPU in fp32, sdpa on a GPU, else plain; plain: products and "
    "softmax, whose weights are held; sdpa: both halves by Torch's scaled_dot_product_attention");
}

std::shared_ptr<AttentionImpl> LunaOptions::build(const AttentionShape& shape) const {
  return std::make_shared<LunaAttentionImpl>(*this, shape);
}

LunaAttentionImpl::LunaAttentionImpl(const LunaOptions& options, const AttentionShape& shape)
    : options_(options), shape_(shape) {
  check_heads(shape);
  const auto linear = [&](const char* name) { return register_module(name, Linear(shape.dim, shape.dim)); };
  pack_query_ = linear("pack_query");
  pack_key_ = linear(options.tie_kv ? "pack_key_value" : "pack_key");
  pack_value_ = options.tie_kv ? pack_key_ : linear("pack_value");
  query_ = linear("query");
  key_ = linear(options.tie_kv ? "key_value" : "key");
  value_ = options.tie_kv ? key_ : linear("value");
  output_ = linear("output");
}

AttentionOutput LunaAttentionImpl::forward(const Tensor& query_BND, const Tensor& context_BMD,
                                           const Masks& masks, const Tensor& state_BLD) {
  if (options_.kernel == LunaOptions::Kernel::automatic && has_native_luna(query_BND))
    return native(query_BND, context_BMD, masks, state_BLD);
  Tensor packed_BLD = pack(state_BLD, context_BMD, masks.context_BM);
  Tensor y_BND = unpack(query_BND, packed_BLD, masks.state_BL);
  return {std::move(y_BND), std::move(packed_BLD)};
}

AttentionOutput LunaAttentionImpl::native(const Tensor& query_BND, const Tensor& context_BMD,
                                          const Masks& masks, const Tensor& state_BLD) {
  const auto map = [](const Linear& linear) { return AffineMap{linear->weight, linear->bias}; };
  const LunaWeights weights{map(pack_query_), map(pack_key_), map(pack_value_), map(query_),
                            map(key_),        map(value_),    map(output_)};
  const Drop pack_drop = Drop::draw(shape_.dropout, is_training());
  const Drop unpack_drop = Drop::draw(shape_.dropout, is_training());
  LunaOutput out = luna_attention(query_BND, context_BMD, state_BLD, weights, shape_.heads,
                                  padding_bias(masks.context_BM, query_BND),
                                  padding_bias(masks.state_BL, query_BND), pack_drop, unpack_drop);
  return {std::move(out.y_BND), std::move(out.packed_BLD)};
}

bool LunaAttentionImpl::by_sdpa(const Tensor& x) const {
  return options_.kernel == LunaOptions::Kernel::sdpa ||
         (options_.kernel == LunaOptions::Kernel::automatic && x.is_cuda());
}

Tensor LunaAttentionImpl::pack(const Tensor& state_BLD, const Tensor& context_BMD, const Tensor& padding_BM) {
  const int64_t heads = shape_.heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(shape_.dim / heads));
  Tensor k_BMD = pack_key_(context_BMD);
  Tensor v_BMD = options_.tie_kv ? k_BMD : pack_value_(context_BMD);
  if (by_sdpa(context_BMD))
    return fused_attention(pack_query_(state_BLD), k_BMD, v_BMD, heads, padding_BM, dropout());
  Tensor q_BHLd = split_heads(pack_query_(state_BLD) * scale, heads);
  Tensor w_BHLM = attention_weights(q_BHLd.matmul(split_heads(k_BMD, heads).transpose(-2, -1)), padding_BM,
                                    Drop::draw(shape_.dropout, is_training()));
  return merge_heads(w_BHLM.matmul(split_heads(v_BMD, heads)));
}

Tensor LunaAttentionImpl::unpack(const Tensor& query_BND, const Tensor& packed_BLD, const Tensor& masked_BL) {
  const int64_t heads = shape_.heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(shape_.dim / heads));
  Tensor k_BLD = key_(packed_BLD);
  Tensor v_BLD = options_.tie_kv ? k_BLD : value_(packed_BLD);
  if (by_sdpa(query_BND))
    return output_(fused_attention(query_(query_BND), k_BLD, v_BLD, heads, masked_BL, dropout()));
  // The scale goes to the short side, the keys.
  Tensor k_BHLd = split_heads(k_BLD * scale, heads);
  Tensor w_BHNL = attention_weights(split_heads(query_(query_BND), heads).matmul(k_BHLd.transpose(-2, -1)),
                                    masked_BL, Drop::draw(shape_.dropout, is_training()));
  return output_(merge_heads(w_BHNL.matmul(split_heads(v_BLD, heads))));
}

/// A packed context: the keys and values that queries unpack.
class LunaAttentionImpl::Packed final : public OpenedContext {
 public:
  Packed(LunaAttentionImpl& attention, Tensor packed_BLD, const Tensor& masked_BL)
      : attention_(attention), packed_BLD_(std::move(packed_BLD)) {
    const int64_t heads = attention.shape_.heads;
    const Tensor k_BLD = attention.key_(packed_BLD_);
    const Tensor v_BLD = attention.options_.tie_kv ? k_BLD : attention.value_(packed_BLD_);
    keys_BHLd_ = split_heads(k_BLD, heads).contiguous();
    values_BHLd_ = split_heads(v_BLD, heads).contiguous();
    bias_BL_ = padding_bias(masked_BL, keys_BHLd_);
  }
  Tensor read(const Tensor& query_BND) override {
    LunaAttentionImpl& at = attention_;
    const Tensor q_BHNd = split_heads(step_linear(at.query_, query_BND), at.shape_.heads);
    return step_linear(at.output_, context_attention(q_BHNd, keys_BHLd_, values_BHLd_, bias_BL_));
  }
  Tensor state_update() const override { return packed_BLD_; }
  void select(const Tensor& members_B) override {
    packed_BLD_ = Tensor();  // read by now
    keys_BHLd_ = keys_BHLd_.index_select(0, members_B);
    values_BHLd_ = values_BHLd_.index_select(0, members_B);
    if (bias_BL_.defined()) bias_BL_ = bias_BL_.index_select(0, members_B);
  }
  int64_t bytes() const override { return static_cast<int64_t>(keys_BHLd_.nbytes() + values_BHLd_.nbytes()); }

 private:
  LunaAttentionImpl& attention_;
  Tensor packed_BLD_, keys_BHLd_, values_BHLd_, bias_BL_;
};

std::unique_ptr<OpenedContext> LunaAttentionImpl::open(const Tensor& context_BMD, const Masks& masks,
                                                       const Tensor& state_BLD) {
  return std::make_unique<Packed>(*this, pack(state_BLD, context_BMD, masks.context_BM), masks.state_BL);
}

StateExtent LunaAttentionImpl::state_extent(const Tensor& padding_BN, int64_t n) const {
  const int64_t l = options_.projection_length;
  if (!options_.dynamic_projection) return {l, {}};
  if (!padding_BN.defined()) return {std::min(l, n), {}};
  const Tensor lengths_B = padding_BN.size(1) - padding_BN.sum(1);
  if (!padding_BN.is_cpu()) return extent_unseen(lengths_B, std::min(l, n));
  const int64_t longest = lengths_B.max().item<int64_t>(), shortest = lengths_B.min().item<int64_t>();
  const int64_t rows = std::clamp<int64_t>(longest, 1, l);
  return shortest >= rows ? StateExtent{rows, {}} : extent_unseen(lengths_B, rows);
}

StateExtent LunaAttentionImpl::extent_unseen(const Tensor& lengths_B, int64_t rows) {
  const Tensor slots_L = torch::arange(rows, lengths_B.options());
  return {rows, slots_L.unsqueeze(0).ge(lengths_B.unsqueeze(1))};
}

WeightMemory LunaAttentionImpl::weight_memory(int64_t n, int64_t m, torch::DeviceType device) const {
  const double weights = weight_bytes(shape_.heads, options_.projection_length, n + m);  // pack and unpack
  const bool automatic = options_.kernel == LunaOptions::Kernel::automatic;
  if (device != torch::kCPU && (automatic || options_.kernel == LunaOptions::Kernel::sdpa)) return {};
  const bool native = device == torch::kCPU && automatic;
  return {weights * (native || shape_.dropout <= 0 ? 1 : 2.25), weights};
}

double LunaAttentionImpl::flops(int64_t n, int64_t m) const {
  const int64_t d = shape_.dim;
  const int64_t l =
      options_.dynamic_projection ? std::min(options_.projection_length, m) : options_.projection_length;
  const bool native =
      options_.kernel == LunaOptions::Kernel::automatic && has_native_luna(pack_query_->weight);
  if (native && luna_absorbs(d, shape_.heads, l, n, m)) {
    const int64_t rows = shape_.heads * l;
    return 7 * product_flops(l, d, d) +  // three maps of P's rows, and four images of them under a head's map
           2 * product_flops(rows, d, m) + 2 * product_flops(n, d, rows);
  }
  const double shared = options_.tie_kv ? 1 : 2;
  const double pack = product_flops(l, d, d) + shared * product_flops(m, d, d) + 2 * product_flops(l, d, m);
  const double unpack =
      2 * product_flops(n, d, d) + shared * product_flops(l, d, d) + 2 * product_flops(n, d, l);
  return pack + unpack;
}

}  // namespace attnlab
