// Random streams that depend on nothing but the run's seed and what they are for, so that any step of a run
// can be replayed without replaying those before it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace attnlab {

/// A seed for the `index`-th stream of a purpose ("shuffle", "dropout", …) of the run with this seed.
uint64_t derive_seed(uint64_t seed, std::string_view purpose, uint64_t index = 0);

/// SplitMix64 (Steele et al. 2014): small, fast, the same numbers on every platform.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next();
  /// Uniform in [0, bound), without modulo bias.
  uint64_t below(uint64_t bound);
  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

/// Fisher–Yates; unlike std::shuffle the result does not depend on the standard library.
template <class T>
void shuffle(std::span<T> items, Random& random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

}  // namespace attnlab
