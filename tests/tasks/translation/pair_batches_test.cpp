// Micro-batches by number: the same wherever training begins.
#include "tasks/translation/pair_batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "core/random.h"
#include "io/checkpoint.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// Pairs of lengths drawn at random; their ids do not matter.
class DrawnPairs final : public SentencePairs {
 public:
  explicit DrawnPairs(int64_t count) {
    Random random(5);
    for (int64_t i = 0; i < 2 * count; ++i) lengths_.push_back(1 + static_cast<int64_t>(random.below(30)));
  }
  int64_t size() const override { return std::ssize(lengths_) / 2; }
  int64_t source_length(int64_t i) const override { return lengths_[static_cast<std::size_t>(2 * i)]; }
  int64_t target_length(int64_t i) const override { return lengths_[static_cast<std::size_t>(2 * i + 1)]; }
  void source(int64_t i, std::vector<int64_t>& ids) const override {
    ids.assign(static_cast<std::size_t>(source_length(i)), 5);
  }
  void target(int64_t i, std::vector<int64_t>& ids) const override {
    ids.assign(static_cast<std::size_t>(target_length(i)), 6);
  }
  std::string_view content_sha256() const override { return "drawn"; }

 private:
  std::vector<int64_t> lengths_;
};

class NumberedBatches : public testing::Test {
 protected:
  NumberedBatches() : folder(fs::path(testing::TempDir()) / "numbered_batches") { fs::remove_all(folder); }
  ~NumberedBatches() override { fs::remove_all(folder); }
  PairBatches batches(int64_t max_tokens = 300) const {
    return {pairs, {.max_tokens = max_tokens}, 1, folder};
  }
  DrawnPairs pairs{400};
  fs::path folder;
};

TEST_F(NumberedBatches, AreTheSameWhereverTrainingBegins) {
  PairBatches in_order = batches();
  std::vector<std::vector<int64_t>> all;
  for (int64_t m = 0; m < 4 * in_order.per_epoch(); ++m) all.push_back(in_order.members(m));
  for (const int64_t m : {int64_t{0}, in_order.per_epoch() + 3, 3 * in_order.per_epoch() + 1}) {
    PairBatches resumed = batches();
    EXPECT_EQ(resumed.members(m), all[static_cast<std::size_t>(m)]) << "micro-batch " << m;
    EXPECT_EQ(resumed.members(0), all[0]) << "and back";
  }
}

TEST_F(NumberedBatches, AreFoundAgainWithoutPlanningEveryEpochBefore) {
  PairBatches before = batches();
  before.remember_cut();
  const std::vector<int64_t> sixth_epoch = before.members(5 * before.per_epoch() + 9);
  const std::string cut_and_starts = read_file(folder / "checkpoint" / "batches_cut.txt");
  EXPECT_EQ(std::ranges::count(cut_and_starts, ' '), 6) << "six epochs and where a seventh begins";
  EXPECT_EQ(batches().members(5 * before.per_epoch() + 9), sixth_epoch);

  // What the file tells is believed: an epoch that it leaves out has no batch.
  std::istringstream words(cut_and_starts);
  std::string cut, first, second, third;
  words >> cut >> first >> second >> third;
  write_atomically(folder / "checkpoint" / "batches_cut.txt", cut + "\n0 " + third + "\n");
  EXPECT_EQ(batches().members(std::stoll(third)), before.members(std::stoll(second)));
}

TEST_F(NumberedBatches, ArePlannedAnewWhereTheFileIsNoListOfStarts) {
  PairBatches before = batches();
  before.remember_cut();
  for (const std::string starts : {"", "0 9 4", "0 9 9", "7 9", "nine"}) {
    write_atomically(folder / "checkpoint" / "batches_cut.txt", before.cut() + "\n" + starts);
    EXPECT_EQ(batches().members(2 * before.per_epoch() + 5), before.members(2 * before.per_epoch() + 5))
        << starts;
  }
}

TEST_F(NumberedBatches, HoldEveryPairOnceAnEpoch) {
  PairBatches numbered = batches();
  std::vector<int64_t> seen;
  for (int64_t m = 0; m < numbered.per_epoch(); ++m)
    seen.insert(seen.end(), numbered.members(m).begin(), numbered.members(m).end());
  std::sort(seen.begin(), seen.end());
  for (int64_t i = 0; i < pairs.size(); ++i) ASSERT_EQ(seen.at(static_cast<std::size_t>(i)), i);
  EXPECT_EQ(std::ssize(seen), pairs.size());
}

TEST_F(NumberedBatches, AreRefusedWhereACheckpointsWereCutOtherwise) {
  batches().remember_cut();
  batches(200).remember_cut();  // nothing to resume yet
  fs::create_directories(last_checkpoint(folder).parent_path());
  write_atomically(last_checkpoint(folder), "a checkpoint");
  EXPECT_NO_THROW(batches(200));
  EXPECT_THROW(batches(300), UserError);
}

}  // namespace
}  // namespace attnlab
