// One new token against its slots: threads that share the slots of a few long units give what one gives
// alone.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <limits>

#include "kernels/bounded_attention.h"

namespace attnlab {
namespace {

struct Answered {
  torch::Tensor y_BHd, shares_BKS;
};

Answered answered(int threads, torch::ScalarType stored, int64_t heads) {
  constexpr int64_t batch = 2, kv = 3, slots = 1500, d = 40;
  torch::manual_seed(5);
  const torch::Tensor q = torch::randn({batch, heads, d}), k = torch::randn({batch, kv, slots, d}).to(stored),
                      v = torch::randn({batch, kv, slots, d}).to(stored);
  std::vector<float> bias(slots, 0.0f);
  for (int64_t s = 0; s < slots; s += 7) bias[s] = -std::numeric_limits<float>::infinity();
  std::vector<const float*> seen(batch * kv, bias.data());
  std::vector<int64_t> extent(batch * kv, 1490);
  seen[1] = nullptr;  // a sequence without a token has none for any of its heads; here one is enough
  extent[4] = 3;
  const auto rows = [&](const torch::Tensor& x) {
    return stored == torch::kFloat
               ? StoredRows{.fp32 = x.const_data_ptr<float>()}
               : StoredRows{.bf16 = reinterpret_cast<const uint16_t*>(x.const_data_ptr<at::BFloat16>())};
  };
  Answered all{torch::full({batch, heads, d}, -1.0f), torch::zeros({batch, kv, slots})};
  std::vector<float> scratch;
  const int before = at::get_num_threads();
  at::set_num_threads(threads);
  attend_step({.shape = {heads, kv, d},
               .batch = batch,
               .slots = slots,
               .q = q.const_data_ptr<float>(),
               .k = rows(k),
               .v = rows(v),
               .bias = seen.data(),
               .extent = extent.data(),
               .y = all.y_BHd.mutable_data_ptr<float>(),
               .shares = all.shares_BKS.mutable_data_ptr<float>()},
              scratch);
  at::set_num_threads(before);
  return all;
}

TEST(AttentionStep, ThreadsThatShareUnitsGiveWhatOneGives) {
  for (const auto stored : {torch::kFloat, torch::kBFloat16})
    for (const int64_t heads : {3, 9, 15}) {
      const Answered alone = answered(1, stored, heads),
                     shared = answered(4, stored, heads);  // 6 units, 4 threads
      EXPECT_LT((alone.y_BHd - shared.y_BHd).abs().max().item<double>(), 1e-6) << heads;
      EXPECT_TRUE(torch::allclose(alone.shares_BKS, shared.shares_BKS, 1e-5)) << heads;
      EXPECT_EQ(shared.y_BHd[0].narrow(0, heads / 3, heads / 3).abs().max().item<double>(), 0.0) << heads;
    }
}

}  // namespace
}  // namespace attnlab
