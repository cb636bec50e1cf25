// Sentence pairs in memory, for tests.
#pragma once

#include <string>
#include <vector>

#include "data/translation/pairs.h"

namespace attnlab::testing {

class PairsInMemory final : public SentencePairs {
 public:
  using Sentences = std::vector<std::vector<int64_t>>;
  PairsInMemory(Sentences sources, Sentences targets)
      : sources_(std::move(sources)), targets_(std::move(targets)) {}
  int64_t size() const override { return static_cast<int64_t>(sources_.size()); }
  int64_t source_length(int64_t i) const override { return length(sources_, i); }
  int64_t target_length(int64_t i) const override { return length(targets_, i); }
  void source(int64_t i, std::vector<int64_t>& ids) const override {
    ids = sources_[static_cast<std::size_t>(i)];
  }
  void target(int64_t i, std::vector<int64_t>& ids) const override {
    ids = targets_[static_cast<std::size_t>(i)];
  }
  std::string_view content_sha256() const override { return name; }

  std::string name = "in memory";

 private:
  static int64_t length(const Sentences& all, int64_t i) {
    return static_cast<int64_t>(all[static_cast<std::size_t>(i)].size());
  }
  Sentences sources_, targets_;
};

}  // namespace attnlab::testing
