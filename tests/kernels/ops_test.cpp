// Every operator against the same formula in double precision, forward and backward, with and without
// dropout. The native code runs in fp32 only, so a double input takes the composed path: two implementations
// of one formula.
#include "kernels/ops.h"

#include <gtest/gtest.h>

#include "kernels/few_rows.h"
#include "kernels/relative_error.h"
#include "kernels/simd/simd.h"

namespace attnlab {
namespace {

using Inputs = std::vector<Tensor>;
using Function = std::function<Tensor(const Inputs&)>;

Tensor random(at::IntArrayRef shape) { return torch::randn(shape); }

/// Runs `native` in fp32 and `reference` in double on the same inputs and the same random output gradient;
/// compares the output and the gradient of every input.
void expect_same(const Function& native, const Function& reference, const Inputs& inputs,
                 double tolerance = 2e-5) {
  Inputs single, twice;
  for (const Tensor& x : inputs) {
    single.push_back(x.clone().set_requires_grad(true));
    twice.push_back(x.to(torch::kDouble).set_requires_grad(true));
  }
  const Tensor got = native(single), want = reference(twice);
  const Tensor gradient = torch::randn(want.sizes());
  got.backward(gradient);
  want.backward(gradient.to(torch::kDouble));
  EXPECT_LT(relative_error(got.detach(), want.detach()), tolerance) << "output";
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!twice[i].grad().defined()) continue;
    ASSERT_TRUE(single[i].grad().defined()) << "gradient of input " << i;
    EXPECT_LT(relative_error(single[i].grad(), twice[i].grad()), tolerance) << "gradient of input " << i;
  }
}

class WithAndWithoutDropout : public testing::TestWithParam<double> {
 protected:
  void SetUp() override { torch::manual_seed(7); }
  Drop drop(int64_t seed = 11) const { return {GetParam(), seed}; }
};
INSTANTIATE_TEST_SUITE_P(Kernels, WithAndWithoutDropout, testing::Values(0.0, 0.3));

TEST_P(WithAndWithoutDropout, AddNormMatchesTheFormula) {
  for (const int64_t d : {8, 64, 200, 256}) {
    const Inputs in = {random({3, 700, d}), random({3, 700, d}), 1 + 0.1 * random({d}), random({d})};
    expect_same([&](const Inputs& x) { return add_norm(x[0], x[1], drop(), x[2], x[3], 1e-5); },
                [&](const Inputs& x) {
                  return torch::layer_norm(x[0] + x[1] * dropout_mask(x[1], drop()), {d}, x[2], x[3], 1e-5);
                },
                in);
  }
}

TEST_P(WithAndWithoutDropout, AddNormKeepsTheSumWhereAWeightIsTooSmallToDivideBy) {
  Inputs in = {random({2, 5, 16}), random({2, 5, 16}), 1 + 0.1 * random({16}), random({16})};
  in[2][3] = 0.0;
  expect_same([&](const Inputs& x) { return add_norm(x[0], x[1], drop(), x[2], x[3], 1e-5); },
              [&](const Inputs& x) { return add_norm(x[0], x[1], drop(), x[2], x[3], 1e-5); }, in);
}

TEST_P(WithAndWithoutDropout, AddNormWithoutResidual) {
  expect_same([&](const Inputs& x) { return add_norm({}, x[0], drop(), x[1], x[2], 1e-5); },
              [&](const Inputs& x) { return add_norm({}, x[0], drop(), x[1], x[2], 1e-5); },
              {random({4, 9, 32}), 1 + 0.1 * random({32}), random({32})});
}

TEST_P(WithAndWithoutDropout, FeedForwardMatchesTheFormula) {
  // The second is large enough for the products of linear.h.
  const Inputs small = {random({2, 650, 24}), random({96, 24}) * 0.2, random({96}), random({24, 96}) * 0.1,
                        random({24})};
  const Inputs large = {random({2, 650, 256}), random({512, 256}) * 0.06, random({512}),
                        random({256, 512}) * 0.04, random({256})};
  for (const auto& [act, recompute, in] : {std::tuple(Activation::relu, false, &small),
                                           {Activation::relu, true, &small},
                                           {Activation::gelu, false, &small},
                                           {Activation::gelu, true, &small},
                                           {Activation::gelu, false, &large},
                                           {Activation::relu, true, &large}})
    expect_same(
        [&](const Inputs& x) { return feed_forward(x[0], x[1], x[2], x[3], x[4], act, drop(), recompute); },
        [&](const Inputs& x) {
          const Tensor h = torch::linear(x[0], x[1], x[2]);
          const Tensor a = act == Activation::gelu ? torch::gelu(h) : torch::relu(h);
          return torch::linear(a * dropout_mask(a, drop()), x[3], x[4]);
        },
        *in);
}

TEST_P(WithAndWithoutDropout, PackRowsMatchesTheFormula) {
  const int64_t batch = 3, n = 1100, d = 24, r = 12;
  const auto formula = [&](const Inputs& x, const Tensor& bias) {
    Tensor scores = torch::matmul(x[0], x[1].transpose(1, 2));
    if (bias.defined()) scores = scores + bias.unsqueeze(1);
    const Tensor a = torch::softmax(scores, -1);
    const Tensor kept = a * dropout_mask(a, drop());
    return torch::cat({torch::matmul(kept, x[1]), kept.sum(-1, true)}, -1);
  };
  const auto native = [&](const Inputs& x, const Tensor& bias) {
    const Packed packed = pack_rows(x[0], x[1], bias, drop());
    return torch::cat({packed.z_BRD, packed.total_BR.unsqueeze(-1)}, -1);
  };
  Tensor bias = torch::zeros({batch, n});
  bias[1].slice(0, 700) = -std::numeric_limits<float>::infinity();    // padded on the right
  bias[2].slice(0, 0, 40) = -std::numeric_limits<float>::infinity();  // and on the left
  for (const Tensor& mask : {Tensor(), bias})
    expect_same([&](const Inputs& x) { return native(x, mask); },
                [&](const Inputs& x) { return formula(x, mask); },
                {random({batch, r, d}) * 0.3, random({batch, n, d})});
}

TEST_P(WithAndWithoutDropout, UnpackRowsMatchesTheFormula) {
  const int64_t batch = 2, n = 1030, d = 24, groups = 3, l = 5, r = groups * l;
  Tensor slots = torch::zeros({batch, groups, l});
  slots[1].slice(1, 3) = -std::numeric_limits<float>::infinity();
  const auto formula = [&](const Inputs& x) {
    const Tensor scores = torch::matmul(x[0], x[1].transpose(1, 2)) + (x[2] + slots.flatten(1)).unsqueeze(1);
    const Tensor u = torch::softmax(scores.unflatten(-1, {groups, l}), -1).flatten(2);
    return torch::matmul(u * dropout_mask(u, drop()), x[3]) + x[4];
  };
  expect_same(
      [&](const Inputs& x) {
        return unpack_rows(x[0], x[1], x[2] + slots.flatten(1), x[3], x[4], groups, drop());
      },
      formula,
      {random({batch, n, d}), random({batch, r, d}) * 0.3, random({batch, r}), random({batch, r, d}),
       random({d})});
}

TEST_P(WithAndWithoutDropout, WeightedAttentionMatchesTheTextbook) {
  for (const auto& [n, m] : {std::pair<int64_t, int64_t>{7, 1200}, {1200, 7}, {300, 300}, {7, 9}, {50, 41}}) {
    Tensor padding = torch::zeros({2, m}, torch::kBool);
    padding[1].slice(0, m - 3) = true;
    const Tensor bias = torch::zeros({2, m}).masked_fill(padding, -std::numeric_limits<float>::infinity());
    expect_same([&](const Inputs& x) { return weighted_attention(x[0], x[1], x[2], 4, bias, drop()); },
                [&](const Inputs& x) { return textbook_attention(x[0], x[1], x[2], 4, padding, drop()); },
                {random({2, n, 32}), random({2, m, 32}), random({2, m, 32})});
  }
}

TEST_P(WithAndWithoutDropout, CausalWeightedAttentionReadsWhatStandsBefore) {
  for (const int64_t n : {1, 9, 64, 300}) {
    Tensor bias = torch::zeros({2, n});
    if (n > 3) bias[1].slice(0, n - 3) = -1e9;  // padded
    const Tensor after = torch::ones({n, n}, torch::kBool).triu_(1);
    const auto formula = [&](const Inputs& x) {
      const auto split = [](const Tensor& y) { return y.unflatten(-1, {4, 8}).transpose(1, 2); };
      const Tensor scores =
          split(x[0]).matmul(split(x[1]).transpose(-2, -1)) / std::sqrt(8.0) + bias.unsqueeze(1).unsqueeze(1);
      const Tensor a = scores.masked_fill(after, -std::numeric_limits<double>::infinity()).softmax(-1);
      return (a * dropout_mask(a, drop())).matmul(split(x[2])).transpose(1, 2).flatten(2);
    };
    expect_same(
        [&](const Inputs& x) {
          return weighted_attention(x[0], x[1], x[2], 4, bias, drop(), /*causal=*/true);
        },
        formula, {random({2, n, 32}), random({2, n, 32}), random({2, n, 32})});
  }
}

TEST(Dropout, KeepsTheRightShareAndTheMean) {
  const Tensor mask = dropout_mask(torch::empty({1 << 20}), {0.3, 5});
  const double kept = (mask > 0).to(torch::kDouble).mean().item<double>();
  EXPECT_NEAR(kept, 0.7, 4 * std::sqrt(0.21 / (1 << 20)));  // four standard deviations
  EXPECT_NEAR(mask.max().item<float>(), 1 / 0.7, 1e-4);
}

TEST(Dropout, IsAFunctionOfSeedAndPositionAlone) {
  const Tensor x = torch::ones({100000});
  EXPECT_TRUE(torch::equal(dropout(x, {0.5, 9}), dropout(x, {0.5, 9})));
  EXPECT_FALSE(torch::equal(dropout(x, {0.5, 9}), dropout(x, {0.5, 10})));
  EXPECT_TRUE(torch::equal(dropout(x, {0.5, 9}).slice(0, 0, 777), dropout(x.slice(0, 0, 777), {0.5, 9})));
}

TEST(Dropout, ReplaysFromTorchsGenerator) {
  torch::manual_seed(3);
  const Drop first = Drop::draw(0.1, true);
  torch::manual_seed(3);
  EXPECT_EQ(Drop::draw(0.1, true).seed, first.seed);
  EXPECT_NE(Drop::draw(0.1, true).seed, first.seed);
  EXPECT_FALSE(Drop::draw(0.1, false).active());
}

// Known-answer vectors of Random123 1.09 (kat_vectors, philox4x32 10): counter 0, key 0 begins 6627e8d5
// e169c58d.
TEST(Dropout, IsPhilox) {
  MaskSpec spec;
  spec.seed = 0;
  spec.scale = 1.0f;
  const uint32_t words[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  for (int word = 0; word < 4; ++word)
    for (int half = 0; half < 2; ++half) {
      const uint32_t bits = (words[word] >> (16 * half)) & 0xFFFF;
      const int64_t element = 32 * word + 16 * half;  // block 0 is lane 0 of its group
      float kept = 0;
      spec.threshold = bits;
      simd().mask(spec, element, 1, &kept);
      EXPECT_EQ(kept, 1.0f) << "word " << word << " half " << half << " is at least " << bits;
      spec.threshold = bits + 1;
      simd().mask(spec, element, 1, &kept);
      EXPECT_EQ(kept, 0.0f) << "word " << word << " half " << half << " is at most " << bits;
    }
}

TEST(Simd, SoftmaxOfNothingVisibleIsZeroRatherThanNan) {
  std::vector<float> x(20, 1.0f), bias(20, -std::numeric_limits<float>::infinity());
  simd().softmax(20, 1.0f, bias.data(), x.data());
  for (const float v : x) EXPECT_EQ(v, 0.0f);
}

TEST(Simd, SoftmaxPassesNanOn) {
  std::vector<float> x(20, 1.0f);
  x[3] = std::numeric_limits<float>::quiet_NaN();
  simd().softmax(20, 1.0f, nullptr, x.data());
  EXPECT_TRUE(std::isnan(x[0]) || std::isnan(x[3]));
}

TEST(Simd, SoftmaxDoesNotTakeARowOfNanForAMaskedOne) {
  std::vector<float> x(20, std::numeric_limits<float>::quiet_NaN());
  simd().softmax(20, 1.0f, nullptr, x.data());
  for (const float v : x) EXPECT_TRUE(std::isnan(v));
}

}  // namespace
}  // namespace attnlab
