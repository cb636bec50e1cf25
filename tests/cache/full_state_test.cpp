// The full cache: plain attention over all tokens, in whatever calls they come.
#include "cache/full_state.h"

#include <gtest/gtest.h>

#include "cache/policies/full.h"
#include "cache/states.h"
#include "cuda_libraries.h"

namespace attnlab {
namespace {

/// The full cache against the reference with room for everything.
void expect_full(const StateShape& s, std::vector<int64_t> lengths, bool left, std::vector<int64_t> calls,
                 torch::Dtype type) {
  const Texts texts = make_texts(s, std::move(lengths), left, type);
  const int64_t batch = texts.tokens.q_BTHd.size(0), n = texts.tokens.q_BTHd.size(1);
  const auto state = one_state(CacheOptions(), s, {.batch = batch, .dtype = type});
  const Tensor y = feed(*state, texts.tokens, std::move(calls));
  EXPECT_TRUE(y.isfinite().all().item<bool>());
  reference::Setting setting;
  setting.size = n + 1;
  setting.sliding_window = s.sliding_window;
  // What leaves a model's window is no decision of a cache: only outputs are compared.
  for (int64_t b = 0; b < batch; ++b) {
    const reference::Outcome expected = reference::run(text_of(texts, b), setting, keep_all);
    for (int64_t t = 0; t < texts.lengths[b]; ++t)
      for (int64_t h = 0; h < s.heads; ++h)
        for (int64_t c = 0; c < s.head_dim; ++c)
          ASSERT_NEAR(y[b][texts.start(b) + t][h][c].item<double>(), expected.y[t][h][c],
                      type == torch::kDouble ? 1e-11 : 1e-5)
              << "text " << b << ", token " << t;
  }
}

TEST(FullState, IsPlainCausalAttention) {
  for (const auto type : {torch::kDouble, torch::kFloat}) {
    expect_full(small_shape, {30}, false, {30}, type);
    expect_full(small_shape, {30}, false, {11, 1, 1, 16, 1}, type);
    expect_full(small_shape, {20}, false, one_by_one(1, 20), type);
  }
}
TEST(FullState, LeavesPaddingOut) {
  for (const auto type : {torch::kDouble, torch::kFloat})
    for (const bool left : {false, true}) {
      expect_full(small_shape, {9, 20, 1}, left, {20}, type);
      expect_full(small_shape, {9, 20, 1}, left, {6, 1, 12, 1}, type);
      expect_full(small_shape, {9, 15, 1}, left, one_by_one(4, 15), type);
    }
}
TEST(FullState, SeesNoFurtherThanTheModelsWindow) {
  StateShape windowed = small_shape;
  windowed.sliding_window = 7;
  for (const auto type : {torch::kDouble, torch::kFloat}) {
    expect_full(windowed, {25}, false, {25}, type);
    expect_full(windowed, {6, 20}, true, {12, 1, 1, 6}, type);
    expect_full(windowed, {20}, false, one_by_one(3, 20), type);
  }
}

/// Later slices go through flash attention's own operator in bf16, and through masks in fp32.
TEST(FullState, CudaReadsSlicesAsItReadsTheWhole) {
  ATTNLAB_NEEDS_CUDA();
  const StateShape wide{.layers = 1, .heads = 8, .kv_heads = 2, .head_dim = 128};
  for (const auto& [type, tolerance] : {std::pair{torch::kBFloat16, 2e-2}, {torch::kFloat, 1e-5}}) {
    const StateRun there{.batch = 2, .dtype = type, .device = torch::kCUDA};
    NewTokens tokens = make_texts(wide, {3000, 3000}, false, type).tokens;
    for (Tensor* x : {&tokens.q_BTHd, &tokens.k_BTKd, &tokens.v_BTKd, &tokens.positions_BT}) *x = x->cuda();
    tokens.padding_BT.reset();
    const Tensor whole = feed(*one_state(CacheOptions(), wide, there), tokens, {3000}),
                 sliced = feed(*one_state(CacheOptions(), wide, there), tokens, {1000, 1999, 1});
    EXPECT_TRUE(torch::allclose(sliced, whole, tolerance, tolerance))
        << (sliced - whole).abs().max().item<float>();
  }
}

TEST(FullState, AnswersAStepAlikeWithTorchsAttention) {
  StateShape windowed = small_shape;
  windowed.sliding_window = 7;
  CacheOptions with_torch;
  with_torch.policy.select("full");
  dynamic_cast<FullOptions&>(*with_torch.policy).step = FullStep::torch;
  for (const StateShape& s : {small_shape, windowed}) {
    const Texts texts = make_texts(s, {20, 11}, true, torch::kFloat);
    const auto native = one_state(CacheOptions(), s, {.batch = 2});
    const auto torch_state = one_state(with_torch, s, {.batch = 2});
    const auto calls = one_by_one(3, 20);
    const Tensor seen = texts.tokens.padding_BT.logical_not().unsqueeze(-1).unsqueeze(-1);
    const Tensor a = feed(*native, texts.tokens, calls) * seen,
                 b = feed(*torch_state, texts.tokens, calls) * seen;
    EXPECT_LT((a - b).abs().max().item<double>(), 2e-6);
    EXPECT_FALSE(torch::equal(a, b)) << "two ways of adding up give two roundings";
  }
}

TEST(FullState, MakesRoomForTheTokensThatAreExpected) {
  const Texts texts = make_texts(small_shape, {20}, false, torch::kFloat);
  const auto state = one_state(CacheOptions(), small_shape, {.batch = 1, .expected = 20});
  const int64_t bytes_a_token = 4 * 2 * small_shape.kv_heads * small_shape.head_dim;
  feed(*state, texts.tokens, {5});
  EXPECT_EQ(state->bytes(), 20 * bytes_a_token);
}

}  // namespace
}  // namespace attnlab
