// Numbers as people read them.
#pragma once

#include <string>

namespace attnlab {

/// Four significant digits, whole numbers whole; "" for NaN.
std::string number(double value);

/// "0.642 ± 0.011": as many decimals as two significant digits of the uncertainty have. The value alone where
/// there is no uncertainty (0, NaN, infinite).
std::string with_uncertainty(double value, double uncertainty);

}  // namespace attnlab
