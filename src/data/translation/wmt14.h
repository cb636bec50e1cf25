// WMT'14 English-German: Europarl v7, CommonCrawl and News Commentary v9, 4.5 million pairs.
#pragma once

#include "data/translation/raw_text.h"

namespace attnlab {

/// Reads <root>/wmt14/{europarl-v7.de-en,commoncrawl.de-en,news-commentary-v9.de-en}.{en,de} to train on,
/// newstest2013.{en,de} to validate on and newstest2014.{en,de}, all 3,003 lines of it, as test: raw text. By
/// default cleaned like fairseq's script does (which cuts tokenised text by subword-nmt): 1 to 250 pieces,
/// ratio 1.5.
struct Wmt14Options final : RawTextOptions {
  LanguagePair languages;

  Wmt14Options();
  void visit(Fields& f) override;
  TextSetFiles files(const DataPlace& place) const override;
};

}  // namespace attnlab
