#include "metrics/perplexity.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/error.h"
#include "metrics/statistics.h"

namespace attnlab {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// Σ nll / Σ of a count, with its standard error.
DocumentFigure ratio(std::span<const DocumentScore> documents, int64_t DocumentScore::*count) {
  const auto n = static_cast<int64_t>(documents.size());
  double nll = 0, counted = 0;
  for (const DocumentScore& d : documents) {
    nll += d.nll;
    counted += static_cast<double>(d.*count);
  }
  if (counted == 0) return {kUnknown, kUnknown, n};
  const double value = nll / counted;
  if (n < 2) return {value, kUnknown, n};
  double squares = 0;
  for (const DocumentScore& d : documents) {
    const double residual = d.nll - value * static_cast<double>(d.*count);
    squares += residual * residual;
  }
  const auto size = static_cast<double>(n);
  return {value, std::sqrt(size / (size - 1) * squares) / counted, n};
}

DocumentFigure exponential(DocumentFigure log) {
  const double value = std::exp(log.value);
  return {value, value * log.standard_error, log.n};
}

}  // namespace

DocumentFigure pooled_perplexity(std::span<const DocumentScore> documents) {
  return exponential(ratio(documents, &DocumentScore::tokens));
}

DocumentFigure mean_document_perplexity(std::span<const DocumentScore> documents) {
  std::vector<double> values;
  for (const DocumentScore& d : documents)
    if (d.tokens > 0) values.push_back(std::exp(d.nll / static_cast<double>(d.tokens)));
  const Spread s = spread(values);
  return {s.mean, s.standard_error, s.n};
}

DocumentFigure word_perplexity(std::span<const DocumentScore> documents) {
  return exponential(ratio(documents, &DocumentScore::words));
}

DocumentFigure bits_per_byte(std::span<const DocumentScore> documents) {
  const DocumentFigure nats = ratio(documents, &DocumentScore::bytes);
  return {nats.value / std::numbers::ln2, nats.standard_error / std::numbers::ln2, nats.n};
}

PositionCurve::PositionCurve(int64_t length, int64_t ranges) : width_((length + ranges - 1) / ranges) {
  ensure(length > 0 && ranges > 0, "positions in ranges, not {} in {}", length, ranges);
  for (int64_t first = 0; first < length; first += width_)
    ranges_.push_back({first, std::min(first + width_, length) - 1, 0, 0});
}

void PositionCurve::add(int64_t position, double nll) {
  Range& range = ranges_.at(static_cast<std::size_t>(position / width_));
  ++range.tokens;
  range.nll += nll;
}

void PositionCurve::add(const PositionCurve& other) {
  ensure(other.width_ == width_ && other.ranges_.size() == ranges_.size(), "curves over the same ranges");
  for (std::size_t i = 0; i < ranges_.size(); ++i) {
    ranges_[i].tokens += other.ranges_[i].tokens;
    ranges_[i].nll += other.ranges_[i].nll;
  }
}

}  // namespace attnlab
