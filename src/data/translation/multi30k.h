// Multi30k (Elliott et al. 2016): captions of images, 29,000 pairs to train on.
#pragma once

#include "data/translation/raw_text.h"

namespace attnlab {

/// Reads <root>/multi30k/{train,val,test_2016_flickr}.{en,de}: raw text, a sentence a line.
struct Multi30kOptions final : RawTextOptions {
  LanguagePair languages;

  Multi30kOptions();
  void visit(Fields& f) override;
  TextSetFiles files(const DataPlace& place) const override;
};

}  // namespace attnlab
