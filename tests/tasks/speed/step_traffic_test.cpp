// What a step reads and writes at least, counted by hand.
#include "tasks/speed/step_traffic.h"

#include <gtest/gtest.h>

#include "attention/luna.h"
#include "attention/softmax.h"
#include "tasks/speed/step_estimate.h"

namespace attnlab {
namespace {

/// One layer of 8, fed forward through 16, a head of 32; 2 texts of 10 tokens.
StepSetting tiny(const std::string& attention, Precision precision) {
  StepSetting s;
  EncoderOptions& e = s.model.encoder;
  e.dim = 8;
  e.heads = 2;
  e.layers = 1;
  e.ffn_dim = 16;
  s.model.head_dim = 32;
  e.attention.select(attention);
  s.batch = 2;
  s.length = 10;
  s.device = torch::kCUDA;
  s.precision = precision;
  return s;
}

template <class Options>
Options& attention_of(StepSetting& s) {
  return dynamic_cast<Options&>(*s.model.encoder.attention);
}

// Two maps of the feed-forward layer, 20 rows: (20·8 + 20·16 + 8·16)·2; the head's, 2 rows: 2·8 + 2·32 +
// 8·32.
constexpr double around = (160 + 320 + 128) * 2 + (16 + 64 + 256);
constexpr double map_of_20 = 160 + 160 + 64, map_of_6 = 48 + 48 + 64;  // D × D, rows of the tokens and of P

TEST(StepTraffic, OfTheFusedTransformer) {
  StepSetting s = tiny("softmax", Precision::bf16);
  // q, k, v and output; q, k, v read and y written. Backward twice the maps, and eight tensors of attention.
  const double forward = 4 * map_of_20 + 4 * 160 + around,
               backward = 2 * 4 * map_of_20 + 8 * 160 + 2 * around;
  const StepTraffic bytes = step_traffic(s).value();
  EXPECT_EQ(bytes.infer_bytes, 2 * forward);
  EXPECT_EQ(bytes.train_bytes, 2 * (forward + backward) + 44 * estimate_step(s).parameters);
  s.precision = Precision::fp32;
  EXPECT_EQ(step_traffic(s).value().infer_bytes, 4 * forward);
}

TEST(StepTraffic, OfTheTextbooksTransformerHoldsWeights) {
  StepSetting s = tiny("softmax", Precision::fp32);
  const double fused = step_traffic(s).value().infer_bytes, fused_train = step_traffic(s).value().train_bytes;
  attention_of<SoftmaxOptions>(s).implementation = SoftmaxOptions::Implementation::eager;
  const double weights = 2 * 2 * 10 * 10;
  EXPECT_EQ(step_traffic(s).value().infer_bytes, fused + 4 * 4 * weights);
  EXPECT_EQ(step_traffic(s).value().train_bytes, fused_train + 4 * 11 * weights);
}

TEST(StepTraffic, OfLunaThroughThreeRows) {
  StepSetting s = tiny("luna", Precision::bf16);
  auto& luna = attention_of<LunaOptions>(s);
  luna.projection_length = 3;
  // 6 rows of P: pack's queries, unpack's keys and values; of the tokens: pack's keys and values, unpack's
  // queries and output. Pack reads P, k, v and writes P's rows, unpack the other way round.
  const double both = 2 * (2 * 48 + 2 * 160);
  const double forward = 3 * map_of_6 + 4 * map_of_20 + both + around;
  EXPECT_EQ(step_traffic(s).value().infer_bytes, 2 * forward);
  EXPECT_EQ(step_traffic(s).value().train_bytes, 2 * 3 * forward + 44 * estimate_step(s).parameters);
  luna.tie_kv = true;
  EXPECT_EQ(step_traffic(s).value().infer_bytes, 2 * (forward - map_of_6 - map_of_20));
  luna.tie_kv = false;
  luna.kernel = LunaOptions::Kernel::plain;
  EXPECT_EQ(step_traffic(s).value().infer_bytes, 2 * (forward + 4 * 2 * 2 * 2 * 3 * 10));
  s.length = 2;  // no more rows of P than tokens
  luna.kernel = LunaOptions::Kernel::automatic;
  const double map_of_4 = 32 + 32 + 64;
  EXPECT_EQ(step_traffic(s).value().infer_bytes,
            2 * (7 * map_of_4 + 8 * 32 + (32 + 64 + 128) * 2 + (16 + 64 + 256)));
}

TEST(StepTraffic, IsUnknownOfOthersAndOfThisProjectsOwnOperators) {
  EXPECT_FALSE(step_traffic(tiny("linear", Precision::fp32)));
  StepSetting s = tiny("luna", Precision::fp32);
  EXPECT_TRUE(step_traffic(s));
  s.device = torch::kCPU;
  EXPECT_FALSE(step_traffic(s));
  s = tiny("softmax", Precision::fp32);
  attention_of<SoftmaxOptions>(s).implementation = SoftmaxOptions::Implementation::weighted;
  EXPECT_FALSE(step_traffic(s));
}

}  // namespace
}  // namespace attnlab
