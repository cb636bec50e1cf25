#include <ATen/CPUGeneratorImpl.h>

#include "kernels/native.h"

namespace attnlab {
namespace {

constexpr int64_t kPiece = 1 << 15;  // a multiple of the mask's group of 128

Tensor masked(const Tensor& x, const MaskSpec& spec) {
  const Tensor in = x.contiguous();
  Tensor out = at::empty_like(in);
  const int64_t n = in.numel();
  const float* from = in.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  at::parallel_for(0, (n + kPiece - 1) / kPiece, 1, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kPiece, count = std::min(end * kPiece, n) - first;
    simd().apply_mask(spec, first, count, from + first, to + first);
  });
  return out;
}

struct DropoutFunction : torch::autograd::Function<DropoutFunction> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x, double probability,
                        int64_t seed) {
    ctx->saved_data["p"] = probability;
    ctx->saved_data["seed"] = seed;
    return masked(x, mask_spec(probability, seed));
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const MaskSpec spec = mask_spec(ctx->saved_data["p"].toDouble(), ctx->saved_data["seed"].toInt());
    return {masked(grads[0], spec), {}, {}};
  }
};

/// A mask that is drawn where it is used. A seed has one there too, another than the CPU's.
Tensor device_mask(const Tensor& like, Drop drop) {
  at::Generator drawn = at::globalContext().defaultGenerator(like.device()).clone();
  drawn.set_current_seed(static_cast<uint64_t>(drop.seed));
  const double kept = 1 - drop.probability;
  return at::empty_like(like).bernoulli_(kept, drawn).div_(kept);
}

}  // namespace

Drop Drop::draw(double probability, bool training) {
  if (!training || probability <= 0) return {};
  auto generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard lock(generator.mutex());
  return {probability,
          static_cast<int64_t>(at::check_generator<at::CPUGeneratorImpl>(generator)->random64())};
}

Tensor dropout_mask(const Tensor& like, Drop drop) {
  if (like.is_cuda()) return device_mask(like, drop);
  const MaskSpec spec = mask_spec(drop.probability, drop.seed);
  Tensor mask = at::empty(like.sizes(), torch::kFloat);
  simd().mask(spec, 0, mask.numel(), mask.mutable_data_ptr<float>());
  return mask.to(like.options());
}

Tensor dropout(const Tensor& x, Drop drop) {
  if (!drop.active()) return x;
  if (is_native(x)) return DropoutFunction::apply(x, drop.probability, drop.seed);
  if (x.is_cpu()) return x * dropout_mask(x, drop);
  return at::dropout(x, drop.probability, /*train=*/true);
}

}  // namespace attnlab
