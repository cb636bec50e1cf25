// Options of perplexity.
#include <algorithm>

#include "tasks/language/perplexity.h"

namespace attnlab {

ChunkingOptions PerplexityOptions::cut(int64_t longest_document) const {
  ChunkingOptions options = chunks;
  if (data->holds_ids()) options = {.length = std::max<int64_t>(longest_document, 2), .bos = BosPolicy::none};
  if (baseline) options.length = cache.of_text(options.length).size;
  return options;
}

CacheOptions PerplexityOptions::kept(int64_t longest_chunk) const {
  return baseline ? CacheOptions() : cache.of_text(longest_chunk);
}

void PerplexityOptions::visit(Fields& f) {
  visit_pretrained(f);
  f("data", data, "the documents");
  f("documents", documents, Range{0, 1e15}, "evaluate on the first so many documents; 0: all");
  f("chunks", chunks, "from documents to what the model reads at a time");
  f("past_training", past_training,
    "allow chunks longer than the model's max_position_embeddings (positions are extrapolated, or, with "
    "cache.compress_gaps, compressed)");
  f("cache", cache, "what each layer keeps of the tokens that it has read");
  f("baseline", baseline,
    "truncated context, no policy: the text is cut into chunks of cache.size tokens, each read alone with a "
    "full cache and none carried over (TOVA §5)");
  f("batch_size", batch_size, Range{1, 65536}, no_effect("chunks side by side"));
  f("slice", slice, Range{0, 1 << 24},
    no_effect(
        "tokens of a chunk that go through the layers at a time: bounds the memory of activations; 0: "
        "8192 on the CPU, on a GPU all, since behind the first slice bounded caches there take token by "
        "token"));
  f("position_ranges", position_ranges, Range{1, 1 << 20},
    no_effect("ranges of equal width into which /eval/position sums the loss by position in the chunk"));
  f("record_tokens", record_tokens, "also record every scored token");
  f("record_expiry", record_expiry, Range{0, 1e15},
    "record when each token was dropped, of so many chunks from the first one on, and for how long tokens "
    "were kept: /kept and figures (TOVA's analysis of kept tokens)");
  f.require(
      chunks.stride == 0 || !(baseline || data->holds_ids()), "chunks",
      "overlap with stride, which goes neither with the baseline nor with chunks of token ids as they stand");
  f.require(!baseline || data->holds_ids() || cut(0).length >= 2, "baseline",
            "cuts chunks of cache.size tokens, which must be at least 2");
  f.require(
      baseline || cache.prompt != Prompt::one_shot, "cache",
      "drops states once, after the prompt, with prompt: one_shot; a text that is scored has no prompt");
  f.require(baseline || !cache.policy->needs().prefill_only, "cache",
            "has a policy that drops states only after a prompt; a text that is scored has none");
}

}  // namespace attnlab
