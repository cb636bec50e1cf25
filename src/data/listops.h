// ListOps (Nangia & Bowman 2018) as the Long Range Arena generates it: needs no files, so it always runs.
#pragma once

#include "data/sequences.h"

namespace attnlab {

/// Random expressions over MIN, MAX, MED (median, .5 cut off) and SM (sum modulo 10); the class is the value.
/// Token lengths are those the model reads, without the round brackets of the published files. An expression
/// belongs to the split that a hash of it names, so no expression is in two splits, and changing the size of
/// one split does not change another. The Long Range Arena: 96,000/2,000/2,000, lengths 500–2,000, depth 10,
/// arguments 10 (github.com/google-research/long-range-arena, lra_benchmarks/data/listops.py).
struct ListOpsOptions final : SequenceDataOptions {
  int64_t train_examples = 4000;
  int64_t validation_examples = 500;
  int64_t test_examples = 1000;
  int64_t min_length = 10;
  int64_t max_length = 200;
  int64_t max_depth = 10;
  int64_t max_args = 10;
  int64_t seed = 0;

  void visit(Fields& f) override;
  std::vector<std::string> class_names() const override;
  int64_t symbol_count() const override;
  LabelledSplits open(const DataPlace& place) const override;
  bool generated() const override { return true; }
  std::vector<uint8_t> encode(std::string_view text) const override;
};

}  // namespace attnlab
