// Large Movie Review Dataset (Maas et al. 2011), the labelled half, read byte by byte as in the Long Range
// Arena.
#pragma once

#include "data/sequences.h"

namespace attnlab {

/// Reads <root>/imdb/aclImdb/{train,test}/{neg,pos}/*.txt, the publisher's layout. A symbol is a byte,
/// 0–255; texts that are not UTF-8 are bytes like any other. What an editor or a system may have put around
/// them is none: line ends are LF, a byte order mark is left out, hidden files are not read. The reviews as
/// published have none of it, so that nothing of theirs changes, and a copy that went through Windows or
/// macOS gives the same data. Where that folder is not there, what was prepared of it elsewhere is read:
/// <root>/imdb/prepared/{train,test}.seq, as scripts/bundle carries them, which are held to their own
/// SHA-256. Label 0 is negative, 1 positive. Ids are "test/pos/12_8". Every split comes in an order whose
/// prefixes are class-balanced (see balanced_order), so a limit on the number of examples is always a fixed,
/// balanced sample.
struct ImdbOptions final : SequenceDataOptions {
  double validation_fraction = 0.1;
  int64_t validation_seed = 0;
  bool train_on_held_out = false;
  int64_t train_examples = 0;
  int64_t test_examples = 0;

  void visit(Fields& f) override;
  std::vector<std::string> class_names() const override { return {"negative", "positive"}; }
  int64_t symbol_count() const override { return 256; }
  bool trains_on_validation() const override { return train_on_held_out; }
  LabelledSplits open(const DataPlace& place) const override;
  std::vector<uint8_t> encode(std::string_view text) const override;
};

}  // namespace attnlab
