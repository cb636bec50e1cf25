// `train.policy`: a language model trained under a cache policy, at one size or at sizes drawn anew for each
// micro-batch. Several modalities are out of its scope: texts alone are read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cache/cache_options.h"
#include "core/record.h"
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
  /// Why a model of this shape cannot be trained so, or trains as without, as the end of a sentence that
  /// begins with "train.policy"; "" where it can. What the sizes alone tell is said where they are read.
  std::string misfit(const StateShape& shape) const;
  /// What the m-th micro-batch of the run with this seed keeps; nothing where that is everything.
  std::optional<CacheOptions> drawn(uint64_t seed, int64_t m) const;
};

/// How far what layers say over what the policy keeps is from what they would say over all, on texts held
/// out.
Headline reconstruction_figure();

/// The training of a language model.
struct LmTrainOptions : TrainOptions {
  PolicyTraining policy;

  void visit(Fields& f) {
    TrainOptions::visit(f);
    f("policy", policy, "what layers forget of the texts that they are trained on; by default nothing");
  }
};

}  // namespace attnlab
