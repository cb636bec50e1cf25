// From sentence pairs to padded batches by a budget of tokens. Pure functions of (seed, epoch).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/options.h"
#include "data/translation/pairs.h"

namespace attnlab {

/// Tokens of every pair's two sides, EOS counted.
struct PairLengths {
  std::vector<int32_t> source, target;
  int64_t size() const { return static_cast<int64_t>(source.size()); }
};
PairLengths lengths_of(const SentencePairs& pairs);

/// By what a batch is full, and in which order pairs are put into batches.
enum class PairRule {
  /// fairseq's: a pair's size is that of its longer side; pairs × longest size ≤ max_tokens; fewer than 8
  /// pairs or a multiple of 8; sorted by source, then target, over a random permutation; cut once, from the
  /// seed.
  fairseq,
  /// pairs × (longest source + longest target) ≤ max_tokens; cut anew in every epoch.
  padded_sum,
};

enum class TooLong { refuse, leave_out };

struct PairBatchingOptions {
  int64_t max_tokens = 4096;
  PairRule rule = PairRule::padded_sum;
  int64_t max_sentences = 0;
  int64_t max_positions = 1024;
  TooLong too_long = TooLong::refuse;
  void visit(Fields& f);
};

struct PairPlan {
  std::vector<std::vector<int64_t>> batches;  ///< pairs that stand together, in the order of training
  int64_t left_out = 0;                       ///< pairs that are too long
};

/// The batches of one epoch: every pair that fits once. Throws UserError for a pair longer than max_tokens or
/// max_positions on either side, unless they are left out.
PairPlan plan_pairs(const PairLengths& lengths, const PairBatchingOptions& options, uint64_t seed,
                    int64_t epoch);
/// For validation and decoding: by source length, longest first, so that what cannot fit fails at once. A
/// pair that exceeds the budget alone is a batch of its own; nothing is left out.
std::vector<std::vector<int64_t>> plan_all_pairs(const PairLengths& lengths, int64_t max_tokens,
                                                 int64_t max_sentences);

/// Hash of all that the batches of a run depend on: two runs with equal hashes have the same batches in every
/// epoch.
std::string cut_hash(const SentencePairs& pairs, const PairBatchingOptions& options, uint64_t seed);

enum class SourcePadding { right, left };

/// Pairs side by side, padded with TranslationVocabulary::pad.
struct PairBatch {
  int64_t rows = 0, source_length = 0, target_length = 0;  ///< lengths of the longest
  SourcePadding source_padding = SourcePadding::right;
  std::vector<int64_t> source;          ///< rows × source_length
  std::vector<int64_t> source_lengths;  ///< of each row
  std::vector<int64_t>
      target_input;  ///< rows × target_length, padded on the right: EOS, then target without its last
  std::vector<int64_t> target_output;  ///< rows × target_length: the target, EOS last
  std::vector<int64_t> target_lengths;
  std::vector<int64_t> pairs;                    ///< which they are
  int64_t source_tokens = 0, target_tokens = 0;  ///< without padding
};

PairBatch make_pair_batch(const SentencePairs& pairs, std::span<const int64_t> which,
                          SourcePadding padding = SourcePadding::right);

}  // namespace attnlab
