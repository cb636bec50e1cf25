#include "cache/rope_scaling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace attnlab {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

double llama3(double frequency, const RopeScaling& s) {
  const double wave = kTurn / frequency, length = static_cast<double>(s.original_positions);
  if (wave < length / s.high_frequency) return frequency;
  if (wave > length / s.low_frequency) return frequency / s.factor;
  const double smooth = (length / wave - s.low_frequency) / (s.high_frequency - s.low_frequency);
  return (1 - smooth) * frequency / s.factor + smooth * frequency;
}

/// The pair, as a real number, that turns so often within the original length.
double pair_of(double turns, int64_t d, double theta, const RopeScaling& s) {
  const double length = static_cast<double>(s.original_positions);
  return static_cast<double>(d) * std::log(length / (turns * kTurn)) / (2 * std::log(theta));
}

void apply_yarn(std::vector<double>& frequencies, int64_t d, double theta, const RopeScaling& s) {
  double low = pair_of(s.beta_fast, d, theta, s), high = pair_of(s.beta_slow, d, theta, s);
  if (s.truncate) low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0), high = std::min(high, static_cast<double>(d - 1));
  if (low == high) high += 0.001;  // as in the reference: no division by zero
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double divided = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] *= divided / s.factor + (1 - divided);
  }
}

}  // namespace

double yarn_attention_factor(double factor, double m) {
  return factor <= 1 ? 1.0 : 0.1 * m * std::log(factor) + 1.0;
}

std::vector<double> rope_frequencies(int64_t d, double theta, const RopeScaling& scaling) {
  using Kind = RopeScaling::Kind;
  std::vector<double> frequencies;
  for (int64_t i = 0; i < d; i += 2)
    frequencies.push_back(std::pow(theta, -static_cast<double>(i) / static_cast<double>(d)));
  if (scaling.kind == Kind::linear)
    for (double& f : frequencies) f /= scaling.factor;
  if (scaling.kind == Kind::llama3)
    for (double& f : frequencies) f = llama3(f, scaling);
  if (scaling.kind == Kind::yarn) apply_yarn(frequencies, d, theta, scaling);
  return frequencies;
}

}  // namespace attnlab
