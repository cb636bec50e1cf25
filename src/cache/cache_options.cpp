#include "cache/cache_options.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>

#include "cache/bounded_state.h"
#include "cache/device_state.h"
#include "cache/full_state.h"
#include "cache/luna_state.h"
#include "cache/policies/full.h"
#include "core/error.h"
#include "core/log.h"
#include "core/random.h"

namespace attnlab {
namespace {

/// Linear from the first layer to the last, with the sum and the smallest size of a uniform budget kept.
std::vector<int64_t> pyramid(int64_t size, double last_share, int64_t layers) {
  std::vector<int64_t> sizes(layers);
  double exact = 0.0;
  int64_t given = 0;
  for (int64_t l = 0; l < layers; ++l) {
    const double at = layers == 1 ? 0.5 : static_cast<double>(l) / static_cast<double>(layers - 1);
    exact += static_cast<double>(size) * ((2.0 - last_share) * (1.0 - at) + last_share * at);
    sizes[l] = std::llround(exact) - given;  // rounding what has been given so far keeps the sum
    given += sizes[l];
  }
  return sizes;
}

/// "1/8" or "0.125" as a number; nothing where it is neither.
std::optional<double> part_of(const std::string& share) {
  const auto number = [](std::string_view text) -> std::optional<double> {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  };
  const std::size_t slash = share.find('/');
  if (slash == std::string::npos) return number(share);
  const auto above = number(std::string_view(share).substr(0, slash));
  const auto below = number(std::string_view(share).substr(slash + 1));
  if (!above || !below || *below == 0) return std::nullopt;
  return *above / *below;
}

DropAt drop_at(const CacheOptions& options, const PolicyNeeds& needs) {
  return needs.prefill_only || options.prompt == Prompt::one_shot ? DropAt::end_of_call : DropAt::every_token;
}

/// Luna's layers keep sums, of which nothing can be dropped, rounded or renumbered.
void check_of_luna(const CacheOptions& options, int64_t length) {
  const auto refuse = [&](std::string_view key, std::string_view allowed, std::string_view given) {
    user_error(
        "the model's attention is Luna, which keeps {} × 2d sums a head and no tokens: cache.{} must be {}, "
        "not {}",
        length, key, allowed, given);
  };
  if (!options.policy->unbounded()) refuse("policy", "full", options.policy.name());
  if (options.precision != CachePrecision::model)
    refuse("precision", "model", options.precision == CachePrecision::bf16 ? "bf16" : "fp32");
  if (options.compress_gaps) refuse("compress_gaps", "false", "true");
}

void check_policy(const CacheOptions& options, const PolicyNeeds& needs) {
  const std::string& name = options.policy.name();
  if (needs.prefill_only && options.prompt != Prompt::one_shot)
    user_error("the cache policy {} drops states once, after the prompt: it needs prompt: one_shot", name);
  if (options.compress_gaps && needs.dropped != Dropped::forgotten)
    user_error("compress_gaps does not go with the cache policy {}, which rewrites rotated keys", name);
}

}  // namespace

namespace {

std::set<std::string>& kinds_made() {
  static std::set<std::string> all;
  return all;
}

/// A policy whose rule the device's own operators know goes through steps of Torch's, 10 to 100 times slower.
void tell_stand_in(const std::string& reason, bool timed) {
  if (timed) run_error("what is timed here would be a slow stand-in for the GPU's own steps: {}", reason);
  static std::set<std::string> told;
  if (told.insert(reason).second)
    log_info("warning: the cache takes steps made of Torch's operators, 10 to 100 times slower: {}", reason);
}

}  // namespace

std::string kinds_of_states_made() { return fmt::format("{}", fmt::join(kinds_made(), ", ")); }

void LayerState::restore(const std::map<std::string, Tensor>&) {
  ensure(false, "a state of a kind that can be kept in a file");
}

void CacheOptions::visit(Fields& f) {
  f("policy", policy, "which state goes when there is one too many");
  f("size", size, Range{1, 1 << 24},
    "k: states kept per layer and head after dropping; the peak is k + 1 (policy full: no effect)");
  f("share", share, OneOf{},
    "the size as a part of the text instead, 1/8 or 0.125: of a chunk's length where texts are scored, of "
    "each prompt where they are continued; empty: `size` says it");
  const auto part = part_of(share);
  f.require(share.empty() || (part && *part > 0 && *part <= 1), "share",
            fmt::format("'{}' is no part of a text, such as 1/8 or 0.125", share));
  f.require(share.empty() || size == CacheOptions().size, "size",
            fmt::format("has no effect beside share, which is '{}'", share));
  f("protect_first", protect_first, Range{0, 1 << 24}, "the first so many states are never dropped (the +i)");
  f("protect", protect, OneOf{}, "tokens of these strings are never dropped, such as punctuation");
  f("budget", budget, {{"uniform", Budget::uniform}, {"pyramid", Budget::pyramid}, {"list", Budget::list}},
    "size in every layer; pyramid: falls linearly over the layers, with the same sum; list: `sizes`");
  f("pyramid_last", pyramid_last, Range{0, 2},
    "the last layer's share of `size` where budget is pyramid; the first layer has 2 minus this");
  f("sizes", sizes, Range{1, 1 << 24}, "a size for each layer where budget is list");
  f("only_layers", only_layers, Range{0, 1 << 16}, "layers that are bounded, from 0; none: all");
  f("prompt", prompt,
    {{"per_step", Prompt::per_step}, {"pieces", Prompt::pieces}, {"one_shot", Prompt::one_shot}},
    "states are dropped after every token of the prompt, every `piece` of them, or once at its end");
  f("piece", piece, Range{1, 1 << 24}, "tokens of a prompt between droppings where prompt is pieces");
  f("compress_gaps", compress_gaps,
    "positions of kept states are counted anew, a gap g > 10 as 10 + ln(ln(g − 10 + e)): texts far longer "
    "than those of training (Oren et al. 2024)");
  f("precision", precision,
    {{"model", CachePrecision::model}, {"fp32", CachePrecision::fp32}, {"bf16", CachePrecision::bf16}},
    "of the keys and values kept; model: as the model computes");
  f.require(!share.empty() || budget == Budget::list || protect_first < size, "protect_first",
            fmt::format("protecting the first {} states leaves no room among {}", protect_first, size));
  f.require(budget != Budget::list || !sizes.empty(), "sizes", "a budget of kind list needs a size a layer");
}

CacheOptions CacheOptions::of_text(int64_t tokens) const {
  CacheOptions options = *this;
  if (const auto part = part_of(share)) {
    options.size = std::max<int64_t>(1, std::llround(*part * static_cast<double>(tokens)));
    options.share.clear();
  }
  return options;
}

std::vector<int64_t> sizes_of_layers(const CacheOptions& options, int64_t layers) {
  if (options.policy->unbounded()) return std::vector<int64_t>(layers, 0);
  std::vector<int64_t> sizes(layers, options.size);
  if (options.budget == Budget::pyramid) sizes = pyramid(options.size, options.pyramid_last, layers);
  if (options.budget == Budget::list) {
    if (static_cast<int64_t>(options.sizes.size()) != layers)
      user_error("cache.sizes has {} entries, but the model has {} layers", options.sizes.size(), layers);
    sizes = options.sizes;
  }
  for (const int64_t l : options.only_layers)
    if (l < 0 || l >= layers)
      user_error("cache.only_layers names layer {}, but the model has layers 0 to {}", l, layers - 1);
  for (int64_t l = 0; l < layers; ++l) {
    const bool bounded =
        options.only_layers.empty() ||
        std::find(options.only_layers.begin(), options.only_layers.end(), l) != options.only_layers.end();
    if (!bounded)
      sizes[l] = 0;
    else if (sizes[l] < 1)
      user_error("cache.pyramid_last of {} leaves layer {} no state", options.pyramid_last, l);
    else if (sizes[l] <= options.protect_first)
      user_error(
          "cache.protect_first: protecting the first {} states leaves no room among the {} of layer {}",
          options.protect_first, sizes[l], l);
  }
  return sizes;
}

void check_cache(const CacheOptions& options, const StateShape& shape) {
  check_policy(options, options.policy->needs());
  if (shape.luna_length > 0) check_of_luna(options, shape.luna_length);
  for (const int64_t size : sizes_of_layers(options, shape.layers))
    if (size > 0) options.policy->build({.size = size, .protect_first = options.protect_first});
}

DecoderState make_states(const CacheOptions& options, const StateShape& shape, const StateRun& wanted) {
  check_cache(options, shape);
  DecoderState states;
  if (shape.luna_length > 0) {
    for (int64_t l = 0; l < shape.layers; ++l) states.push_back(std::make_unique<LunaState>(shape, wanted));
    kinds_made().insert("sums");
    return states;
  }
  StateRun run = wanted;
  if (options.precision == CachePrecision::fp32) run.stored = torch::kFloat;
  if (options.precision == CachePrecision::bf16) run.stored = torch::kBFloat16;
  const PolicyNeeds needs = options.policy->needs();
  BoundedOptions bounded;
  bounded.policy = options.policy.share();
  bounded.lane.protect_first = options.protect_first;
  bounded.lane.protected_ids = run.protected_ids;
  std::sort(bounded.lane.protected_ids.begin(), bounded.lane.protected_ids.end());
  bounded.lane.sliding_window = shape.sliding_window;
  bounded.lane.record_expiry = run.record_expiry;
  bounded.prompt = drop_at(options, needs);
  bounded.piece = options.prompt == Prompt::pieces ? options.piece : 1;
  bounded.compress_gaps = options.compress_gaps;

  const std::vector<int64_t> sizes = sizes_of_layers(options, shape.layers);
  const auto* full = dynamic_cast<const FullOptions*>(&*options.policy);
  const FullStep step = full ? full->step : FullStep::native;
  for (int64_t l = 0; l < shape.layers; ++l) {
    if (sizes[l] == 0) {
      states.push_back(std::make_unique<FullState>(shape, run, step));
      continue;
    }
    bounded.lane.size = sizes[l];
    bounded.seed = derive_seed(run.seed, "cache", static_cast<uint64_t>(l));
    const std::string reason = DeviceState::why_not(bounded, shape, run);
    if (reason.empty()) {
      states.push_back(std::make_unique<DeviceState>(bounded, shape, run));
      continue;
    }
    if (DeviceState::is_expected(bounded, run.device)) tell_stand_in(reason, run.timed);
    states.push_back(std::make_unique<BoundedState>(bounded, shape, run));
  }
  for (const auto& state : states) kinds_made().insert(state->kind());
  return states;
}

}  // namespace attnlab
