#include "attention/entries.h"

#include "attention/baseline_references.h"
#include "attention/linear.h"
#include "attention/linformer.h"
#include "attention/local.h"
#include "attention/luna.h"
#include "attention/performer.h"
#include "attention/softmax.h"
#include "attention/synthesizer.h"

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

/// An attention whose options are set one by one, and the reference that it must agree with.
template <class Options, class Reference>
AttentionEntry baseline(std::string name, Options options, Reference reference, bool has_weights = true) {
  return {std::move(name), [=] { return std::make_shared<Options>(options); }, reference, has_weights};
}

LinformerOptions linformer(int64_t rows, bool shared) {
  LinformerOptions o;
  o.projected_length = rows;
  o.share_projections = shared;
  return o;
}

PerformerOptions performer(PerformerOptions::Kernel kernel, int64_t features, bool orthogonal) {
  PerformerOptions o;
  o.kernel = kernel;
  o.features = features;
  o.orthogonal = orthogonal;
  return o;
}

AttentionEntry local(std::string name, int block, int neighbours) {
  LocalOptions o;
  o.block = block;
  o.neighbours = neighbours;
  return baseline(std::move(name), o,
                  [=](const reference::Weights& w, int heads, const reference::Sentence& s) {
                    return reference::local(w, heads, s, block, neighbours);
                  });
}

SynthesizerOptions synthesizer(SynthesizerOptions::Scores scores) {
  SynthesizerOptions o;
  o.scores = scores;
  o.rank = 3;
  return o;
}

}  // namespace

std::vector<AttentionEntry> entries() {
  using Softmax = SoftmaxOptions::Implementation;
  using enum LunaOptions::Kernel;
  // Sentences in the matrix have up to 9 tokens: l = 3 is shorter, l = 6 lies between, l = 12 is longer.
  return {
      softmax("softmax_eager", Softmax::eager),
      softmax("softmax_eager_torch_dropout", Softmax::eager, true),
      softmax("softmax_sdpa", Softmax::sdpa),
      softmax("softmax_weighted", Softmax::weighted),
      luna("luna", 3, false, true, automatic),
      luna("luna_plain", 3, false, true, plain),
      luna("luna_sdpa", 3, false, true, sdpa),
      luna("luna_tied_sdpa", 3, true, true, sdpa),
      luna("luna_between_sdpa", 6, false, true, sdpa),
      luna("luna_long_sdpa", 12, false, true, sdpa),
      luna("luna_tied", 3, true, true, automatic),
      luna("luna_tied_plain", 3, true, true, plain),
      luna("luna_between", 6, false, true, automatic),
      luna("luna_between_plain", 6, false, true, plain),
      luna("luna_long", 12, false, true, automatic),
      luna("luna_long_plain", 12, false, true, plain),
      luna("luna_long_static", 12, false, false, automatic),
      luna("luna_long_static_tied_plain", 12, true, false, plain),
      baseline("linformer", linformer(3, true), reference::linformer),
      baseline("linformer_unshared", linformer(4, false), reference::linformer),
      baseline("linear", LinearOptions(), reference::linear, /*has_weights=*/false),
      local("local", 2, 1),
      local("local_blocks_alone", 4, 0),
      local("local_wide", 3, 4),
      baseline("performer", performer(PerformerOptions::Kernel::softmax, 10, true), reference::performer,
               false),
      baseline("performer_independent", performer(PerformerOptions::Kernel::softmax, 3, false),
               reference::performer, false),
      baseline("performer_relu", performer(PerformerOptions::Kernel::relu, 1, true),
               reference::performer_relu, false),
      baseline("synthesizer", synthesizer(SynthesizerOptions::Scores::factorized_random),
               reference::synthesizer),
      baseline("synthesizer_random", synthesizer(SynthesizerOptions::Scores::random), reference::synthesizer),
      baseline("synthesizer_dense", synthesizer(SynthesizerOptions::Scores::dense), reference::synthesizer),
  };
}

}  // namespace attnlab
