// The middle of repeated measurements, and how far they lie about it.
#pragma once

#include <vector>

namespace attnlab {

/// The middle value, or the mean of the two in the middle. `values` is not empty.
double median(std::vector<double> values);
/// The value that `share` of them lie below, between two of them in proportion (NumPy's default): 0.25 and
/// 0.75 are the quartiles. `values` is not empty.
double quantile(std::vector<double> values, double share);

/// A figure that is a median over rounds may have its quartiles beside it, under its name and these.
inline constexpr const char* first_quartile_of = "_first_quartile";
inline constexpr const char* third_quartile_of = "_third_quartile";

}  // namespace attnlab
