#include "tables/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace attnlab {

std::string number(double value) {
  if (std::isnan(value)) return "";
  const bool whole = value == std::round(value) || std::abs(value) >= 1e4;
  return whole && std::abs(value) < 1e15 ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
}

std::string csv_number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

std::string significant(double value, int digits) {
  if (std::isnan(value)) return "";
  const double size = std::abs(value);
  if (size == 0 || size >= 1e15 || size < 1e-9) return number(value);
  const int decimals = std::max(0, digits - 1 - static_cast<int>(std::floor(std::log10(size))));
  return fmt::format("{:.{}f}", value, decimals);
}

ShownUnit for_people(const std::string& unit) {
  if (unit == "byte") return {"MiB", 1.0 / (1 << 20)};
  if (unit == "FLOP/s") return {"GFLOP/s", 1e-9};
  if (unit == "byte/s") return {"GB/s", 1e-9};
  return {unit, 1.0};
}

std::string with_uncertainty(double value, double uncertainty) {
  if (!(uncertainty > 0) || !std::isfinite(uncertainty)) return number(value);
  const int decimals = std::clamp(1 - static_cast<int>(std::floor(std::log10(uncertainty))), 0, 9);
  return fmt::format("{:.{}f} ± {:.{}f}", value, decimals, uncertainty, decimals);
}

}  // namespace attnlab
