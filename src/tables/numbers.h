// Numbers as people read them.
#pragma once

#include <string>

namespace attnlab {

/// Four significant digits, whole numbers whole; "" for NaN.
std::string number(double value);

/// All digits, for programs; "" for what is no number.
std::string csv_number(double value);

/// That many significant digits, trailing zeros kept, whole digits never dropped: 1676, 86.3, 0.734.
std::string significant(double value, int digits);

/// A unit as people read it, and what to multiply with: bytes are shown in MiB, FLOP/s in GFLOP/s,
/// rates of memory in GB/s.
struct ShownUnit {
  std::string unit;
  double factor;
};
ShownUnit for_people(const std::string& unit);

/// "0.642 ± 0.011": as many decimals as two significant digits of the uncertainty have. The value alone where
/// there is no uncertainty (0, NaN, infinite).
std::string with_uncertainty(double value, double uncertainty);

}  // namespace attnlab
