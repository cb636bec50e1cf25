#include "cache/full.h"
#include "cache/h2o.h"
#include "cache/knorm.h"
#include "cache/merging.h"
#include "cache/policy.h"
#include "cache/random.h"
#include "cache/scissorhands.h"
#include "cache/snapkv.h"
#include "cache/summary.h"
#include "cache/surprisal.h"
#include "cache/tova.h"
#include "cache/window.h"

namespace attnlab {

template <>
const std::vector<Entry<PolicyOptions>>& registry<PolicyOptions>() {
  static const std::vector<Entry<PolicyOptions>> table = {
      entry<PolicyOptions, FullOptions>("full", "keeps everything: the topline"),
      entry<PolicyOptions, WindowOptions>("window", "first in, first out; window+i with protect_first: i"),
      entry<PolicyOptions, H2oOptions>(
          "h2o", "the most recent half and the largest attention summed so far (Zhang et al. 2023)"),
      entry<PolicyOptions, TovaOptions>(
          "tova", "the smallest attention weight of the newest query goes (Oren et al. 2024)"),
      entry<PolicyOptions, ScissorhandsOptions>(
          "scissorhands", "the state whose weight was low most often goes (Liu et al. 2023)"),
      entry<PolicyOptions, SnapKvOptions>(
          "snapkv", "once after the prompt, what its last queries looked at stays (Li et al. 2024)"),
      entry<PolicyOptions, KnormOptions>("knorm", "the key of largest norm goes (Devoto et al. 2024)"),
      entry<PolicyOptions, SurprisalOptions>("surprisal",
                                             "TOVA's weight times a function of the token's own −log p"),
      entry<PolicyOptions, MergingOptions>(
          "merging", "what TOVA drops is averaged into the kept state of the most similar key"),
      entry<PolicyOptions, SummaryOptions>(
          "summary", "what TOVA drops still answers queries, as a mean and r principal directions"),
      entry<PolicyOptions, RandomOptions>("random", "a random state goes: the floor"),
  };
  return table;
}

}  // namespace attnlab
