#include "kernels/sdpa.h"

#include <ATen/SDPBackend.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/_fused_sdp_choice.h>

#include <array>
#include <atomic>
#include <mutex>
#include <set>

#include "kernels/native.h"

namespace attnlab {
namespace {

std::mutex forms_lock;
std::set<std::string>& forms() {
  static std::set<std::string> all;
  return all;
}

const char* form_name(int64_t choice) {
  switch (static_cast<at::SDPBackend>(choice)) {
    case at::SDPBackend::math:
      return "math";
    case at::SDPBackend::flash_attention:
      return "flash";
    case at::SDPBackend::efficient_attention:
      return "memory-efficient";
    case at::SDPBackend::cudnn_attention:
      return "cuDNN";
    default:
      return "other";
  }
}

/// The type that it computes in: under autocast all is cast to autocast's.
at::ScalarType computed_type(const Tensor& q) {
  const auto device = q.device().type();
  return at::autocast::is_autocast_enabled(device) ? at::autocast::get_autocast_dtype(device)
                                                   : q.scalar_type();
}

/// One of what Torch's choice depends on, of a run's kinds of calls.
std::size_t kind_of(const Tensor& q, at::ScalarType type, const SdpaOptions& o) {
  std::size_t kind = type == torch::kFloat ? 0 : type == torch::kBFloat16 ? 1 : type == torch::kHalf ? 2 : 3;
  for (const bool part :
       {q.is_cuda(), o.mask.has_value(), o.dropout > 0, o.causal, q.size(-2) == 1, wants_gradient(q)})
    kind = 2 * kind + (part ? 1 : 0);
  return kind;
}

void ask(const Tensor& q, const Tensor& k, const Tensor& v, const SdpaOptions& o) {
  constexpr std::size_t kinds = 4 << 6;
  static std::array<std::atomic<bool>, kinds> asked{};
  const at::ScalarType type = computed_type(q);
  if (asked[kind_of(q, type, o)].exchange(true, std::memory_order_relaxed)) return;
  std::optional<Tensor> mask = o.mask;
  if (mask && mask->scalar_type() != torch::kBool) mask = mask->to(type);
  const auto choice = at::_fused_sdp_choice(q.to(type), k.to(type), v.to(type), mask, o.dropout, o.causal,
                                            o.scale, o.shared_heads);
  note_sdpa(form_name(choice), type);
}

/// On a GPU fp32 is left to the memory-efficient form, which knows no shared heads; the math form, which
/// does, holds N×M numbers a head.
bool repeats_heads(const Tensor& q, const SdpaOptions& o) {
  return o.shared_heads && q.is_cuda() && computed_type(q) == torch::kFloat;
}

}  // namespace

Tensor repeated_heads(const Tensor& x_BKMd, int64_t heads) {
  const int64_t group = heads / x_BKMd.size(1);
  return x_BKMd.unsqueeze(2).expand({-1, -1, group, -1, -1}).flatten(1, 2);
}

Tensor sdpa(const Tensor& q_BHNd, const Tensor& k_BKMd, const Tensor& v_BKMd, const SdpaOptions& options) {
  if (repeats_heads(q_BHNd, options)) {
    SdpaOptions alone = options;
    alone.shared_heads = false;
    const int64_t heads = q_BHNd.size(1);
    return sdpa(q_BHNd, repeated_heads(k_BKMd, heads), repeated_heads(v_BKMd, heads), alone);
  }
  ask(q_BHNd, k_BKMd, v_BKMd, options);
  return at::scaled_dot_product_attention(q_BHNd, k_BKMd, v_BKMd, options.mask, options.dropout,
                                          options.causal, options.scale, options.shared_heads);
}

void note_sdpa(const std::string& form, at::ScalarType type) {
  const std::string name = type == torch::kFloat      ? "fp32"
                           : type == torch::kBFloat16 ? "bf16"
                           : type == torch::kHalf     ? "fp16"
                                                      : "fp64";
  const std::lock_guard lock(forms_lock);
  forms().insert(form + " (" + name + ")");
}

std::string sdpa_forms_run() {
  const std::lock_guard lock(forms_lock);
  std::string names;
  for (const std::string& form : forms()) names += (names.empty() ? "" : ", ") + form;
  return names;
}

}  // namespace attnlab
