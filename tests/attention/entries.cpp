#include "attention/entries.h"

#include "attention/luna.h"
#include "attention/softmax.h"

namespace attnlab {
namespace {

AttentionEntry softmax(std::string name, SoftmaxOptions::Implementation implementation,
                       bool torch_dropout = false) {
  const auto options = [=] {
    auto o = std::make_shared<SoftmaxOptions>();
    o->implementation = implementation;
    o->torch_dropout = torch_dropout;
    return o;
  };
  return {std::move(name), options, reference::softmax};
}

AttentionEntry luna(std::string name, int64_t l, bool tied, bool dynamic, LunaOptions::Kernel kernel) {
  const auto options = [=] {
    auto o = std::make_shared<LunaOptions>();
    o->projection_length = l;
    o->tie_kv = tied;
    o->dynamic_projection = dynamic;
    o->kernel = kernel;
    return o;
  };
  const auto reference = [=](const reference::Weights& w, int heads, const reference::Sentence& s) {
    return reference::luna(w, heads, s, tied);
  };
  return {std::move(name), options, reference};
}

}  // namespace

std::vector<AttentionEntry> entries() {
  using enum SoftmaxOptions::Implementation;
  using enum LunaOptions::Kernel;
  // Sentences in the matrix have up to 9 tokens: l = 3 is shorter, l = 6 lies between, l = 12 is longer.
  return {
      softmax("softmax_textbook", textbook),
      softmax("softmax_textbook_torch_dropout", textbook, true),
      softmax("softmax_fused", fused),
      luna("luna", 3, false, true, automatic),
      luna("luna_plain", 3, false, true, plain),
      luna("luna_tied", 3, true, true, automatic),
      luna("luna_tied_plain", 3, true, true, plain),
      luna("luna_between", 6, false, true, automatic),
      luna("luna_between_plain", 6, false, true, plain),
      luna("luna_long", 12, false, true, automatic),
      luna("luna_long_plain", 12, false, true, plain),
      luna("luna_long_static", 12, false, false, automatic),
      luna("luna_long_static_tied_plain", 12, true, false, plain),
  };
}

}  // namespace attnlab
