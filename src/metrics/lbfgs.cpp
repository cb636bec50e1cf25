#include "metrics/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

namespace attnlab {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// to += factor · v
void add(Vector& to, double factor, const Vector& v) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * v[i];
}

double largest(const Vector& v) {
  double bound = 0;
  for (const double x : v) bound = std::max(bound, std::abs(x));
  return bound;
}

/// A step s and the change y of the gradient along it.
struct Pair {
  Vector s, y;
  double sy;
};

/// −H·gradient by the two-loop recursion; H starts as the last pair's scaling.
Vector direction(const Vector& gradient, const std::deque<Pair>& pairs) {
  Vector q = gradient;
  Vector alpha(pairs.size());
  for (std::size_t i = pairs.size(); i-- > 0;) {
    alpha[i] = dot(pairs[i].s, q) / pairs[i].sy;
    add(q, -alpha[i], pairs[i].y);
  }
  const double scale = pairs.empty() ? 1 / std::max(1.0, std::sqrt(dot(gradient, gradient)))
                                     : pairs.back().sy / dot(pairs.back().y, pairs.back().y);
  for (double& v : q) v *= scale;
  for (std::size_t i = 0; i < pairs.size(); ++i)
    add(q, alpha[i] - dot(pairs[i].y, q) / pairs[i].sy, pairs[i].s);
  for (double& v : q) v = -v;
  return q;
}

}  // namespace

LbfgsResult minimise(const std::function<double(std::span<const double>, std::span<double>)>& objective,
                     Vector start, const LbfgsOptions& options) {
  constexpr double kSufficient = 1e-4;  // Armijo's constant
  constexpr int kHalvings = 40;
  LbfgsResult at{std::move(start), 0, 0, false};
  Vector gradient(at.x.size());
  at.value = objective(at.x, gradient);
  std::deque<Pair> pairs;
  for (; at.iterations < options.max_iterations; ++at.iterations) {
    at.converged = largest(gradient) <= options.gradient_bound;
    if (at.converged) return at;

    const Vector step = direction(gradient, pairs);
    const double slope = dot(step, gradient);
    Vector x, new_gradient(gradient.size());
    double value = 0, length = 1;
    int halvings = 0;
    for (; halvings < kHalvings; ++halvings, length /= 2) {
      x = at.x;
      add(x, length, step);
      value = objective(x, new_gradient);
      if (value <= at.value + kSufficient * length * slope) break;
    }
    if (halvings == kHalvings && pairs.empty()) {  // what is left to gain is below the rounding of the value
      at.converged = true;
      return at;
    }
    if (halvings ==
        kHalvings) {  // the pairs mislead, as where the curvature vanishes: begin again without them
      pairs.clear();
      continue;
    }
    Pair pair{std::move(x), new_gradient, 0};
    at.x.swap(pair.s);
    for (std::size_t i = 0; i < at.x.size(); ++i) {
      pair.s[i] = at.x[i] - pair.s[i];
      pair.y[i] -= gradient[i];
    }
    pair.sy = dot(pair.s, pair.y);
    if (pair.sy > 0) pairs.push_back(std::move(pair));
    if (static_cast<int64_t>(pairs.size()) > options.history) pairs.pop_front();
    gradient.swap(new_gradient);
    at.value = value;
  }
  return at;
}

}  // namespace attnlab
