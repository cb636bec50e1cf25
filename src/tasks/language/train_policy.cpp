#include "tasks/language/train_policy.h"

#include <algorithm>
#include <limits>

#include "config/writer.h"
#include "core/error.h"
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

/// Whether there are options beside the policy, which keeps everything. A size of its own always stands
/// there.
bool has_idle_options(CacheOptions cache) {
  CacheOptions plain;
  plain.policy = cache.policy;
  plain.size = cache.size;
  return dump(cache) != dump(plain);
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
    f.require(!has_idle_options(cache), "cache",
              "has options of no effect: its policy is full, which keeps everything");
    return;
  }
  f.require(full < 1 || (sizes.empty() && reconstruction == 0), "full",
            "is 1: every micro-batch keeps everything, and sizes and reconstruction are of no effect");
  f.require(cache.prompt != Prompt::pieces || cache.piece < context, "cache",
            fmt::format("drops states every {} tokens, and a text has {}: nothing would be dropped",
                        cache.piece, context));
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

Headline reconstruction_figure() {
  return {"reconstruction_validation", "1",
          "part of the squares of layers' outputs over all tokens that is missed over what train.policy's "
          "cache keeps, mean "
          "over the layers that it bounds, on documents held out of training",
          Summary::Better::lower};
}

std::string PolicyTraining::misfit(const StateShape& shape) const {
  for (const CacheOptions& one : all_kept()) {
    try {
      check_cache(one, shape);
    } catch (const UserError& wrong) {
      return fmt::format("does not fit the model: {}", wrong.what());
    }
    int64_t least = std::numeric_limits<int64_t>::max();
    for (const int64_t size : sizes_of_layers(one, shape.layers))
      if (size > 0) least = std::min(least, size);
    if (least >= context)
      return fmt::format("bounds no layer below the {} tokens of a text: nothing would be dropped", context);
    if (shape.sliding_window > 0 && least >= shape.sliding_window)
      return fmt::format(
          "keeps {} states, and the model looks back no further than {} tokens: nothing would be dropped",
          least, shape.sliding_window);
  }
  return "";
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
