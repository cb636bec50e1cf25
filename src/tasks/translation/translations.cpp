#include "tasks/translation/translations.h"

#include <algorithm>

#include "core/log.h"
#include "core/random.h"
#include "core/stop.h"
#include "models/translator_steps.h"
#include "tasks/translation/pair_tensors.h"

namespace attnlab {
namespace {

using Sources = std::vector<std::vector<int64_t>>;

bool has_words(const std::vector<int64_t>& source) { return source.size() > 1; }

/// Indices of sources that are translated together, longest first, so that what cannot fit fails at once.
std::vector<std::vector<std::size_t>> batches_of(const Sources& sources, const TranslationDecoding& how) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < sources.size(); ++i)
    if (has_words(sources[i])) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return sources[a].size() > sources[b].size(); });
  std::vector<std::vector<std::size_t>> batches;
  for (const std::size_t i : order) {
    const bool full =
        batches.empty() || std::ssize(batches.back()) >= how.batch_sentences ||
        std::ssize(sources[batches.back().front()]) * (std::ssize(batches.back()) + 1) > how.batch_tokens;
    if (full) batches.emplace_back();
    batches.back().push_back(i);
  }
  return batches;
}

}  // namespace

std::vector<std::vector<Hypothesis>> translate_all(Translator& model, const TranslationDecoding& how,
                                                   const NumberedSources& all, uint64_t seed,
                                                   torch::Device device) {
  const Sources& sources = all.ids;
  const torch::NoGradGuard no_grad;  // not InferenceMode, which threads of the kernels would not inherit
  BeamOptions search = how.search;
  search.max_length = std::min(search.max_length, model->max_length() - 1);  // and its end
  std::vector<std::vector<Hypothesis>> found(sources.size(), {Hypothesis{}});
  auto done = sources.size() - static_cast<std::size_t>(std::ranges::count_if(sources, has_words));
  for (const auto& members : batches_of(sources, how)) {
    stop_here_if_requested();
    Sources together;
    SearchBatch batch;
    for (const std::size_t i : members) {
      together.push_back(sources[i]);
      batch.source_lengths.push_back(std::ssize(sources[i]));
      // What a sentence draws is its own, whatever stands beside it.
      batch.seeds.push_back(derive_seed(seed, "translation", static_cast<uint64_t>(all.numbers[i])));
    }
    constexpr int64_t eos = TranslationVocabulary::eos;
    batch.symbols = {.start = eos, .end = eos, .padding = TranslationVocabulary::pad};
    batch.each_step = stop_here_if_requested;
    const SourceTensors source = source_tensors(together, device);
    TranslatorSteps steps(model, model->encode(source.ids_BN, source.padding_BN));
    auto best = beam_search(steps, batch, search);
    for (std::size_t i = 0; i < members.size(); ++i) found[members[i]] = std::move(best[i]);
    done += members.size();
    log_progress(fmt::format("translated {} of {} sentences", done, sources.size()));
  }
  return found;
}

}  // namespace attnlab
