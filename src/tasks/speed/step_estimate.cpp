#include "tasks/speed/step_estimate.h"

#include <algorithm>

#include "attention/shape.h"
#include "core/error.h"

namespace attnlab {
namespace {

// Tensors of n×D floats beside the attention weights, fitted to the fused Transformer's measured peaks: those
// that a layer keeps for its backward, those that a training step holds beside them, and those of inference.
constexpr double kKeptRows = 6, kPassingRows = 8, kInferenceRows = 6;
// Pages are more than tensors: a heap that large blocks come from and go back to is left with gaps, and
// products of matrices have buffers of their own. Measured on the textbook Transformer at 4,096 tokens: 1.48
// and 1.56 times the tensors.
constexpr double kResidentShare = 1.55;
constexpr double kProcess = 0.3 * (1 << 30);  // LibTorch and its threads; a context on CUDA is no smaller

/// Parameters of the attention at hand, and of all that is around it.
double parameters_of(const StepSetting& s, const AttentionImpl& attention) {
  const EncoderOptions& e = s.model.encoder;
  double in_attention = 0;
  for (const auto& p : attention.parameters()) in_attention += static_cast<double>(p.numel());
  const double d = static_cast<double>(e.dim), f = static_cast<double>(e.ffn_dim);
  const double layer = in_attention + 2 * d * f + f + 7 * d;
  const double embeddings = static_cast<double>(s.vocabulary + s.length + attention.state_length()) * d;
  return static_cast<double>(e.layers) * layer + embeddings + static_cast<double>(s.model.head_dim) * d;
}

}  // namespace

StepEstimate estimate_step(const StepSetting& s) {
  const EncoderOptions& e = s.model.encoder;
  std::shared_ptr<AttentionImpl> attention;
  try {
    attention = e.attention->build({e.dim, e.heads, s.length, e.attention_dropout});
  } catch (const UserError&) {
    return {};
  }
  const double batch = static_cast<double>(s.batch), layers = static_cast<double>(e.layers);
  const double row_bytes = 4.0 * batch * static_cast<double>(s.length);
  const double d = static_cast<double>(e.dim);
  // The native feed-forward keeps W1·x; composed of Torch's operators it keeps the activation too.
  const bool native = s.device.is_cpu() && s.precision == Precision::fp32;
  const double f = static_cast<double>(e.ffn_dim) * (native ? (e.recompute ? 0 : 1) : 2);
  const WeightMemory weights = attention->weight_memory(s.length, s.length, s.device.type());

  StepEstimate estimate;
  estimate.parameters = parameters_of(s, *attention);
  const double head = product_flops(1, e.dim, s.model.head_dim);
  estimate.infer_flops =
      batch *
      (layers * (attention->flops(s.length, s.length) + 2 * product_flops(s.length, e.dim, e.ffn_dim)) +
       head);
  estimate.train_flops = 3 * estimate.infer_flops + recomputed_flops(s);
  estimate.infer_bytes =
      row_bytes * kInferenceRows * d + batch * weights.passing + (native ? 0 : row_bytes * f);
  estimate.train_bytes = row_bytes * (layers * (f + kKeptRows * d) + kPassingRows * d) +
                         batch * (layers * weights.kept + weights.passing);
  return estimate;
}

int64_t process_bytes(const StepEstimate& estimate, double step_bytes, torch::DeviceType device) {
  if (estimate.parameters <= 0) return 0;
  const double held = 16.0 * estimate.parameters;  // weights, gradients and two moments, in fp32
  const double step = step_bytes * (device == torch::kCPU ? kResidentShare : 1.0);
  return static_cast<int64_t>(kProcess + held + step);
}

}  // namespace attnlab
