// Attention of texts that go on from one another, against each text's own keys and values kept apart.
#include "kernels/beam_attention.h"

#include <gtest/gtest.h>

#include "kernels/relative_error.h"

namespace attnlab {
namespace {

using torch::Tensor;

constexpr int64_t kHeads = 3, kDim = 15;

/// Keys and values of each text in a tensor of its own, copied wherever a text goes on from another.
struct ApartTexts {
  Tensor keys_RTD, values_RTD;

  void add(const Tensor& key_RD, const Tensor& value_RD) {
    const auto behind = [](const Tensor& all, const Tensor& one_RD) {
      return all.defined() ? torch::cat({all, one_RD.unsqueeze(1)}, 1) : one_RD.unsqueeze(1);
    };
    keys_RTD = behind(keys_RTD, key_RD);
    values_RTD = behind(values_RTD, value_RD);
  }
  void select(const Tensor& rows_R) {
    keys_RTD = keys_RTD.index_select(0, rows_R);
    values_RTD = values_RTD.index_select(0, rows_R);
  }
  Tensor attend(const Tensor& q_RD) const {
    const auto heads = [](const Tensor& all_RTD) {
      return all_RTD.unflatten(-1, {kHeads, -1}).transpose(1, 2);
    };
    return at::scaled_dot_product_attention(heads(q_RD.unsqueeze(1)), heads(keys_RTD), heads(values_RTD))
        .transpose(1, 2)
        .flatten(1);
  }
};

/// Sentences of two texts each: some leave and texts change places, then twice as many come, so that tokens
/// cross blocks and a block is filled by fewer rows than it has, or left.
void expect_texts_apart(torch::Dtype type, double tolerance) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  BeamCache cache;
  ApartTexts apart;
  int64_t rows = 8;
  for (int64_t t = 0; t < 3 * BeamBlock::kPlaces + 5; ++t) {
    const auto draw = [&] { return torch::randn({rows, kDim}, type); };
    const Tensor q = draw(), key = draw(), value = draw();
    cache.add(key, value, kHeads);
    apart.add(key, value);
    const Tensor got = beam_attention(q, cache, /*beam=*/2);
    EXPECT_LT(relative_error(got, apart.attend(q)), tolerance) << "token " << t;
    const int64_t before = rows;
    if (t == 10) rows = 6;
    if (t == 20) rows = 4;
    if (t == 30) rows = 8;
    const Tensor from_R = torch::randint(before, {rows}, torch::kLong);
    cache.select(from_R);
    apart.select(from_R);
  }
}

TEST(BeamAttention, ReadsWhatEachTextHolds) { expect_texts_apart(torch::kFloat, 1e-5); }

TEST(BeamAttention, ReadsTheSameInDouble) { expect_texts_apart(torch::kDouble, 1e-12); }

TEST(BeamAttention, CountsWhatItAllocates) {
  BeamCache cache;
  const Tensor one_RD = torch::zeros({4, kDim});
  cache.add(one_RD, one_RD, kHeads);
  EXPECT_EQ(cache.bytes(), (2 * 4 * kDim * BeamBlock::kPlaces + 4) * int64_t{sizeof(float)});
}

/// Texts of a sentence beside one another over its source, some of which is padding.
void expect_context(torch::Dtype type, double tolerance) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(2);
  for (const int64_t texts : {1, 4, 5})
    for (const bool padded : {false, true}) {
      const Tensor q = torch::randn({3, texts, kHeads, 5}, type).transpose(1, 2);
      const Tensor k = torch::randn({3, kHeads, 21, 5}, type), v = torch::randn({3, kHeads, 21, 5}, type);
      Tensor bias, mask = torch::zeros({3, 21}, torch::kDouble);
      mask.select(0, 1).slice(0, 9).fill_(-1e9);
      if (padded) bias = mask.to(type);
      const auto twice = [](const Tensor& t) { return t.to(torch::kDouble); };
      const Tensor want = at::scaled_dot_product_attention(
          twice(q), twice(k), twice(v), padded ? std::optional(mask.view({3, 1, 1, 21})) : std::nullopt);
      const Tensor got = context_attention(q, k, v, bias);
      EXPECT_EQ(got.sizes(), (std::vector<int64_t>{3, texts, kDim}));
      EXPECT_LT(relative_error(got, want.transpose(1, 2).flatten(2)), tolerance) << texts << padded;
    }
}

TEST(ContextAttention, IsThatOfEachTextByItself) {
  expect_context(torch::kDouble, 1e-12);
  expect_context(torch::kFloat, 1e-6);
}

}  // namespace
}  // namespace attnlab
