#include "cache/policies/caote.h"
#include "cache/policies/full.h"
#include "cache/policies/h2o.h"
#include "cache/policies/keydiff.h"
#include "cache/policies/knorm.h"
#include "cache/policies/merging.h"
#include "cache/policies/random.h"
#include "cache/policies/rkv.h"
#include "cache/policies/scissorhands.h"
#include "cache/policies/snapkv.h"
#include "cache/policies/snapkv_decoding.h"
#include "cache/policies/summary.h"
#include "cache/policies/surprisal.h"
#include "cache/policies/tova.h"
#include "cache/policies/window.h"
#include "cache/policy.h"

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
      entry<PolicyOptions, CaoteOptions>(
          "caote", "TOVA that knows of values: what changes the output least goes (Goel et al. 2025)"),
      entry<PolicyOptions, ScissorhandsOptions>(
          "scissorhands", "the state whose weight was low most often goes (Liu et al. 2023)"),
      entry<PolicyOptions, SnapKvOptions>(
          "snapkv", "once after the prompt, what its last queries looked at stays (Li et al. 2024)"),
      entry<PolicyOptions, SnapKvDecodingOptions>("snapkv_decoding",
                                                  "SnapKV's score of the last queries, at every token"),
      entry<PolicyOptions, KnormOptions>("knorm", "the key of largest norm goes (Devoto et al. 2024)"),
      entry<PolicyOptions, KeyDiffOptions>("keydiff", "the key most like all others goes (Park et al. 2025)"),
      entry<PolicyOptions, RkvOptions>(
          "rkv", "of keys that are alike the older go, unless they are looked at (Cai et al. 2025)"),
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
