#include "tasks/generation/answerer.h"

#include <algorithm>
#include <chrono>

#include "core/stop.h"

namespace attnlab {
namespace {

using Ids = std::vector<int64_t>;
using Seconds = std::chrono::duration<double>;

int64_t longest_of(const std::vector<Ids>& prompts) {
  return static_cast<int64_t>(std::ranges::max(prompts, {}, &Ids::size).size());
}

}  // namespace

Answerer::Answerer(Decoder decoder, Tokenizer tokenizer, AnswererOptions options)
    : decoder_(std::move(decoder)), tokenizer_(std::move(tokenizer)), options_(std::move(options)) {}

DecoderState Answerer::fresh(int64_t batch, int64_t expected) const {
  const torch::TensorOptions activations = decoder_->activations();
  return make_states(options_.cache, state_shape(decoder_->options()),
                     {.batch = batch,
                      .dtype = activations.dtype().toScalarType(),
                      .device = activations.device(),
                      .seed = options_.seed,
                      .protected_ids = options_.protected_ids,
                      .record_expiry = false,
                      .expected = expected});
}

int64_t Answerer::shared(std::span<const QuestionPrompt> prompts) const {
  const PolicyNeeds needs = options_.cache.policy->needs();
  // Surprisal comes from logits token by token; what is dropped after the prompt alone looks back over its
  // last queries, some of which may be the document's.
  if (!options_.share || prompts.size() < 2 || needs.surprisal || needs.prefill_only) return 0;
  return shared_beginning(prompts);
}

AnsweredDocument Answerer::answer(std::span<const QuestionPrompt> prompts) {
  AnsweredDocument all;
  all.shared_tokens = all.read_tokens = shared(prompts);
  std::vector<Ids> ids;
  for (const QuestionPrompt& prompt : prompts) ids.push_back(prompt.ids);
  const int64_t expected = longest_of(ids) + options_.new_tokens;
  DecoderState document;
  if (all.shared_tokens > 0) {
    const auto start = std::chrono::steady_clock::now();
    document = fresh(1, expected);
    read_ahead(decoder_, document, Ids(ids.front().begin(), ids.front().begin() + all.shared_tokens));
    all.shared_seconds = Seconds(std::chrono::steady_clock::now() - start).count();
  }
  for (std::size_t begin = 0; begin < ids.size(); begin += static_cast<std::size_t>(options_.batch_size)) {
    const std::size_t end = std::min(ids.size(), begin + static_cast<std::size_t>(options_.batch_size));
    const std::vector<Ids> batch(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                 ids.begin() + static_cast<std::ptrdiff_t>(end));
    const auto count = static_cast<int64_t>(batch.size());
    const auto start = std::chrono::steady_clock::now();
    DecoderState states =
        all.shared_tokens > 0 ? copy_of(document, torch::zeros(count, torch::kLong)) : fresh(count, expected);
    all.prompt_seconds += Seconds(std::chrono::steady_clock::now() - start).count();
    GenerateOptions options{.max_new_tokens = options_.new_tokens,
                            .read = all.shared_tokens,
                            .eos_ids = options_.eos_ids,
                            .last_position = options_.last_position,
                            .surprisal = options_.cache.policy->needs().surprisal,
                            .seeds = std::vector<uint64_t>(batch.size(), options_.seed),
                            .each_step = stop_here_if_requested};
    Generated made = generate(decoder_, states, batch, options);
    all.prompt_seconds += made.prompt_seconds;
    all.answer_seconds += made.seconds;
    all.cache_bytes = std::max(all.cache_bytes, bytes_of(states) / count);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      all.read_tokens += static_cast<int64_t>(batch[i].size()) - all.shared_tokens;
      all.answers.push_back({text_after(tokenizer_, batch[i], made.texts[i].ids), std::move(made.texts[i])});
    }
  }
  return all;
}

}  // namespace attnlab
