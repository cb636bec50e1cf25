#include "core/random.h"

namespace attnlab {
namespace {

uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

uint64_t derive_seed(uint64_t seed, std::string_view purpose, uint64_t index) {
  uint64_t h = 0xcbf29ce484222325ULL;  // FNV-1a of the purpose
  for (const char c : purpose) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return mix(mix(mix(seed + 0x9e3779b97f4a7c15ULL) ^ h) + index);
}

uint64_t Random::next() { return mix(state_ += 0x9e3779b97f4a7c15ULL); }

uint64_t Random::below(uint64_t bound) {
  const uint64_t unbiased =
      (0 - bound) % bound;  // 2^64 mod bound: below it a value would count once too often
  uint64_t r = next();
  while (r < unbiased) r = next();
  return r % bound;
}

}  // namespace attnlab
