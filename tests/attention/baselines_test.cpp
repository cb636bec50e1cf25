// What single baselines promise beyond the matrix.
#include <gtest/gtest.h>

#include "attention/flush.h"
#include "attention/linformer.h"
#include "attention/local.h"
#include "attention/performer.h"
#include "attention/softmax.h"
#include "attention/synthesizer.h"
#include "core/error.h"

namespace attnlab {
namespace {

std::string refusal(AttentionImpl& attention, int64_t n) {
  try {
    const Tensor x = torch::randn({1, n, 8});
    attention.forward(x, x, {}, {});
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(FixedLength, LinformerAndSynthesizerSayWhatTheyWereBuiltFor) {
  const AttentionShape shape{.dim = 8, .heads = 2, .max_length = 9};
  EXPECT_NE(refusal(*LinformerOptions().build(shape), 10)
                .find("linformer has weights for 9 positions and got a sequence of 10"),
            std::string::npos);
  EXPECT_NE(refusal(*SynthesizerOptions().build(shape), 11)
                .find("synthesizer has weights for 9 positions and got a sequence of 11"),
            std::string::npos);
  EXPECT_EQ(refusal(*LinformerOptions().build(shape), 9), "");
}

/// As on a GPU, where the lengths are not asked for.
TEST(Flush, MovesTheSameTokensWithoutLooking) {
  torch::manual_seed(3);
  const Tensor x = torch::randn({3, 7, 2});
  for (const bool left : {false, true}) {
    Tensor padding = torch::zeros({3, 7}, torch::kBool);
    for (const auto& [b, length] : {std::pair<int64_t, int64_t>{0, 5}, {1, 2}, {2, 4}})
      padding[b].narrow(0, left ? 0 : length, 7 - length).fill_(true);
    const Flush looks(padding, 7, true), does_not(padding, 7, false);
    EXPECT_EQ(looks.length(), 5);
    EXPECT_EQ(does_not.length(), 7);
    const Tensor seen = looks.padding().logical_not().unsqueeze(-1);
    EXPECT_TRUE((looks.left(x) * seen).equal((does_not.left(x).narrow(1, 0, 5) * seen)));
    EXPECT_TRUE(does_not.padding().narrow(1, 0, 5).equal(looks.padding()));
    EXPECT_TRUE(does_not.padding().narrow(1, 5, 2).all().item<bool>());
    EXPECT_TRUE(does_not.back(does_not.left(x)).equal(x));
  }
}

/// Copies the four projections that softmax attention and `other` have in common.
void copy_projections(AttentionImpl& from, AttentionImpl& to) {
  torch::NoGradGuard no_grad;
  auto target = to.named_parameters();
  for (const auto& p : from.named_parameters())
    if (target.contains(p.key())) target[p.key()].copy_(p.value());
}

double largest_difference(AttentionImpl& a, AttentionImpl& b, const Tensor& x) {
  torch::NoGradGuard no_grad;
  return (a.forward(x, x, {}, {}).y_BND - b.forward(x, x, {}, {}).y_BND).abs().max().item<double>();
}

TEST(Local, WithABlockAsLongAsTheTextIsSoftmaxAttention) {
  torch::manual_seed(1);
  const AttentionShape shape{.dim = 8, .heads = 2, .max_length = 9};
  LocalOptions options;
  options.block = 9;
  options.neighbours = 0;
  auto local = options.build(shape), softmax = SoftmaxOptions().build(shape);
  copy_projections(*softmax, *local);
  EXPECT_LT(largest_difference(*softmax, *local, torch::randn({2, 9, 8})), 1e-6);
}

// Choromanski et al. 2021, §2.3: the error falls as the root of the number of features.
TEST(Performer, ApproachesSoftmaxAttentionAsFeaturesGrow) {
  const AttentionShape shape{.dim = 8, .heads = 2, .max_length = 32};
  torch::manual_seed(2);
  auto softmax = SoftmaxOptions().build(shape);
  const Tensor x = torch::randn({2, 32, 8});
  const auto error = [&](int64_t features) {
    PerformerOptions options;
    options.features = features;
    constexpr int draws = 100;  // few features err by very different amounts from draw to draw
    double sum = 0;
    for (int draw = 0; draw < draws; ++draw) {
      auto performer = options.build(shape);
      copy_projections(*softmax, *performer);
      torch::NoGradGuard no_grad;
      sum += (softmax->forward(x, x, {}, {}).y_BND - performer->forward(x, x, {}, {}).y_BND)
                 .square()
                 .mean()
                 .sqrt()
                 .item<double>();
    }
    return sum / draws;
  };
  const double few = error(8), many = error(512);
  // The root of 512 / 8 is 8; the constant added to each feature, and draws of 8 features that all miss,
  // leave 4.0 to 4.6 (six seeds).
  EXPECT_LT(many, few / 3.5) << "errors " << few << " and " << many;
}

TEST(Performer, DrawsOrthogonalFeaturesWithGaussianLengths) {
  torch::manual_seed(3);
  PerformerOptions options;
  options.features = 6;
  auto performer = options.build({.dim = 8, .heads = 2});
  const Tensor omega = performer->named_buffers()["features"];
  const Tensor gram = omega.narrow(0, 0, 4).matmul(omega.narrow(0, 0, 4).t());
  EXPECT_LT((gram - gram.diagonal().diag()).abs().max().item<double>(), 1e-5);
  EXPECT_GT(omega.norm(2, 1).std().item<double>(), 0.05);
}

// One projection for keys and values is k·n weights a layer less (Wang et al. 2020, §4).
TEST(Linformer, SharedProjectionsHoldHalfTheCompressionWeights) {
  const auto count = [](bool shared) {
    LinformerOptions options;
    options.projected_length = 3;
    options.share_projections = shared;
    int64_t n = 0;
    for (const auto& p : options.build({.dim = 8, .heads = 2, .max_length = 9})->parameters()) n += p.numel();
    return n;
  };
  EXPECT_EQ(count(true), 4 * (8 * 8 + 8) + 3 * 9);
  EXPECT_EQ(count(false), 4 * (8 * 8 + 8) + 2 * 3 * 9);
}

}  // namespace
}  // namespace attnlab
