// What a perplexity run reads: model folder, tokenizer, documents; opened and checked before anything costs
// time.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/tokenised.h"
#include "io/hf_config.h"
#include "tasks/inputs.h"
#include "tasks/language/perplexity.h"

namespace attnlab {

struct PerplexityInputs {
  std::filesystem::path folder;  ///< of the model
  HfConfig config;
  std::optional<Tokenizer> tokenizer;  ///< none where ids are read and none is there
  std::shared_ptr<Documents> documents;
  int64_t count = 0;                   ///< documents to evaluate on, from the first
  std::vector<int64_t> protected_ids;  ///< of the strings that the cache protects
  ChunkingOptions cut;                 ///< of every document
  int64_t longest_chunk = 0;           ///< the most tokens that the model reads at a time
  /// Checksums of all this by name: recorded, and demanded again on resuming.
  Checksums identity;
};

/// Throws UserError with one sentence where a part is missing or the parts do not fit each other.
PerplexityInputs open_inputs(const PerplexityOptions& options, const RunContext& context);

/// A chunk on its way through the model.
struct ChunkJob {
  std::size_t document = 0;  ///< in the group
  int64_t number = 0;        ///< in the document
  std::vector<int64_t> ids;  ///< as the model reads them, BOS included
  int64_t unscored = 0;      ///< losses at its head that an earlier chunk has scored
  TextCounts counts;         ///< of the text that the scored tokens stand for
};

struct DocumentJob {
  int64_t index = 0;
  std::string id;
  int64_t length = 0;  ///< tokens of the whole document
  int64_t chunks = 0;
};

/// Documents that are scored together.
struct ChunkGroup {
  std::vector<DocumentJob> documents;
  std::vector<ChunkJob> chunks;
};

/// Documents from `next` on, until their chunks fill a batch; `next` goes behind them. Documents without a
/// chunk are left out, and said to be.
ChunkGroup next_group(const PerplexityOptions& options, const PerplexityInputs& inputs, int64_t& next);

}  // namespace attnlab
