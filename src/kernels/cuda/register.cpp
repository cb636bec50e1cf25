// The bounded operators on CUDA: libattnlab_ops_cuda.so, opened beside libattnlab_ops.so, adds to the same
// names (bounded_operators.h) what runs where their tensors are on a GPU, in fp32 and bf16. Nothing waits for
// the device. Not run on a GPU yet: see bounded_step.h.
//
// H query heads, K key-value heads of H / K query heads each, d head size.
#include <ATen/ATen.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <limits>
#include <optional>
#include <tuple>

#include "kernels/bounded_checks.h"
#include "kernels/cuda/bounded_step.h"
#include "kernels/weight_scale.h"

namespace attnlab::cuda {
namespace {

using at::Tensor;
using MaybeTensor = std::optional<Tensor>;
using TensorPair = std::tuple<Tensor, Tensor>;

void check_rows(std::initializer_list<Tensor> tensors) {
  check_no_gradient(tensors);
  const Tensor& first = *tensors.begin();
  for (const Tensor& t : tensors)
    TORCH_CHECK(t.is_cuda() && t.device() == first.device() && t.scalar_type() == first.scalar_type() &&
                    (t.scalar_type() == at::kFloat || t.scalar_type() == at::kBFloat16),
                "this operator takes fp32 or bf16 tensors on one device, not ", t.toString());
}

int small(int64_t x) {
  TORCH_CHECK(0 <= x && x < std::numeric_limits<int>::max(), "a size of ", x, " is out of range");
  return static_cast<int>(x);
}

Shape shape_of(const Tensor& q, int64_t batch, int64_t heads, int64_t kv_heads, int64_t d) {
  check_heads(heads, kv_heads);
  return {q.scalar_type() == at::kFloat ? Type::fp32 : Type::bf16, small(batch), small(heads),
          small(kv_heads), small(d)};
}

Tensor workspace(std::size_t bytes, const Tensor& like) {
  return at::empty({static_cast<int64_t>(bytes)}, like.options().dtype(at::kByte));
}

void check_done(const char* reason) { TORCH_CHECK(!reason, reason); }

CUstream_st* stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

/// Contiguous, and null where absent; `kept` lives as long as the pointer is used.
template <class T>
const T* pointer(const MaybeTensor& t, MaybeTensor& kept) {
  if (!t) return nullptr;
  kept = t->contiguous();
  return kept->const_data_ptr<T>();
}

TensorPair step(const Tensor& q_, const Tensor& k_, const Tensor& v_, const MaybeTensor& bias,
                const MaybeTensor& extent) {
  check_rows({q_, k_, v_});
  const Tensor q = q_.contiguous(), k = k_.contiguous(), v = v_.contiguous();
  check_step_shapes(q, k, v);
  const c10::cuda::CUDAGuard guard(q.device());
  MaybeTensor bias_kept, extent_kept;
  if (bias) check_beside(bias->contiguous(), q, at::kFloat, k.sizes().slice(0, 3), "bias [B, K, S]");
  if (extent) check_beside(extent->contiguous(), q, at::kLong, k.sizes().slice(0, 2), "extent [B, K]");
  Tensor y = at::empty_like(q), shares = at::zeros(k.sizes().slice(0, 3), q.options().dtype(at::kFloat));
  if (q.numel() == 0) return {y, shares};

  StepCall call{.shape = shape_of(q, q.size(0), q.size(1), k.size(1), q.size(2)), .slots = small(k.size(2))};
  const Tensor scratch = workspace(step_workspace(call.shape, call.slots), q);
  call.q = q.const_data_ptr();
  call.k = k.const_data_ptr();
  call.v = v.const_data_ptr();
  call.bias = pointer<float>(bias, bias_kept);
  call.extent = pointer<int64_t>(extent, extent_kept);
  call.y = y.mutable_data_ptr();
  call.shares = shares.mutable_data_ptr<float>();
  call.workspace = scratch.mutable_data_ptr();
  check_done(bounded_step(call, stream()));
  return {y, shares.mul_(1.0f / weight_scale)};
}

TensorPair text(const Tensor& q_, const Tensor& k_, const Tensor& v_, int64_t size, int64_t protect_first,
                bool by_age, bool apart, const MaybeTensor& present) {
  check_rows({q_, k_, v_});
  const Tensor q = q_.contiguous(), k = k_.contiguous(), v = v_.contiguous();
  check_text_shapes(q, k, v);
  check_size(size, protect_first);
  const c10::cuda::CUDAGuard guard(q.device());
  const int64_t batch = q.size(0), tokens = q.size(1), kv = k.size(2);
  MaybeTensor kept;
  if (present) check_beside(present->contiguous(), q, at::kBool, {batch, tokens}, "present [B, T]");
  const auto longs = q.options().dtype(at::kLong);
  Tensor y = at::empty_like(q);
  Tensor expiry = apart ? at::empty({batch, kv, tokens}, longs) : at::empty({batch, tokens}, longs);
  if (q.numel() == 0) return {y, expiry.fill_(-1)};

  TextCall call{.shape = shape_of(q, batch, q.size(2), kv, q.size(3)),
                .rule = {small(size), small(protect_first), by_age ? Score::age : Score::mean_weight, apart},
                .tokens = small(tokens)};
  const Tensor scratch = workspace(text_workspace(call), q);
  call.q = q.const_data_ptr();
  call.k = k.const_data_ptr();
  call.v = v.const_data_ptr();
  call.present = pointer<bool>(present, kept);
  call.y = y.mutable_data_ptr();
  call.expiry = expiry.mutable_data_ptr<int64_t>();
  call.workspace = scratch.mutable_data_ptr();
  check_done(tova_text(call, stream()));
  return {y, expiry};
}

TensorPair tova(const Tensor& q, const Tensor& k, const Tensor& v, int64_t size) {
  return text(q, k, v, size, 0, false, false, {});
}

TensorPair decode(const Tensor& q_, const Tensor& k_, const Tensor& v_, const Tensor& kept_k,
                  const Tensor& kept_v, const Tensor& order, const Tensor& counts, int64_t size,
                  int64_t protect_first, bool by_age, const MaybeTensor& present) {
  check_rows({q_, k_, v_, kept_k, kept_v});
  const Tensor q = q_.contiguous(), k = k_.contiguous(), v = v_.contiguous();
  check_size(size, protect_first);
  const int64_t lanes = check_decode_shapes(q, k, v, kept_k, kept_v, order, counts, size);
  const int64_t batch = q.size(0), kv = k.size(1), d = q.size(2);
  const c10::cuda::CUDAGuard guard(q.device());
  MaybeTensor kept;
  if (present) check_beside(present->contiguous(), q, at::kBool, {batch}, "present [B]");
  Tensor y = at::empty_like(q), dropped = at::empty({lanes}, counts.options());
  if (q.numel() == 0) return {y, dropped.fill_(-1)};

  DecodeCall call{
      .shape = shape_of(q, batch, q.size(1), kv, d),
      .rule = {small(size), small(protect_first), by_age ? Score::age : Score::mean_weight, lanes != batch}};
  const Tensor scratch = workspace(step_workspace(call.shape, small(size + 1)), q);
  call.q = q.const_data_ptr();
  call.k = k.const_data_ptr();
  call.v = v.const_data_ptr();
  call.present = pointer<bool>(present, kept);
  call.kept_k = kept_k.mutable_data_ptr();
  call.kept_v = kept_v.mutable_data_ptr();
  call.order = order.mutable_data_ptr<int64_t>();
  call.counts = counts.mutable_data_ptr<int64_t>();
  call.y = y.mutable_data_ptr();
  call.dropped = dropped.mutable_data_ptr<int64_t>();
  call.workspace = scratch.mutable_data_ptr();
  check_done(decode_step(call, stream()));
  return {y, dropped};
}

}  // namespace

TORCH_LIBRARY_IMPL(attnlab, CUDA, m) {
  m.impl("bounded_attention_step", step);
  m.impl("tova_attention", tova);
  m.impl("bounded_text", text);
  m.impl("bounded_decode_step", decode);
}

}  // namespace attnlab::cuda
