// The gradient of attention over states that are dropped on the way, against Torch's operators over all T²
// logits, and against finite differences.
#include "kernels/kept_attention.h"

#include <gtest/gtest.h>

#include <random>

#include "kernels/relative_error.h"

namespace attnlab {
namespace {

struct KeptCase {
  const char* name;
  int64_t batch, tokens, heads, kv_heads, d, size;
  bool apart;
};
void PrintTo(const KeptCase& c, std::ostream* out) { *out << c.name; }

const KeptCase kept_cases[] = {
    {"GroupedTogether", 2, 300, 6, 2, 8, 40, false}, {"GroupedApart", 2, 300, 6, 2, 8, 40, true},
    {"EqualHeads", 1, 257, 3, 3, 6, 1, false},       {"OneKeyHead", 3, 129, 4, 1, 4, 128, true},
    {"ShorterThanABlock", 2, 20, 4, 2, 6, 5, true},  {"NothingIsDropped", 1, 140, 2, 1, 4, 500, false},
    {"OneToken", 1, 1, 2, 2, 4, 1, false},
};

/// Expiry [B, groups, T] of a rule that drops any of the states that there are.
Tensor random_expiry(const KeptCase& c) {
  std::mt19937 random(7);
  const int64_t groups = c.apart ? c.kv_heads : 1;
  Tensor expiry = torch::full({c.batch, groups, c.tokens}, -1, torch::kLong);
  for (int64_t lane = 0; lane < c.batch * groups; ++lane) {
    int64_t* last = expiry.mutable_data_ptr<int64_t>() + lane * c.tokens;
    std::vector<int64_t> live;
    for (int64_t t = 0; t < c.tokens; ++t) {
      live.push_back(t);
      if (static_cast<int64_t>(live.size()) <= c.size) continue;
      const auto gone = live.begin() + static_cast<std::ptrdiff_t>(random() % live.size());
      last[*gone] = t;
      live.erase(gone);
    }
  }
  return expiry;
}

struct KeptOperands {
  Tensor q, k, v;
  KeptOperands as(torch::Dtype type) const {
    const auto leaf = [type](const Tensor& x) { return x.detach().to(type, false, true).requires_grad_(); };
    return {leaf(q), leaf(k), leaf(v)};
  }
};

KeptOperands kept_operands(const KeptCase& c) {
  torch::manual_seed(3);
  const auto random = [&](int64_t heads) {
    return torch::randn({c.batch, c.tokens, heads, c.d}, torch::kDouble).requires_grad_();
  };
  return {random(c.heads), random(c.kv_heads), random(c.kv_heads)};
}

/// The formula over all pairs of tokens.
Tensor kept_formula(const KeptOperands& o, const Tensor& expiry_BgT) {
  const int64_t t = o.q.size(1), group = o.q.size(2) / o.k.size(2);
  const auto heads_first = [&](const Tensor& x_BTKd) {
    return x_BTKd.transpose(1, 2).repeat_interleave(o.q.size(2) / x_BTKd.size(2), 1);
  };
  const Tensor at = torch::arange(t), query_T1 = at.unsqueeze(1);
  const Tensor last_Bg1T = expiry_BgT.where(expiry_BgT >= 0, t).unsqueeze(2);
  const Tensor seen_Bg = (at <= query_T1).logical_and(query_T1 <= last_Bg1T);
  const Tensor seen_BHTT = seen_Bg.repeat_interleave(seen_Bg.size(1) == 1 ? o.q.size(2) : group, 1);
  const Tensor logits =
      heads_first(o.q).matmul(heads_first(o.k).transpose(2, 3)) / std::sqrt(static_cast<double>(o.q.size(3)));
  return logits.masked_fill(seen_BHTT.logical_not(), -INFINITY)
      .softmax(-1)
      .matmul(heads_first(o.v))
      .transpose(1, 2);
}

class KeptAttention : public testing::TestWithParam<KeptCase> {};

TEST_P(KeptAttention, ItsGradientIsThatOfTheFormula) {
  const Tensor expiry = random_expiry(GetParam());
  const KeptOperands theirs = kept_operands(GetParam());
  const Tensor expected = kept_formula(theirs, expiry), given = torch::randn_like(expected);
  expected.backward(given);
  for (const auto& [type, tolerance] : {std::pair{torch::kDouble, 1e-12}, {torch::kFloat, 2e-6}}) {
    const KeptOperands ours = theirs.as(type);
    const Tensor y = expected.detach().to(type), kept = kept_attention(ours.q, ours.k, ours.v, y, expiry);
    EXPECT_TRUE(torch::equal(kept, y));
    kept.backward(given.to(type));
    EXPECT_LT(relative_error(ours.q.grad(), theirs.q.grad()), tolerance);
    EXPECT_LT(relative_error(ours.k.grad(), theirs.k.grad()), tolerance);
    EXPECT_LT(relative_error(ours.v.grad(), theirs.v.grad()), tolerance);
  }
}

TEST_P(KeptAttention, ItsGradientIsThatOfFiniteDifferences) {
  const Tensor expiry = random_expiry(GetParam());
  const KeptOperands o = kept_operands(GetParam());
  const Tensor given = torch::randn_like(o.q.detach());
  kept_attention(o.q, o.k, o.v, kept_formula(o, expiry).detach(), expiry).backward(given);
  const torch::NoGradGuard no_grad;
  for (const Tensor& x : {o.q, o.k, o.v}) {
    const Tensor flat = x.view(-1), gradient = x.grad().contiguous().view(-1);
    for (int64_t i = 0; i < flat.numel(); i += std::max<int64_t>(1, flat.numel() / 5)) {
      const double h = 1e-5;
      const auto sum = [&](double by) {
        flat[i] += by;
        const double value = (kept_formula(o, expiry) * given).sum().item<double>();
        flat[i] -= by;
        return value;
      };
      EXPECT_NEAR(gradient[i].item<double>(), (sum(h) - sum(-h)) / (2 * h), 1e-7) << "number " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, KeptAttention, testing::ValuesIn(kept_cases),
                         [](const auto& info) { return info.param.name; });

TEST(KeptAttentionOperator, ItsGradientsDoNotDependOnTheNumberOfThreads) {
  const Tensor expiry = random_expiry(kept_cases[0]);
  const int threads = at::get_num_threads();
  std::vector<KeptOperands> all;
  for (const int count : {1, 2}) {
    at::set_num_threads(count);
    const KeptOperands o = all.emplace_back(kept_operands(kept_cases[0]).as(torch::kFloat));
    kept_attention(o.q, o.k, o.v, kept_formula(o, expiry).detach(), expiry).sum().backward();
  }
  at::set_num_threads(threads);
  EXPECT_TRUE(torch::equal(all[0].q.grad(), all[1].q.grad()));
  EXPECT_TRUE(torch::equal(all[0].k.grad(), all[1].k.grad()));
  EXPECT_TRUE(torch::equal(all[0].v.grad(), all[1].v.grad()));
}

/// Of so many keys and values that not all blocks' gradients are held at a time.
TEST(KeptAttentionOperator, ItsGradientIsThatOfTheFormulaInSeveralRounds) {
  const KeptCase large{"Large", 2, 1100, 2, 2, 256, 900, false};
  const Tensor expiry = random_expiry(large);
  const KeptOperands theirs = kept_operands(large), ours = theirs.as(torch::kFloat);
  const Tensor expected = kept_formula(theirs, expiry), given = torch::randn_like(expected);
  expected.backward(given);
  kept_attention(ours.q, ours.k, ours.v, expected.detach().to(torch::kFloat), expiry)
      .backward(given.to(torch::kFloat));
  EXPECT_LT(relative_error(ours.q.grad(), theirs.q.grad()), 2e-6);
  EXPECT_LT(relative_error(ours.k.grad(), theirs.k.grad()), 2e-6);
  EXPECT_LT(relative_error(ours.v.grad(), theirs.v.grad()), 2e-6);
}

TEST(KeptAttentionOperator, KeepsTheTypesOfNarrowOperands) {
  const Tensor expiry = random_expiry(kept_cases[4]);
  const KeptOperands wide = kept_operands(kept_cases[4]), o = wide.as(torch::kBFloat16);
  kept_formula(wide, expiry).sum().backward();
  kept_attention(o.q, o.k, o.v, kept_formula(wide, expiry).detach().to(torch::kBFloat16), expiry)
      .sum()
      .backward();
  EXPECT_EQ(o.k.grad().scalar_type(), torch::kBFloat16);
  EXPECT_LT(relative_error(o.v.grad(), wide.v.grad()), 0.02);
}

TEST(KeptAttentionOperator, RefusesWhatDoesNotFit) {
  const KeptOperands o = kept_operands(kept_cases[0]);
  const Tensor expiry = random_expiry(kept_cases[0]);
  const auto attend = [&](const Tensor& q, const Tensor& last) {
    kept_attention(q, o.k, o.v, torch::zeros_like(q), last);
  };
  EXPECT_THROW(kept_attention(o.q, o.k, o.v, torch::zeros_like(o.k), expiry), c10::Error);
  EXPECT_THROW(attend(o.q.narrow(1, 0, 9), expiry), c10::Error);
  EXPECT_THROW(attend(o.q.narrow(2, 0, 5), expiry), c10::Error);
  EXPECT_THROW(attend(o.q, expiry.squeeze(1)), c10::Error);
  EXPECT_THROW(attend(o.q, expiry.to(torch::kInt)), c10::Error);
  const Tensor blind = expiry.clone();
  blind[0][0][9] = 8;
  EXPECT_THROW(attend(o.q, blind), c10::Error);
}

}  // namespace
}  // namespace attnlab
