// What a decoder's cache keeps: the policy, how many states, of which layers, and how prompts are read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cache/policy.h"
#include "cache/state.h"
#include "core/options.h"

namespace attnlab {

enum class Budget { uniform, pyramid, list };
/// How a prompt is read: states dropped after every token of it (Oren et al. 2024, App. E), after every
/// piece, or once after all of it (their released generate()). What follows the prompt is read token by
/// token.
enum class Prompt { per_step, pieces, one_shot };
/// Of stored keys and values. What is narrower than the activations is rounded when a token arrives, so that
/// all queries see the same numbers.
enum class CachePrecision { model, fp32, bf16 };

struct CacheOptions {
  Choice<PolicyOptions> policy{"full"};
  int64_t size = 512;
  std::string share;
  int64_t protect_first = 0;
  std::vector<std::string> protect;
  Budget budget = Budget::uniform;
  double pyramid_last = 0.5;
  std::vector<int64_t> sizes;
  std::vector<int64_t> only_layers;
  Prompt prompt = Prompt::per_step;
  int64_t piece = 128;
  bool compress_gaps = false;
  CachePrecision precision = CachePrecision::model;

  void visit(Fields& f);
  /// The options for a text of so many tokens: with `share`, `size` is that part of it, rounded, at least 1.
  CacheOptions of_text(int64_t tokens) const;
};

/// The attention of a decoder, as its caches see it.
struct StateShape {
  int64_t layers = 1, heads = 1, kv_heads = 1, head_dim = 64;
  int64_t sliding_window = 0;  ///< tokens see this many, themselves included; 0: all
  int64_t luna_length = 0;     ///< rows l of causal Luna, whose layers keep sums; 0: they keep tokens
};

/// What states are made for beside their options.
struct StateRun {
  int64_t batch = 1;
  torch::Dtype dtype = torch::kFloat;                 ///< of queries, keys and values as they come
  std::optional<torch::Dtype> stored = std::nullopt;  ///< of what is kept; none: dtype
  torch::Device device = torch::kCPU;
  uint64_t seed = 0;                        ///< of policies that draw random numbers
  std::vector<int64_t> protected_ids = {};  ///< token ids that the strings of `protect` stand for
  bool record_expiry = true;  ///< keep for every token when it was dropped: 8 bytes a token and lane
  /// Tokens that a sequence will have in all, where that is known: what keeps everything makes room for them
  /// at once.
  int64_t expected = 0;
  /// What is made is timed: no steps of Torch's operators may stand in for the device's own.
  bool timed = false;

  torch::Dtype kept() const { return stored.value_or(dtype); }
};

/// States kept in each layer; 0: all of them. Throws UserError where the options do not fit so many layers.
std::vector<int64_t> sizes_of_layers(const CacheOptions& options, int64_t layers);

/// Throws UserError where the options contradict each other or the shape.
void check_cache(const CacheOptions& options, const StateShape& shape);

/// Empty states, one a layer. Throws UserError where the options contradict each other or the shape, RunError
/// where `timed` states would be a stand-in for those that a GPU should have; others say so in a line of the
/// log.
DecoderState make_states(const CacheOptions& options, const StateShape& shape, const StateRun& run);

/// LayerState::kind of all that make_states has made in this process, "device, full": what a record says of
/// them.
std::string kinds_of_states_made();

}  // namespace attnlab
