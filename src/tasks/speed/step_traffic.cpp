#include "tasks/speed/step_traffic.h"

#include <algorithm>

#include "attention/luna.h"
#include "attention/softmax.h"
#include "tasks/speed/step_estimate.h"

namespace attnlab {
namespace {

/// Of a trained number, in fp32: its gradient is set to 0, then read, added to and written; AdamW reads it,
/// the gradient and two moments, and writes all but the gradient.
constexpr double kUpdateBytes = 4.0 * (1 + 3 + 4 + 3);

/// Numbers read and written, forward and backward.
class Traffic {
 public:
  /// y [rows, out] = x·wᵀ; backward dx = dy·w and dw = dyᵀ·x.
  void map(double rows, double in, double out, double times = 1) {
    forward_ += times * (rows * (in + out) + in * out);
    backward_ += times * 2 * (rows * (in + out) + in * out);
  }
  /// q, y forward; q, y, dy, dq backward. k, v; k, v, dk, dv.
  void attend(double queries, double keys, double dim) {
    forward_ += 2 * dim * (queries + keys);
    backward_ += 4 * dim * (queries + keys);
  }
  /// Weights in memory: written, read and written by the softmax, read; backward dP is written, read beside P
  /// for dS, which is written and read for dq and for dk, P for dv.
  void hold_weights(double weights) {
    forward_ += 4 * weights;
    backward_ += 7 * weights;
  }
  double forward() const { return forward_; }
  double backward() const { return backward_; }

 private:
  double forward_ = 0, backward_ = 0;
};

double numbers(int64_t x) { return static_cast<double>(x); }

bool add_softmax(Traffic& all, const StepSetting& s, const SoftmaxOptions& attention) {
  using enum SoftmaxOptions::Implementation;
  const EncoderOptions& e = s.model.encoder;
  const double rows = numbers(s.batch * s.length), d = numbers(e.dim);
  if (attention.implementation == weighted) return false;
  all.map(rows, d, d, 4);
  all.attend(rows, rows, d);
  const bool fused = attention.implementation == sdpa && (s.device.is_cuda() || e.attention_dropout <= 0);
  if (!fused) all.hold_weights(rows * numbers(s.length * e.heads));
  return true;
}

bool add_luna(Traffic& all, const StepSetting& s, const LunaOptions& attention) {
  using enum LunaOptions::Kernel;
  const EncoderOptions& e = s.model.encoder;
  const bool native = s.device.is_cpu() && s.precision == Precision::fp32;
  if (native && attention.kernel == automatic) return false;
  const int64_t l = attention.dynamic_projection ? std::min(attention.projection_length, s.length)
                                                 : attention.projection_length;
  const double rows = numbers(s.batch * s.length), of_p = numbers(s.batch * l), d = numbers(e.dim);
  const double shared = attention.tie_kv ? 1 : 2;
  all.map(of_p, d, d, 1 + shared);  // pack's queries; unpack's keys and values
  all.map(rows, d, d, shared + 2);  // pack's keys and values; unpack's queries and output
  all.attend(of_p, rows, d);
  all.attend(rows, of_p, d);
  const bool fused = attention.kernel == sdpa || (attention.kernel == automatic && s.device.is_cuda());
  if (!fused) all.hold_weights(2 * rows * numbers(l * e.heads));
  return true;
}

}  // namespace

std::optional<StepTraffic> step_traffic(const StepSetting& s) {
  const EncoderOptions& e = s.model.encoder;
  const StepEstimate estimate = estimate_step(s);
  if (estimate.parameters <= 0) return std::nullopt;
  Traffic all;
  const double rows = numbers(s.batch * s.length), d = numbers(e.dim), f = numbers(e.ffn_dim);
  for (int64_t i = 0; i < e.layers; ++i) {
    const auto* softmax = dynamic_cast<const SoftmaxOptions*>(&*e.attention);
    const auto* luna = dynamic_cast<const LunaOptions*>(&*e.attention);
    if (!(softmax ? add_softmax(all, s, *softmax) : luna && add_luna(all, s, *luna))) return std::nullopt;
    all.map(rows, d, f);
    all.map(rows, f, d);
  }
  all.map(numbers(s.batch), d, numbers(s.model.head_dim));
  const double width = s.precision == Precision::bf16 ? 2 : 4;
  return StepTraffic{width * all.forward(),
                     width * (all.forward() + all.backward()) + kUpdateBytes * estimate.parameters};
}

}  // namespace attnlab
