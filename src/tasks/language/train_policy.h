// `train.policy`: a language model trained under a cache policy, at one size or at sizes drawn anew for each
// micro-batch. Several modalities are out of its scope: texts alone are read.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cache/cache_options.h"
#include "train/options.h"

namespace attnlab {

struct PolicyTraining {
  CacheOptions cache;
  std::vector<int64_t> sizes;
  double full = 0;
  double reconstruction = 0;
  int64_t context = 0;  ///< tokens of a text; no key of its own

  void visit(Fields& f);
  /// Whether anything is ever dropped.
  bool active() const { return !cache.policy->unbounded(); }
  /// What validation, and training where nothing is drawn, keeps.
  CacheOptions kept() const { return cache.of_text(context); }
  /// That, and what each size that may be drawn keeps; empty where nothing is ever dropped.
  std::vector<CacheOptions> all_kept() const;
  /// What the m-th micro-batch of the run with this seed keeps; nothing where that is everything.
  std::optional<CacheOptions> drawn(uint64_t seed, int64_t m) const;
};

/// The training of a language model.
struct LmTrainOptions : TrainOptions {
  PolicyTraining policy;

  void visit(Fields& f) {
    TrainOptions::visit(f);
    f("policy", policy, "what layers forget of the texts that they are trained on; by default nothing");
  }
};

}  // namespace attnlab
