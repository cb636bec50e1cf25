#include "attention/luna.h"

#include <gtest/gtest.h>

#include "attention/softmax.h"
#include "core/memory.h"
#include "kernels/luna.h"

namespace attnlab {
namespace {

LunaOptions luna(int64_t l, bool tied = false, bool dynamic = true) {
  LunaOptions options;
  options.projection_length = l;
  options.tie_kv = tied;
  options.dynamic_projection = dynamic;
  options.kernel = LunaOptions::Kernel::plain;
  return options;
}

std::vector<std::string> names_of(const torch::nn::Module& module) {
  std::vector<std::string> names;
  for (const auto& p : module.named_parameters()) names.push_back(p.key());
  return names;
}

int64_t count(const torch::nn::Module& module) {
  int64_t sum = 0;
  for (const auto& p : module.parameters()) sum += p.numel();
  return sum;
}

/// bool [B, n], true where padded on the right.
Tensor padding_of(const std::vector<int64_t>& lengths, int64_t n) {
  return torch::arange(n).unsqueeze(0).ge(torch::tensor(lengths).unsqueeze(1));
}

TEST(Luna, HasSevenLinearsUntiedAndFiveTied) {
  const AttentionShape shape{.dim = 8, .heads = 2};
  const auto untied = luna(4).build(shape), tied = luna(4, true).build(shape);
  EXPECT_EQ(count(*untied), 7 * (8 * 8 + 8));
  EXPECT_EQ(count(*tied), 5 * (8 * 8 + 8));
  EXPECT_EQ(names_of(*tied),
            (std::vector<std::string>{"pack_query.weight", "pack_query.bias", "pack_key_value.weight",
                                      "pack_key_value.bias", "query.weight", "query.bias", "key_value.weight",
                                      "key_value.bias", "output.weight", "output.bias"}));
  EXPECT_EQ(names_of(*untied).at(2), "pack_key.weight");
}

TEST(Luna, CutsTheStateToTheLongestSentence) {
  const auto attention = luna(6).build({.dim = 8, .heads = 2});
  EXPECT_EQ(attention->state_extent({}, 4).rows, 4);
  EXPECT_EQ(attention->state_extent({}, 9).rows, 6);
  EXPECT_FALSE(attention->state_extent({}, 4).masked_BL.defined());
  // Padded to 9 tokens, but no sentence has more than 5.
  const StateExtent extent = attention->state_extent(padding_of({5, 2}, 9), 9);
  EXPECT_EQ(extent.rows, 5);
  EXPECT_TRUE(torch::equal(extent.masked_BL, padding_of({5, 2}, 5)));
}

TEST(Luna, MasksNoSlotWhereEverySentenceIsAtLeastAsLongAsTheState) {
  const auto attention = luna(3).build({.dim = 8, .heads = 2});
  EXPECT_FALSE(attention->state_extent(padding_of({5, 3}, 5), 5).masked_BL.defined());
}

TEST(Luna, UsesAllOfTheStateWithoutDynamicProjection) {
  const auto attention = luna(6, false, false).build({.dim = 8, .heads = 2});
  const StateExtent extent = attention->state_extent(padding_of({5, 2}, 5), 5);
  EXPECT_EQ(extent.rows, 6);
  EXPECT_FALSE(extent.masked_BL.defined());
}

/// Tensors without numbers, of which none could be asked for.
TEST(Luna, DoesNotLookAtLengthsThatAreNotOnTheHost) {
  const auto attention = luna(6).build({.dim = 8, .heads = 2});
  for (const auto& [n, rows] : {std::pair(9, 6), std::pair(4, 4)}) {
    const StateExtent extent = attention->state_extent(padding_of({3, 2}, n).to(torch::kMeta), n);
    EXPECT_EQ(extent.rows, rows);
    EXPECT_EQ(extent.masked_BL.sizes(), (std::vector<int64_t>{2, rows}));
  }
}

/// Outputs at tokens and at rows of P that are read, then gradients of x, of those rows and of all weights.
std::vector<Tensor> passed_with(const StateExtent& extent, LunaOptions options, const Tensor& padding_BN) {
  torch::manual_seed(8);
  const auto attention = options.build({.dim = 8, .heads = 2});
  const int64_t batch = padding_BN.size(0), n = padding_BN.size(1);
  const Tensor x_BND = torch::randn({batch, n, 8}).requires_grad_(),
               p_BLD = torch::randn({batch, 6, 8}).requires_grad_();
  const Tensor real_BN1 = padding_BN.logical_not().unsqueeze(-1), lengths_B = real_BN1.flatten(1).sum(1);
  const Tensor is_read_BL1 = torch::arange(6).unsqueeze(0).lt(lengths_B.unsqueeze(1)).unsqueeze(-1);
  const AttentionOutput out = attention->forward(x_BND, x_BND, {padding_BN, padding_BN, extent.masked_BL},
                                                 p_BLD.narrow(1, 0, extent.rows));
  const Tensor y_BND = out.y_BND * real_BN1,
               packed_BLD = torch::constant_pad_nd(out.state_BLD, {0, 0, 0, 6 - extent.rows}) * is_read_BL1;
  (y_BND.square().sum() + packed_BLD.square().sum()).backward();
  std::vector<Tensor> all = {y_BND.detach(), packed_BLD.detach(), x_BND.grad(), p_BLD.grad()};
  for (const Tensor& weight : attention->parameters())  // a key's bias changes nothing, and may have none
    all.push_back(weight.grad().defined() ? weight.grad() : torch::zeros_like(weight));
  return all;
}

/// As on a GPU, which has more rows of P than the longest sentence, against the extent that was looked at.
TEST(Luna, RowsThatNoSentenceReadsChangeNothing) {
  const std::vector<int64_t> lengths = {4, 1, 3};
  for (const bool left : {false, true})
    for (const auto kernel :
         {LunaOptions::Kernel::plain, LunaOptions::Kernel::sdpa, LunaOptions::Kernel::automatic}) {
      SCOPED_TRACE(testing::Message() << "kernel " << static_cast<int>(kernel) << ", left " << left);
      LunaOptions options = luna(6);
      options.kernel = kernel;
      Tensor padding_BN = padding_of(lengths, 9);
      if (left) padding_BN = padding_BN.flip(1).contiguous();
      const StateExtent looked = options.build({.dim = 8, .heads = 2})->state_extent(padding_BN, 9),
                        unseen = LunaAttentionImpl::extent_unseen(torch::tensor(lengths), 6);
      ASSERT_EQ(looked.rows, 4);
      const auto want = passed_with(looked, options, padding_BN),
                 got = passed_with(unseen, options, padding_BN);
      ASSERT_EQ(got.size(), 4 + 14);
      for (std::size_t i = 0; i < want.size(); ++i)
        EXPECT_TRUE(torch::allclose(got[i], want[i], 1e-5, 1e-6)) << "tensor " << i;
    }
}

TEST(Luna, ReturnsThePackedStateRawAndUnpacksFromIt) {
  torch::manual_seed(1);
  const auto attention = luna(2).build({.dim = 8, .heads = 2});
  const Tensor x_BND = torch::randn({1, 5, 8}), p_BLD = torch::randn({1, 2, 8});
  torch::NoGradGuard no_grad;
  // With unpack's keys silent, every query reads the plain mean of the packed rows' values.
  auto named = attention->named_parameters();
  named["key.weight"].zero_();
  named["key.bias"].zero_();
  const AttentionOutput out = attention->forward(x_BND, x_BND, {}, p_BLD);
  const auto linear = [&](const char* name, const Tensor& x) {
    return torch::linear(x, named[std::string(name) + ".weight"], named[std::string(name) + ".bias"]);
  };
  const Tensor expected = linear("output", linear("value", out.state_BLD).mean(1, true)).expand_as(out.y_BND);
  EXPECT_TRUE(torch::allclose(out.y_BND, expected, 1e-5, 1e-6));
}

TEST(Luna, KeepsNoMapOnceForEveryText) {
  install_counting_allocator();
  const int64_t texts = 32, n = 32, l = 4, dim = 256, heads = 4;
  ASSERT_TRUE(luna_absorbs(dim, heads, l, n, n));
  LunaOptions options = luna(l);
  options.kernel = LunaOptions::Kernel::automatic;
  const auto attention = options.build({.dim = dim, .heads = heads});
  const Tensor x_BND = torch::randn({texts, n, dim}), p_BLD = torch::randn({texts, l, dim});
  const int64_t before = tensor_bytes();
  reset_tensor_bytes_peak();
  const AttentionOutput out = attention->forward(x_BND, x_BND, {}, p_BLD);
  (out.y_BND.sum() + out.state_BLD.sum()).backward();
  const int64_t one_map_per_text = texts * dim * dim * static_cast<int64_t>(sizeof(float));
  EXPECT_LT(tensor_bytes_peak() - before, one_map_per_text);
}

TEST(Luna, MovesFewerOperationsThanSoftmaxAtLength) {
  const AttentionShape shape{.dim = 256, .heads = 4};
  const auto plain = luna(16).build(shape), tied = luna(16, true).build(shape);
  const auto softmax = SoftmaxOptions().build(shape);
  const double n = 4096, l = 16, d = 256;
  EXPECT_DOUBLE_EQ(plain->flops(4096, 4096), 2 * (4 * n * d * d + 3 * l * d * d + 4 * n * l * d));
  EXPECT_DOUBLE_EQ(tied->flops(4096, 4096), 2 * (3 * n * d * d + 2 * l * d * d + 4 * n * l * d));
  EXPECT_DOUBLE_EQ(softmax->flops(4096, 4096), 2 * (4 * n * d * d + 2 * n * n * d));
}

}  // namespace
}  // namespace attnlab
