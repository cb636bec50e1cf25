// Minimisation of smooth convex functions by L-BFGS (Nocedal & Wright 2006, algorithm 7.4).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace attnlab {

struct LbfgsOptions {
  int64_t history = 20;  ///< pairs kept
  int64_t max_iterations = 1000;
  double gradient_bound = 1e-7;  ///< stop once no component of the gradient exceeds it
};

struct LbfgsResult {
  std::vector<double> x;
  double value = 0;
  int64_t iterations = 0;
  bool converged = false;  ///< by the gradient's bound, or because rounding leaves nothing to gain
};

/// Minimises `objective`, which returns the value at x and writes the gradient there. Backtracking line
/// search: with a convex objective each step has positive curvature, so the strong Wolfe conditions are not
/// needed.
LbfgsResult minimise(
    const std::function<double(std::span<const double> x, std::span<double> gradient)>& objective,
    std::vector<double> start, const LbfgsOptions& options = {});

}  // namespace attnlab
