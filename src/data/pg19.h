// PG-19 (Rae et al. 2019, arXiv 1911.05507): books of Project Gutenberg from before 1919.
#pragma once

#include "data/documents.h"

namespace attnlab {

/// Reads <root>/pg19/{test,validation,train}/<number>.txt as scripts/fetch_data pg19 leaves them, in the
/// order of the official bucket (file names, byte by byte). How many of a split's books are there is for the
/// reader to say: a mirror may have fewer than were published (100, 50, 28,602).
struct Pg19Options final : DocumentDataOptions {
  Split split = Split::test;

  void visit(Fields& f) override;
  std::shared_ptr<Documents> open(const DataPlace& place) const override;

  /// Books of this split as published.
  int64_t published_books() const;
};

}  // namespace attnlab
