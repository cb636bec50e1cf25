#include "attention/attention.h"
#include "attention/causal_luna.h"
#include "attention/causal_softmax.h"
#include "attention/linear.h"
#include "attention/linformer.h"
#include "attention/local.h"
#include "attention/luna.h"
#include "attention/performer.h"
#include "attention/softmax.h"
#include "attention/synthesizer.h"

namespace attnlab {

template <>
const std::vector<Entry<CausalAttentionOptions>>& registry<CausalAttentionOptions>() {
  static const std::vector<Entry<CausalAttentionOptions>> table = {
      entry<CausalAttentionOptions, CausalSoftmaxOptions>(
          "softmax", "scaled dot-product attention over the tokens so far (Vaswani et al. 2017)"),
      entry<CausalAttentionOptions, CausalLunaOptions>(
          "luna", "causal sums through l carried rows (Ma et al. 2021, §3.2)"),
  };
  return table;
}

template <>
const std::vector<Entry<AttentionOptions>>& registry<AttentionOptions>() {
  static const std::vector<Entry<AttentionOptions>> table = {
      entry<AttentionOptions, SoftmaxOptions>("softmax",
                                              "scaled dot-product attention (Vaswani et al. 2017)"),
      entry<AttentionOptions, LunaOptions>(
          "luna", "pack and unpack attention through l carried rows (Ma et al. 2021)"),
      entry<AttentionOptions, LinformerOptions>(
          "linformer",
          "keys and values projected to k rows along the sequence (Wang et al. 2020); fixed length"),
      entry<AttentionOptions, LinearOptions>("linear",
                                             "linear attention with elu(x)+1 (Katharopoulos et al. 2020)"),
      entry<AttentionOptions, LocalOptions>("local", "blocks that read themselves and their neighbours"),
      entry<AttentionOptions, PerformerOptions>(
          "performer", "softmax attention by positive random features (Choromanski et al. 2021)"),
      entry<AttentionOptions, SynthesizerOptions>(
          "synthesizer", "synthesized instead of query-key scores (Tay et al. 2021); fixed length"),
  };
  return table;
}

}  // namespace attnlab
