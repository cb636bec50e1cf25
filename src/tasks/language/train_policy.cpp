#include "tasks/language/train_policy.h"

#include <algorithm>

#include "core/random.h"
#include "models/training_states.h"

namespace attnlab {
namespace {

/// "" where a text of `tokens` has more than these layers keep of it.
std::string too_large(int64_t size, int64_t tokens) {
  if (size < tokens) return "";
  return fmt::format("{} states are no fewer than the {} tokens of a text: nothing would be dropped", size,
                     tokens);
}

/// The least that a layer keeps; of a pyramid as it falls or rises, before rounding.
int64_t least_size(const CacheOptions& cache) {
  if (cache.budget == Budget::pyramid)
    return static_cast<int64_t>(static_cast<double>(cache.size) *
                                std::min(cache.pyramid_last, 2.0 - cache.pyramid_last));
  if (cache.budget == Budget::list && !cache.sizes.empty()) return std::ranges::min(cache.sizes);
  return cache.size;
}

}  // namespace

void PolicyTraining::visit(Fields& f) {
  f("cache", cache,
    "the policy, as where texts are scored, and the size for validation and, without `sizes`, for training; "
    "policy full: everything is kept");
  f("sizes", sizes, Range{1, 1 << 24},
    "sizes in place of cache.size, of which each micro-batch draws one, all alike likely; empty: none");
  f("full", full, Range{0, 1}, "how likely a micro-batch keeps everything");
  f("reconstruction", reconstruction, Range{0, 1e6},
    "weight of a second loss: how far the outputs of layers over what they kept are from those over all "
    "tokens, as a share of the latter's squares; training's loss is then the sum of both");
  if (!active()) {
    f.require(sizes.empty(), "sizes", "are of no effect under cache.policy full, which keeps everything");
    f.require(full == 0, "full", "is of no effect under cache.policy full, which keeps everything");
    f.require(reconstruction == 0, "reconstruction",
              "is of no effect under cache.policy full, which keeps everything");
    return;
  }
  const std::string why_not = why_not_trained(cache);
  f.require(why_not.empty(), "cache", why_not);
  const std::string large = too_large(least_size(kept()), context);
  f.require(large.empty(), "cache", large);
  const std::string draws = sizes.empty() ? "" : too_large(std::ranges::max(sizes), context);
  f.require(draws.empty(), "sizes", draws);
  f.require(sizes.empty() || cache.budget != Budget::list, "sizes",
            "are drawn for all layers together, and cache.budget list has one for each");
  f.require(sizes.empty() || cache.protect_first < std::ranges::min(sizes), "sizes",
            fmt::format("leave no room where the first {} states are protected", cache.protect_first));
}

std::vector<CacheOptions> PolicyTraining::all_kept() const {
  std::vector<CacheOptions> all;
  if (!active()) return all;
  all.push_back(kept());
  for (const int64_t size : sizes) all.emplace_back(all.front()).size = size;
  return all;
}

std::optional<CacheOptions> PolicyTraining::drawn(uint64_t seed, int64_t m) const {
  if (!active()) return std::nullopt;
  Random random(derive_seed(seed, "cache size", static_cast<uint64_t>(m)));
  if (random.uniform() < full) return std::nullopt;
  CacheOptions drawn = kept();
  if (!sizes.empty()) drawn.size = sizes[random.below(sizes.size())];
  return drawn;
}

}  // namespace attnlab
