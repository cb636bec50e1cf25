// From sequences of symbols to padded batches of token ids. Pure functions of (seed, epoch, index): any batch
// of a run can be made again without the ones before it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/sequences.h"

namespace attnlab {

/// Token ids, laid out like fairseq's dictionary: <s> 0, <pad> 1, </s> 2, <unk> 3, then the symbols, then
/// <CLS>.
struct TokenLayout {
  int64_t symbols = 256;
  static constexpr int64_t pad = 1, eos = 2, first_symbol = 4;
  int64_t cls() const { return first_symbol + symbols; }
  int64_t vocabulary() const { return first_symbol + symbols + 1; }  ///< 261 for bytes
};

/// How a sequence becomes tokens: [<CLS>] + symbols + [</s>], then cut to max_length from the start (so long
/// texts lose </s>, as in the released code).
struct EncodingOptions {
  int64_t max_length = 4002;
  bool cls = true;
  bool eos = true;
  void visit(Fields& f);
};

struct TokenBatch {
  int64_t rows = 0, length = 0;  ///< padded to the longest row
  std::vector<int64_t> ids;      ///< rows × length, padded on the right with TokenLayout::pad
  std::vector<int64_t> lengths;  ///< tokens of each row
  std::vector<int64_t> labels;
  std::vector<int64_t> examples;  ///< indices into the split
  bool padded() const;            ///< some row is shorter than `length`
};

struct BatchingOptions {
  int64_t batch_size = 32;
  int64_t bucket = 0;  ///< batches sorted by length inside windows of this many batches; 0: no bucketing
  void visit(Fields& f);
};

/// Which examples stand together, batch by batch, in epoch `epoch`. Every example exactly once; every batch
/// but the last has batch_size rows. Bucketing sorts shuffled windows by length, cuts them, and shuffles the
/// batches.
std::vector<std::vector<int64_t>> plan_epoch(std::span<const int64_t> lengths, const BatchingOptions& options,
                                             uint64_t seed, int64_t epoch);
/// For evaluation: sorted by length, longest first, so that what cannot fit fails at once.
std::vector<std::vector<int64_t>> plan_evaluation(std::span<const int64_t> lengths, int64_t batch_size);

/// The symbols of a text that are left after the cut to max_length: what the model sees of it.
std::span<const uint8_t> visible_symbols(std::span<const uint8_t> text, const EncodingOptions& encoding);

/// Length in tokens of every example of a split.
std::vector<int64_t> token_lengths(const LabelledSequences& data, const EncodingOptions& encoding);

TokenBatch make_batch(const LabelledSequences& data, std::span<const int64_t> examples,
                      const EncodingOptions& encoding, const TokenLayout& layout);
/// A batch from symbols that belong to no data set (labels −1).
TokenBatch make_batch(const std::vector<std::vector<uint8_t>>& texts, const EncodingOptions& encoding,
                      const TokenLayout& layout);

}  // namespace attnlab
