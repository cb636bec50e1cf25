// Where batches hold padding: by lengths, whatever ids their sentences have.
#include "tasks/translation/pair_tensors.h"

#include <gtest/gtest.h>

namespace attnlab {
namespace {

using Ids = std::vector<int64_t>;
using Mask = std::vector<std::vector<bool>>;

constexpr int64_t pad = TranslationVocabulary::pad, eos = TranslationVocabulary::eos;

class GivenPairs final : public SentencePairs {
 public:
  explicit GivenPairs(std::vector<std::pair<Ids, Ids>> pairs) : pairs_(std::move(pairs)) {}
  int64_t size() const override { return std::ssize(pairs_); }
  int64_t source_length(int64_t i) const override { return std::ssize(at(i).first); }
  int64_t target_length(int64_t i) const override { return std::ssize(at(i).second); }
  void source(int64_t i, Ids& ids) const override { ids = at(i).first; }
  void target(int64_t i, Ids& ids) const override { ids = at(i).second; }
  std::string_view content_sha256() const override { return "given"; }

 private:
  const std::pair<Ids, Ids>& at(int64_t i) const { return pairs_[static_cast<std::size_t>(i)]; }
  std::vector<std::pair<Ids, Ids>> pairs_;
};

Mask mask_of(const torch::Tensor& mask) {
  Mask rows;
  for (int64_t i = 0; i < mask.size(0); ++i) {
    rows.emplace_back();
    for (int64_t j = 0; j < mask.size(1); ++j) rows.back().push_back(mask[i][j].item<bool>());
  }
  return rows;
}

TEST(PairTensors, ArePaddedByLengthsOnTheSideThatWasAskedFor) {
  const GivenPairs pairs({{{5, pad, 6, eos}, {7, eos}}, {{pad, eos}, {pad, 8, eos}}});
  const Ids both{0, 1}, first{0};
  const PairTensors right = to_tensors(make_pair_batch(pairs, both, SourcePadding::right), torch::kCPU);
  EXPECT_EQ(mask_of(right.source_padding_BN),
            (Mask{{false, false, false, false}, {false, false, true, true}}));
  EXPECT_EQ(mask_of(right.target_padding_BT), (Mask{{false, false, true}, {false, false, false}}));
  const PairTensors left = to_tensors(make_pair_batch(pairs, both, SourcePadding::left), torch::kCPU);
  EXPECT_EQ(mask_of(left.source_padding_BN),
            (Mask{{false, false, false, false}, {true, true, false, false}}));
  EXPECT_EQ(mask_of(left.target_padding_BT), mask_of(right.target_padding_BT));
  const PairTensors full = to_tensors(make_pair_batch(pairs, first), torch::kCPU);
  EXPECT_FALSE(full.source_padding_BN.defined() || full.target_padding_BT.defined());
}

TEST(SourceTensors, ArePaddedByLengthsOnTheRight) {
  const SourceTensors sources = source_tensors({{eos}, {pad, 5, eos}}, torch::kCPU);
  EXPECT_EQ(mask_of(sources.padding_BN), (Mask{{false, true, true}, {false, false, false}}));
}

}  // namespace
}  // namespace attnlab
