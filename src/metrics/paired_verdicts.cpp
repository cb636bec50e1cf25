#include "metrics/paired_verdicts.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace attnlab {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

void PairedVerdicts::add(bool a, bool b) { ++(a ? (b ? both : only_a) : (b ? only_b : neither)); }

double PairedVerdicts::difference() const {
  const auto n = static_cast<double>(examples());
  return n > 0 ? static_cast<double>(only_b - only_a) / n : kUndefined;
}

double PairedVerdicts::standard_error() const {
  const auto n = static_cast<double>(examples());
  if (n < 2) return kUndefined;
  const double squares = static_cast<double>(only_a + only_b) - n * difference() * difference();
  return std::sqrt(std::max(squares, 0.0) / (n - 1) / n);
}

double PairedVerdicts::p_value() const {
  const auto n = static_cast<double>(only_a + only_b);
  const int64_t fewer = std::min(only_a, only_b);
  const auto k = static_cast<double>(fewer);
  // The binomial tail from its largest term down, each from the one before.
  double term =
      std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) - n * std::log(2.0));
  double tail = 0;
  for (int64_t i = fewer; i >= 0 && term > 0; --i) {
    tail += term;
    term *= static_cast<double>(i) / (n - static_cast<double>(i) + 1);
  }
  return std::min(1.0, 2 * tail);
}

}  // namespace attnlab
