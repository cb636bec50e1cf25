// The algorithms of the CUDA kernels (kernels/cuda/lanes.h) on emulated blocks of threads: against the
// per-step reference in double precision, and the native step on the CPU.
#include <gtest/gtest.h>

#include <tuple>

#include "kernels/bounded_attention.h"
#include "kernels/cuda_emulated.h"

namespace attnlab::cuda {
namespace {

/// Scores of the per-step reference.
reference::Vec weight_rule(const reference::Decision& d) {
  reference::Vec scores;
  for (const int64_t j : d.live) scores.push_back(d.weights[d.t][j]);
  return scores;
}
reference::Vec age_rule(const reference::Decision& d) { return {d.live.begin(), d.live.end()}; }

std::vector<int> columns_of(const std::vector<char>& present, int b, int tokens) {
  std::vector<int> columns;
  for (int t = 0; t < tokens; ++t)
    if (present.empty() || present[b * tokens + t]) columns.push_back(t);
  return columns;
}

/// Evictions equal, outputs within `relative` and 1e-5. Returns the smallest relative gap of a decision.
double expect_reference(const Texts& x, const Rule& rule, const std::vector<char>& present, const Read& read,
                        double relative) {
  double gap = INFINITY;
  const int tokens = x.tokens, heads = x.shape.heads, d = x.shape.d,
            lanes = rule.apart ? x.shape.kv_heads : 1;
  for (int b = 0; b < x.shape.batch; ++b) {
    const std::vector<int> columns = columns_of(present, b, tokens);
    reference::Setting setting;
    setting.size = rule.size;
    setting.apart = rule.apart;
    setting.protect_first = rule.protect_first;
    setting.theta = INFINITY;
    const auto scores = rule.score == Score::age ? age_rule : weight_rule;
    const reference::Outcome want = reference::run(x.sequence(b, columns), setting, scores);

    for (int g = 0; g < lanes; ++g) {
      Longs expiry(tokens, -2);
      for (size_t i = 0; i < columns.size(); ++i)
        expiry[columns[i]] = want.expiry[g][i] < 0 ? -1 : columns[want.expiry[g][i]];
      const auto got = read.expiry.begin() + (b * lanes + g) * tokens;
      EXPECT_EQ(Longs(got, got + tokens), expiry) << "sequence " << b << ", lane " << g;
      gap = std::min(gap, *std::min_element(want.gap[g].begin(), want.gap[g].end()));
    }
    reference::Vec y(static_cast<size_t>(tokens) * heads * d, 0.0);
    for (size_t i = 0; i < columns.size(); ++i)
      for (int h = 0; h < heads; ++h)
        std::copy_n(want.y[i][h].begin(), d, y.begin() + (static_cast<int64_t>(columns[i]) * heads + h) * d);
    for (size_t i = 0; i < y.size(); ++i)
      EXPECT_NEAR(read.y[b * y.size() + i], y[i], 1e-5 + relative * std::abs(y[i]))
          << "sequence " << b << ", " << i;
  }
  return gap;
}

/// A text at once and token by token, which must be the same to the bit, against the reference.
template <int N, class T>
double expect_exact(const Texts& x, const Rule& rule, const std::vector<char>& present, BlockKind kind) {
  const Read read = read_texts<N, T>(x, rule, present, kind);
  const Read decoded = decode_texts<N, T>(x, rule, present, kind);
  EXPECT_EQ(read.y, decoded.y);
  EXPECT_EQ(read.expiry, decoded.expiry);
  return expect_reference(x, rule, present, read, sizeof(T) == 2 ? 1.0 / 256 : 0.0);
}

/// In fp32 a decision between scores closer than this may fall otherwise: the tests' texts have none.
constexpr double close_call = 2e-6;

/// Left and right padding, and a hole.
std::vector<char> padded(int batch, int tokens) {
  std::vector<char> present(batch * tokens, 1);
  for (int t = 0; t < 7; ++t) present[t] = present[2 * tokens - 1 - t] = 0;
  present[tokens / 2] = 0;
  return present;
}

class CudaEmulated : public testing::TestWithParam<std::tuple<int, bool>> {
 protected:
  BlockKind kind() const { return {std::get<0>(GetParam()), std::get<1>(GetParam())}; }
};
INSTANTIATE_TEST_SUITE_P(ThreadsAndOrder, CudaEmulated,
                         testing::Combine(testing::Values(32, 96, 512), testing::Bool()));

TEST_P(CudaEmulated, EachHeadItsOwnKeys) {
  const Texts x = Texts::random<float>({Type::fp32, 2, 3, 3, 20}, 45, 11);
  EXPECT_GT((expect_exact<1, float>(x, {.size = 9}, {}, kind())), close_call);
}

TEST_P(CudaEmulated, GroupedQueriesTakenInTwoParts) {
  const Texts x = Texts::random<float>({Type::fp32, 2, 12, 2, 8}, 40, 21);
  EXPECT_GT((expect_exact<4, float>(x, {.size = 8}, {}, kind())), close_call);
}

TEST_P(CudaEmulated, HeadsThatDecideApart) {
  const Texts x = Texts::random<float>({Type::fp32, 2, 6, 3, 12}, 40, 31);
  EXPECT_GT((expect_exact<4, float>(x, {.size = 10, .apart = true}, {}, kind())), close_call);
}

TEST_P(CudaEmulated, Bfloat16) {
  const Texts x = Texts::random<Bfloat16>({Type::bf16, 1, 4, 2, 64}, 40, 41);
  EXPECT_GT((expect_exact<4, Bfloat16>(x, {.size = 12}, {}, kind())), close_call);
}

TEST_P(CudaEmulated, WeightsTooSmallForFp32StillRank) {
  for (const bool apart : {false, true}) {
    const Texts x = Texts::peaked<float>({Type::fp32, 2, 6, 3, 12}, 40, 121);
    EXPECT_GT((expect_exact<4, float>(x, {.size = 10, .apart = apart}, {}, kind())), 1e-4);
  }
}

TEST_P(CudaEmulated, PaddingAndProtectedStates) {
  const Texts x = Texts::random<float>({Type::fp32, 2, 4, 2, 16}, 50, 51);
  const Rule rule{.size = 8, .protect_first = 3};
  EXPECT_GT((expect_exact<4, float>(x, rule, padded(2, 50), kind())), close_call);
}

TEST_P(CudaEmulated, WindowAndItsFirstStates) {
  const Texts x = Texts::random<float>({Type::fp32, 2, 2, 1, 128}, 30, 61);
  for (const int protect : {0, 4}) {
    const Rule rule{.size = 6, .protect_first = protect, .score = Score::age};
    expect_exact<4, float>(x, rule, padded(2, 30), kind());
  }
}

TEST_P(CudaEmulated, OfEqualsTheOldestGoes) {
  Texts x = Texts::random<float>({Type::fp32, 1, 2, 2, 8}, 30, 71);
  std::fill(x.k.begin(), x.k.end(), 0.0f);
  for (const int protect : {0, 2})
    expect_exact<1, float>(x, {.size = 7, .protect_first = protect}, {}, kind());
}

TEST_P(CudaEmulated, ProtectedToTheLastState) {
  const Texts x = Texts::random<float>({Type::fp32, 1, 2, 2, 8}, 20, 81);
  expect_exact<1, float>(x, {.size = 5, .protect_first = 5}, {}, kind());  // the newest goes, each time
}

TEST_P(CudaEmulated, MoreRoomThanTokens) {
  const Texts x = Texts::random<float>({Type::fp32, 2, 4, 2, 8}, 20, 91);
  for (const int size : {20, 1000}) expect_exact<4, float>(x, {.size = size}, {}, kind());
}

TEST_P(CudaEmulated, ASingleState) {
  const Texts x = Texts::random<float>({Type::fp32, 2, 4, 2, 8}, 20, 101);
  EXPECT_GT((expect_exact<4, float>(x, {.size = 1}, {}, kind())), close_call);
}

TEST_P(CudaEmulated, NaNIsNotLostAndStaysInItsHead) {
  Texts x = Texts::random<float>({Type::fp32, 1, 2, 2, 8}, 12, 111);
  x.q[(11 * 2 + 1) * 8 + 3] = NAN;  // the last token's second head
  const Read read = read_texts<1, float>(x, {.size = 4}, {}, kind());
  for (int c = 0; c < 8; ++c) {
    EXPECT_TRUE(std::isnan(read.y[(11 * 2 + 1) * 8 + c]));
    EXPECT_FALSE(std::isnan(read.y[11 * 2 * 8 + c]));
  }
  EXPECT_EQ(std::count(read.expiry.begin(), read.expiry.end(), -1), 4);
}

/// Slots that are not seen hold NaN; one unit sees nothing, one has no extent.
TEST_P(CudaEmulated, StepAgreesWithTheNativeOne) {
  const Shape shape{Type::fp32, 2, 10, 2, 16};
  const int slots = 37, units = shape.units(), d = shape.d;
  const Floats q = noise<float>(shape.batch * shape.heads * d, 1);
  Floats k = noise<float>(units * slots * d, 2), v = noise<float>(units * slots * d, 3);
  const Longs extent{37, 20, 30, 0};
  Floats bias(units * slots, 0.0f), native_k(k), native_v(v);
  for (int i = 0; i < units * slots; ++i) {
    if (i % 5 == 0 || i / slots == 1) bias[i] = -INFINITY;
    if (bias[i] != 0 || i % slots >= extent[i / slots]) std::fill_n(k.begin() + i * d, d, NAN);
    if (bias[i] != 0 || i % slots >= extent[i / slots]) std::fill_n(v.begin() + i * d, d, NAN);
    if (i % 7 == 1) bias[i] -= 0.5f;
  }

  Floats y(q.size(), NAN), shares(units * slots, -1.0f), workspace(units * slots * 4);
  StepCall call;
  call.shape = shape;
  call.slots = slots;
  call.q = q.data();
  call.k = k.data();
  call.v = v.data();
  call.bias = bias.data();
  call.extent = extent.data();
  call.y = y.data();
  call.shares = shares.data();
  call.workspace = workspace.data();
  EmulatedBlock block(kind(), 4);
  for (int unit = 0; unit < units; ++unit) step_unit<4, float>(block, call, unit);

  std::vector<const float*> biases{bias.data(), nullptr, bias.data() + 2 * slots, nullptr};
  Floats want_y(q.size()), want_shares(units * slots, 0.0f), scratch;
  attend_step({.shape = {shape.heads, shape.kv_heads, d},
               .batch = shape.batch,
               .slots = slots,
               .q = q.data(),
               .k = {.fp32 = native_k.data()},
               .v = {.fp32 = native_v.data()},
               .bias = biases.data(),
               .extent = extent.data(),
               .y = want_y.data(),
               .shares = want_shares.data()},
              scratch);
  for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], want_y[i], 1e-5) << i;
  for (int unit = 0; unit < units; ++unit)
    for (int s = 0; s < slots; ++s) {
      const bool written = s < extent[unit];
      const float scale = written ? weight_scale : 1.0f,
                  want = written ? want_shares[unit * slots + s] : -1.0f;
      ASSERT_NEAR(shares[unit * slots + s] / scale, want / scale, 1e-5) << unit << ", slot " << s;
    }
}

TEST(CudaNumbers, Bfloat16RoundsToNearestEven) {
  const auto rounded = [](float x) {
    Bfloat16 y;
    narrow(x, y);
    return widened(y);
  };
  EXPECT_EQ(rounded(1.0f), 1.0f);
  EXPECT_EQ(rounded(1.00390625f), 1.0f);         // half way to 1.0078125
  EXPECT_EQ(rounded(1.01171875f), 1.015625f);    // half way from 1.0078125
  EXPECT_EQ(rounded(1.003906369f), 1.0078125f);  // a bit more than half way
  EXPECT_EQ(rounded(3.4e38f), INFINITY);
  EXPECT_EQ(rounded(-INFINITY), -INFINITY);
  EXPECT_TRUE(std::isnan(rounded(NAN)));
}

}  // namespace
}  // namespace attnlab::cuda
