#include "tasks/language/perplexity_inputs.h"

#include <algorithm>

#include "config/writer.h"
#include "core/error.h"
#include "core/log.h"
#include "data/token_lines.h"
#include "tasks/inputs.h"
#include "tasks/layer_sizes.h"
#include "tasks/model_folder.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// Ids need no tokenizer; bytes and words are then unknown where none is there.
bool wants_tokenizer(const PerplexityOptions& o) {
  return !o.data->holds_ids() || !o.tokenizer.empty() || !o.cache.protect.empty();
}

std::optional<Tokenizer> open_tokenizer(const PerplexityOptions& o, const fs::path& folder) {
  const fs::path place = tokenizer_place(o.tokenizer, folder);
  if (!wants_tokenizer(o) && !find_tokenizer(place)) return std::nullopt;
  return Tokenizer::open(place);
}

/// Of documents of ids, which are read once for it and checked; of texts none is known yet, or needed.
int64_t longest_document(const PerplexityOptions& o, const PerplexityInputs& in) {
  int64_t longest = 0;
  for (int64_t i = 0; o.data->holds_ids() && i < in.count; ++i) {
    const Document document = in.documents->read(i);
    check_ids(document, in.config.decoder.vocabulary);
    longest = std::max(longest, static_cast<int64_t>(document.ids.size()));
  }
  return longest;
}

void check_drops(const CacheOptions& kept, int64_t longest_chunk) {
  if (kept.policy->unbounded()) return;
  if (kept.prompt == Prompt::pieces && kept.piece >= longest_chunk)
    user_error(
        "cache.piece: states are dropped every {} tokens, and the longest chunk has {}: nothing would be "
        "dropped",
        kept.piece, longest_chunk);
  if (kept.size >= longest_chunk)
    log_info("a cache of {} states holds a whole chunk of {} tokens: nothing is dropped", kept.size,
             longest_chunk);
}

void check_fit(const PerplexityOptions& o, const PerplexityInputs& in) {
  if (in.cut.bos != BosPolicy::none && !in.tokenizer->bos_id())
    user_error("{} has no BOS token, and chunks.bos asks for one; chunks.bos=none reads without",
               in.tokenizer->path());
  if (in.longest_chunk < 2)
    user_error("baseline: cuts chunks of cache.size tokens, which must be at least 2");
  const int64_t positions = in.config.decoder.max_positions;
  if (in.longest_chunk > positions && !o.past_training)
    user_error(
        "chunks of {} tokens are longer than the {} positions of the model in {}; past_training=true reads "
        "them all the same",
        in.longest_chunk, positions, in.folder.string());
  const CacheOptions kept = o.kept(in.longest_chunk);
  check_layer_sizes(kept, in.config, in.folder);
  check_cache(kept, state_shape(in.config.decoder));
  check_drops(kept, in.longest_chunk);
}

}  // namespace

PerplexityInputs open_inputs(const PerplexityOptions& o, const RunContext& context) {
  PerplexityInputs in;
  in.folder = model_folder(o.model);
  in.config = read_hf_config(in.folder);
  in.tokenizer = open_tokenizer(o, in.folder);
  if (in.tokenizer) in.tokenizer->limit_to(in.config.decoder.vocabulary);
  in.documents = o.data->open(context.data);
  in.count = std::min(count_of(*in.documents, o.documents), count_of(*in.documents, context.limit));
  in.cut = o.cut(longest_document(o, in));
  in.longest_chunk = in.cut.length;
  check_fit(o, in);
  if (in.tokenizer) in.protected_ids = protected_ids(*in.tokenizer, o.cache.protect);
  in.identity = checksums_of(o.inputs(context));
  return in;
}

std::vector<Input> PerplexityOptions::inputs(const RunContext& context) const {
  const int64_t first = documents > 0 && context.limit > 0 ? std::min(documents, context.limit)
                                                           : std::max(documents, context.limit);
  const auto texts = [data = data, place = context.data, first] {
    const auto opened = data->open(place);
    return checksum_of(*opened, count_of(*opened, first));
  };
  std::vector<Input> all = {
      model_input(model),
      {"data", context.data.root.string(), fmt::format("{} {} {}", data.name(), dump(*data), first), texts}};
  const fs::path place = tokenizer_place(tokenizer, model_folder(model));
  if (wants_tokenizer(*this) || find_tokenizer(place)) {
    all.push_back(file_input("tokenizer", tokenizer_file(place)));
    all.push_back(settings_input(tokenizer_file(place).parent_path()));
  }
  return all;
}

ChunkGroup next_group(const PerplexityOptions& o, const PerplexityInputs& in, int64_t& next) {
  ChunkGroup group;
  while (next < in.count && static_cast<int64_t>(group.chunks.size()) < o.batch_size) {
    const int64_t index = next++;
    Document document = in.documents->read(index);
    const TokenisedDocument tokens(std::move(document), in.tokenizer ? &*in.tokenizer : nullptr);
    const auto length = static_cast<int64_t>(tokens.ids().size());
    const std::vector<Chunk> chunks = plan_chunks(length, in.cut);
    if (chunks.empty()) {
      log_info("{} has {} tokens: left out", tokens.id(), length);
      continue;
    }
    for (const Chunk& chunk : chunks) {
      const int64_t number = &chunk - chunks.data();
      ChunkJob job{group.documents.size(),
                   number,
                   {},
                   chunk.unscored(),
                   tokens.count(chunk.first_scored(), chunk.end)};
      if (chunk.bos) job.ids.push_back(*in.tokenizer->bos_id());
      job.ids.insert(job.ids.end(), tokens.ids().begin() + chunk.begin, tokens.ids().begin() + chunk.end);
      group.chunks.push_back(std::move(job));
    }
    group.documents.push_back({index, tokens.id(), length, static_cast<int64_t>(chunks.size())});
  }
  return group;
}

}  // namespace attnlab
