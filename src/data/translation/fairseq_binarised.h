// A folder that fairseq-preprocess --joined-dictionary made.
#pragma once

#include <string>

#include "data/translation/piece_vocabulary.h"

namespace attnlab {

/// Reads <path>/dict.{en,de}.txt, which have to be the same, and {train,valid,test}.en-de.{en,de}.{bin,idx},
/// or those of the other direction: ids, as they stand, so there are no raw lines.
struct FairseqBinarisedOptions final : TranslationDataOptions {
  std::string path, source = "en", target = "de", codes;
  Pieces pieces = Pieces::subword_nmt;

  bool tokenised() const override { return pieces == Pieces::subword_nmt; }
  void visit(Fields& f) override;
  TranslationData open(const DataPlace& place) const override;
  std::string contents_checksum(const DataPlace& place) const override;
};

}  // namespace attnlab
