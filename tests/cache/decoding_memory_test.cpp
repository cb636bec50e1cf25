// While it decodes a cache neither grows nor is copied: what a step allocates is its own queries, keys and
// outputs.
#include <gtest/gtest.h>
#include <malloc.h>

#include "cache/cache_options.h"
#include "core/memory.h"

namespace attnlab {
namespace {

constexpr StateShape wide_shape{.layers = 1, .heads = 4, .kv_heads = 2, .head_dim = 32};
constexpr int64_t batch = 3, kept = 128, steps = 300;

NewTokens next_token(int64_t position) {
  NewTokens token;
  token.q_BTHd = torch::randn({batch, 1, wide_shape.heads, wide_shape.head_dim});
  token.k_BTKd = torch::randn({batch, 1, wide_shape.kv_heads, wide_shape.head_dim});
  token.v_BTKd = torch::randn_like(token.k_BTKd);
  token.positions_BT = torch::full({batch, 1}, position, torch::kLong);
  return token;
}

class DecodingMemory : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Policies, DecodingMemory,
                         testing::Values("full", "window", "tova", "h2o", "scissorhands", "knorm", "random"));

TEST_P(DecodingMemory, StaysAsItIs) {
  install_counting_allocator();
  torch::manual_seed(5);
  CacheOptions options;
  ASSERT_TRUE(options.policy.select(GetParam()));
  options.size = kept;
  const bool bounded = !options.policy->unbounded();
  const int64_t read = 2 * kept, total = read + steps + 1;
  DecoderState states =
      make_states(options, wide_shape, {.batch = batch, .record_expiry = false, .expected = total});
  LayerState& state = *states.front();
  Rope rope(wide_shape.head_dim, 10000.0);
  rope.reserve(total);
  int64_t position = 0;
  for (; position <= read; ++position) state.attend(next_token(position), rope);

  const int64_t cache = state.bytes();
  EXPECT_EQ(cache, 4 * 2 * batch * wide_shape.kv_heads * wide_shape.head_dim * (bounded ? kept + 1 : total));
  const int64_t held = tensor_bytes();
  reset_tensor_bytes_peak();
  const std::size_t heap = mallinfo2().uordblks;
  for (; position < total; ++position) state.attend(next_token(position), rope);
  EXPECT_EQ(state.bytes(), cache);
  EXPECT_EQ(tensor_bytes(), held);
  EXPECT_LT(tensor_bytes_peak() - held, cache / 8) << "a copy of keys or values was made";
  EXPECT_LT(mallinfo2().uordblks, heap + 4096) << "of the whole process";
}

}  // namespace
}  // namespace attnlab
