// The micro-batches of a training run over sentence pairs, by number.
#pragma once

#include <filesystem>

#include "data/translation/batches.h"

namespace attnlab {

class PairBatches {
 public:
  /// Throws UserError where the run in `folder` has a checkpoint whose batches were cut from other pairs, by
  /// other rules or another seed, since its position would then mean other pairs.
  PairBatches(const SentencePairs& pairs, const PairBatchingOptions& options, uint64_t seed,
              const std::filesystem::path& folder);
  /// Pairs of the m-th micro-batch since the start of training. Epochs differ in how many they have; one is
  /// planned when it is entered, and after resuming those before it that the folder does not tell of.
  const std::vector<int64_t>& members(int64_t m);
  int64_t per_epoch() const { return starts_[1]; }         ///< micro-batches of the first epoch
  int64_t left_out() const { return left_out_; }           ///< pairs that are too long
  double padding_share() const { return padding_share_; }  ///< of the first epoch's places
  /// Leaves the hash of what cut them in the run's folder, for those that resume it, and from now on where
  /// each epoch began.
  void remember_cut();
  const std::string& cut() const { return cut_; }  ///< hash of what cut them

 private:
  void plan(int64_t epoch);
  void write_cut() const;

  PairLengths lengths_;
  PairBatchingOptions options_;
  uint64_t seed_;
  std::filesystem::path folder_;
  std::string cut_;
  std::vector<int64_t> starts_;  ///< first micro-batch of each epoch so far, and of the next
  bool remembers_ = false;
  int64_t planned_ = -1, left_out_ = 0;
  double padding_share_ = 0;
  std::vector<std::vector<int64_t>> plan_;
};

}  // namespace attnlab
