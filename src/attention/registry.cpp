#include "attention/attention.h"
#include "attention/luna.h"
#include "attention/softmax.h"

namespace attnlab {

StateExtent AttentionImpl::state_extent(const Tensor&, int64_t) const { return {state_length(), {}}; }

template <>
const std::vector<Entry<AttentionOptions>>& registry<AttentionOptions>() {
  static const std::vector<Entry<AttentionOptions>> table = {
      entry<AttentionOptions, SoftmaxOptions>("softmax",
                                              "scaled dot-product attention (Vaswani et al. 2017)"),
      entry<AttentionOptions, LunaOptions>(
          "luna", "pack and unpack attention through l carried rows (Ma et al. 2021)"),
  };
  return table;
}

}  // namespace attnlab
