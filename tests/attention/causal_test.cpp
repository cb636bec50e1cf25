// Causal attention: that no token sees what follows it, and that all at once equals token by token.
#include "attention/causal.h"

#include <gtest/gtest.h>

#include <cmath>

#include "attention/causal_luna.h"
#include "attention/causal_softmax.h"
#include "attention/reference.h"
#include "kernels/causal_luna.h"

namespace attnlab {
namespace {

constexpr int64_t kDim = 8, kHeads = 2, kRows = 3;

struct CausalEntry {
  std::string name;
  std::function<std::shared_ptr<CausalAttentionOptions>()> options;
};
void PrintTo(const CausalEntry& entry, std::ostream* out) { *out << entry.name; }

std::shared_ptr<CausalAttentionOptions> causal_luna_options(bool tied, CausalLunaOptions::Omega omega) {
  auto options = std::make_shared<CausalLunaOptions>();
  options->tie_kv = tied;
  options->omega = omega;
  return options;
}

std::vector<CausalEntry> causal_entries() {
  using Omega = CausalLunaOptions::Omega;
  using Softmax = CausalSoftmaxOptions::Implementation;
  const auto softmax = [](Softmax implementation) {
    auto options = std::make_shared<CausalSoftmaxOptions>();
    options->implementation = implementation;
    return options;
  };
  return {{"softmax_weighted", [=] { return softmax(Softmax::weighted); }},
          {"softmax_sdpa", [=] { return softmax(Softmax::sdpa); }},
          {"luna_softplus", [] { return causal_luna_options(false, Omega::softplus); }},
          {"luna_elu", [] { return causal_luna_options(false, Omega::elu); }},
          {"luna_softplus_tied", [] { return causal_luna_options(true, Omega::softplus); }},
          {"luna_elu_tied", [] { return causal_luna_options(true, Omega::elu); }}};
}

class Causal : public testing::TestWithParam<CausalEntry> {
 protected:
  Causal() {
    torch::manual_seed(3);
    attention = GetParam().options()->build({.dim = kDim, .heads = kHeads});
    attention->to(torch::kDouble);
    attention->eval();
  }
  Tensor random(at::IntArrayRef shape) { return torch::randn(shape, torch::kDouble); }
  double difference(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

  std::shared_ptr<CausalAttentionImpl> attention;
};
INSTANTIATE_TEST_SUITE_P(Every, Causal, testing::ValuesIn(causal_entries()),
                         [](const auto& info) { return info.param.name; });

TEST_P(Causal, NoTokenSeesWhatFollowsIt) {
  const int64_t n = 150, changed = 70;  // three chunks
  Tensor x = random({2, n, kDim}).requires_grad_(), p = random({2, kRows, kDim});
  const Tensor y = attention->forward(x, {}, p, {});
  Tensor other = x.detach().clone();
  other.narrow(1, changed, n - changed).add_(1.0);
  const Tensor y_other = attention->forward(other, {}, p, {});
  EXPECT_EQ(difference(y.narrow(1, 0, changed), y_other.narrow(1, 0, changed)), 0.0);
  EXPECT_GT(difference(y.narrow(1, changed, 1), y_other.narrow(1, changed, 1)), 1e-3);
  y.narrow(1, 0, changed).square().sum().backward();
  EXPECT_EQ(x.grad().narrow(1, changed, n - changed).abs().max().item<double>(), 0.0);
  EXPECT_GT(x.grad().narrow(1, 0, changed).abs().max().item<double>(), 1e-3);
}

TEST_P(Causal, PaddingOnEitherSideChangesNothing) {
  const int64_t n = 70, extra = 9;
  const Tensor x = random({1, n, kDim}), p = random({1, kRows, kDim});
  const Tensor alone = attention->forward(x, {}, p, {});
  for (const bool left : {false, true}) {
    Tensor padded = random({1, n + extra, kDim}), padding = torch::ones({1, n + extra}, torch::kBool);
    const int64_t start = left ? extra : 0;
    padded.narrow(1, start, n).copy_(x);
    padding.narrow(1, start, n).fill_(false);
    const Tensor y = attention->forward(padded, padding, p, {});
    EXPECT_LT(difference(y.narrow(1, start, n), alone), 1e-12) << (left ? "left" : "right");
    EXPECT_TRUE(y.isfinite().all().item<bool>());
  }
}

TEST_P(Causal, TokenByTokenIsTheSameAsAllAtOnce) {
  const int64_t n = 70, sentences = 2;
  const Tensor x = random({sentences, n, kDim}), p = random({sentences, kRows, kDim});
  const Tensor masked = torch::tensor({{false, false, false}, {false, false, true}});
  const Tensor whole = attention->forward(x, {}, p, masked);
  const auto state = attention->start(sentences, p, masked);
  for (int64_t t = 0; t < n; ++t)
    ASSERT_LT(difference(state->read(x.select(1, t)), whole.select(1, t)), 1e-12) << "token " << t;
}

TEST_P(Causal, TextsGoOnFromThoseSelected) {
  const Tensor p = random({3, kRows, kDim}), x = random({3, 4, kDim}), next = random({4, 2, kDim});
  const auto state = attention->start(3, p, {});
  for (int64_t t = 0; t < 4; ++t) state->read(x.select(1, t));
  // Two texts of sentence 2 and two of sentence 0, then the first text of sentence 0 twice.
  state->select(torch::tensor({2, 2, 0, 0}), torch::tensor({2, 0}), 2);
  const Tensor fifth = state->read(next.select(1, 0));
  state->select(torch::tensor({2, 2}), torch::tensor({1}), 2);
  const Tensor sixth = state->read(next.select(1, 1).narrow(0, 0, 2));
  const auto whole = [&](int64_t sentence, const std::vector<Tensor>& tail) {
    std::vector<Tensor> tokens{x[sentence]};
    for (const Tensor& token : tail) tokens.push_back(token.unsqueeze(0));
    return attention->forward(torch::cat(tokens).unsqueeze(0), {}, p.narrow(0, sentence, 1), {})[0][-1];
  };
  EXPECT_LT(difference(fifth[1], whole(2, {next[1][0]})), 1e-12);
  EXPECT_LT(difference(fifth[3], whole(0, {next[3][0]})), 1e-12);
  EXPECT_LT(difference(sixth[1], whole(0, {next[2][0], next[1][1]})), 1e-12);
}

TEST_P(Causal, AgreesInFp32) {
  const int64_t n = 200;
  const Tensor x = random({1, n, kDim}), p = random({1, kRows, kDim});
  const Tensor exact = attention->forward(x, {}, p, {});
  attention->to(torch::kFloat);
  EXPECT_LT(difference(attention->forward(x.to(torch::kFloat), {}, p.to(torch::kFloat), {}), exact), 1e-5);
}

/// Causal Luna written token by token and number by number, as in the paper.
reference::Matrix sequential(const reference::Weights& w, const reference::Matrix& x,
                             const reference::Matrix& p, bool tied, bool elu) {
  const auto pq = w.project("pack_query", p), pc = w.project("pack_context", x), q = w.project("query", x);
  const auto k = w.project(tied ? "key_value" : "key", x), v = w.project(tied ? "key_value" : "value", x);
  const size_t d = kDim / kHeads, l = p.size();
  const double root = std::sqrt(static_cast<double>(d));
  const auto omega = [&](double s) {
    return elu ? (s > 0 ? s + 1 : std::exp(s)) : std::log2(1 + std::exp2(s));
  };
  reference::Matrix y(x.size(), reference::Row(kDim, 0.0));
  for (size_t h = 0; h < kHeads; ++h) {
    const auto dot = [&](const reference::Row& a, const reference::Row& b) {
      double sum = 0;
      for (size_t c = h * d; c < (h + 1) * d; ++c) sum += a[c] * b[c];
      return sum;
    };
    for (size_t t = 0; t < x.size(); ++t) {
      std::vector<double> logits(l, 0.0), u(l);
      double sum = 0;
      for (size_t j = 0; j <= t; ++j)
        for (size_t r = 0; r < l; ++r)
          logits[r] += dot(q[t], k[j]) / root * omega(dot(pc[j], pq[r]) / root) / static_cast<double>(t + 1);
      for (size_t r = 0; r < l; ++r) sum += u[r] = std::exp(logits[r]);
      for (size_t j = 0; j <= t; ++j)
        for (size_t r = 0; r < l; ++r)
          for (size_t c = h * d; c < (h + 1) * d; ++c)
            y[t][c] += u[r] / sum * omega(dot(pc[j], pq[r]) / root) * v[j][c] / static_cast<double>(t + 1);
    }
  }
  return w.project("output", y);
}

TEST(CausalLuna, IsThePapersFormulaTokenByToken) {
  torch::manual_seed(5);
  for (const bool tied : {false, true})
    for (const bool elu : {false, true}) {
      using Omega = CausalLunaOptions::Omega;
      const auto attention = causal_luna_options(tied, elu ? Omega::elu : Omega::softplus)
                                 ->build({.dim = kDim, .heads = kHeads});
      attention->to(torch::kDouble);
      const Tensor x = torch::randn({1, 140, kDim}, torch::kDouble),
                   p = torch::randn({1, kRows, kDim}, torch::kDouble);
      const reference::Matrix expected = sequential(
          reference::Weights(*attention), reference::matrix_of(x[0]), reference::matrix_of(p[0]), tied, elu);
      const Tensor y = attention->forward(x, {}, p, {})[0];
      for (int64_t t = 0; t < x.size(1); ++t)
        for (int64_t c = 0; c < kDim; ++c)
          ASSERT_NEAR(y[t][c].item<double>(), expected[t][c], 1e-12)
              << "token " << t << " tied " << tied << " elu " << elu;
    }
}

/// A layer in training, and what its dropout draws after the same seed.
struct DroppingLuna {
  static constexpr double p = 0.3;

  explicit DroppingLuna(torch::Dtype type)
      : layer(CausalLunaOptions().build({.dim = kDim, .heads = kHeads, .dropout = p})) {
    torch::manual_seed(5);
    layer->to(type);
    layer->train();
  }
  Tensor after_seed(uint64_t seed, const Tensor& x, const Tensor& state, const Tensor& padding = {}) {
    torch::manual_seed(seed);
    return layer->forward(x, padding, state, {});
  }
  /// §3.2 of Torch's operators with every token's sums in memory, A and U under the masks that are drawn.
  Tensor composed_after_seed(uint64_t seed, const Tensor& x, const Tensor& state) {
    torch::manual_seed(seed);
    const Drop of_a = Drop::draw(p, true), of_u = Drop::draw(p, true);
    const auto weights = layer->named_parameters();
    const auto heads = [&](const char* name, const Tensor& of) {
      const Tensor y =
          torch::linear(of, weights[std::string(name) + ".weight"], weights[std::string(name) + ".bias"]);
      return y.unflatten(2, {kHeads, -1}).transpose(1, 2);
    };
    const double root = std::sqrt(static_cast<double>(kDim) / kHeads);
    const Tensor scores =
        heads("pack_context", x).matmul(heads("pack_query", state).transpose(-2, -1)) / root;
    Tensor a = torch::log2(1 + torch::exp2(scores));
    a = a * dropout_mask(a, of_a);
    const Tensor t = torch::arange(1, x.size(1) + 1, x.options().requires_grad(false)).unsqueeze(-1);
    const Tensor keys = (a.unsqueeze(-1) * heads("key", x).unsqueeze(-2)).cumsum(2),
                 values = (a.unsqueeze(-1) * heads("value", x).unsqueeze(-2)).cumsum(2);
    const Tensor logits = keys.matmul((heads("query", x) / root).unsqueeze(-1)).squeeze(-1) / t;
    const Tensor u = logits.softmax(-1) * dropout_mask(a, of_u);
    const Tensor y = u.unsqueeze(-2).matmul(values).squeeze(-2) / t;
    return torch::linear(y.transpose(1, 2).flatten(2), weights["output.weight"], weights["output.bias"]);
  }

  std::shared_ptr<CausalAttentionImpl> layer;
};

TEST(CausalLunaDropout, IsOfAAndOfUUnderMasksThatASeedRepeats) {
  for (const auto type : {torch::kDouble, torch::kFloat}) {
    DroppingLuna luna(type);
    const Tensor x = torch::randn({2, 40, kDim}, type), state = torch::randn({2, kRows, kDim}, type);
    const Tensor y = luna.after_seed(8, x, state);
    EXPECT_TRUE(y.equal(luna.after_seed(8, x, state)));
    EXPECT_FALSE(y.equal(luna.after_seed(9, x, state)));
    luna.layer->eval();
    const Tensor whole = luna.after_seed(8, x, state);
    EXPECT_TRUE(whole.equal(luna.after_seed(9, x, state)));
    EXPECT_FALSE(whole.equal(y));
  }
}

TEST(CausalLunaDropout, HasValuesAndGradientsOfTheComposedFormUnderTheSameMasks) {
  for (const auto& [type, tolerance] : {std::pair{torch::kDouble, 1e-12}, {torch::kFloat, 1e-5}}) {
    DroppingLuna luna(type);
    const Tensor x = torch::randn({2, 70, kDim}, type).requires_grad_(),
                 state = torch::randn({2, kRows, kDim}, type).requires_grad_();
    const Tensor y = luna.after_seed(8, x, state), want = luna.composed_after_seed(8, x, state);
    EXPECT_LT((y - want).abs().max().item<double>(), tolerance);
    std::vector<Tensor> of{x, state};
    for (const Tensor& weight : luna.layer->parameters()) of.push_back(weight);
    const Tensor dy = torch::randn_like(want);
    const auto found = torch::autograd::grad({y}, of, {dy}),
               expected = torch::autograd::grad({want}, of, {dy});
    for (size_t i = 0; i < of.size(); ++i)
      EXPECT_LT((found[i] - expected[i]).abs().max().item<double>(),
                tolerance * (1 + expected[i].abs().max().item<double>()))
          << "input or weight " << i;
  }
}

TEST(CausalLunaDropout, WithOneRowOfPItsMeanIsTheOutputWithoutIt) {
  // U is 1 then, and the output is linear in either mask.
  DroppingLuna luna(torch::kFloat);
  const torch::NoGradGuard no_grad;
  const int64_t draws = 20000, n = 6;
  const Tensor x = torch::randn({1, n, kDim}), state = torch::randn({1, 1, kDim});
  const Tensor all = luna.after_seed(8, x.expand({draws, n, kDim}), state.expand({draws, 1, kDim}));
  luna.layer->eval();
  const Tensor without = luna.after_seed(8, x, state)[0];
  const Tensor standard_error = all.std(0) / std::sqrt(static_cast<double>(draws));
  EXPECT_LT(((all.mean(0) - without) / standard_error).abs().max().item<double>(), 5.0);
}

TEST(CausalLunaDropout, PaddedTokensAddNothing) {
  DroppingLuna luna(torch::kFloat);
  const torch::NoGradGuard no_grad;
  Tensor x = torch::randn({1, 30, kDim}), padding = torch::zeros({1, 30}, torch::kBool);
  padding[0].slice(0, 0, 7) = true;
  const Tensor state = torch::randn({1, kRows, kDim}), y = luna.after_seed(8, x, state, padding);
  x[0].slice(0, 0, 7).add_(1.0);
  EXPECT_TRUE(luna.after_seed(8, x, state, padding).slice(1, 7).equal(y.slice(1, 7)));
}

TEST(CausalLuna, HasSixLinearsUntiedAndFiveTied) {
  for (const bool tied : {false, true}) {
    const auto attention =
        causal_luna_options(tied, CausalLunaOptions::Omega::softplus)->build({.dim = kDim, .heads = kHeads});
    int64_t count = 0;
    for (const Tensor& p : attention->parameters()) count += p.numel();
    EXPECT_EQ(count, (tied ? 5 : 6) * (kDim * kDim + kDim));
  }
}

TEST(CausalLuna, ChunksHaveTheGradientsOfTheSumsThemselves) {
  torch::manual_seed(6);
  const int64_t n = 133, d = 4, l = 3;
  const auto leaf = [](at::IntArrayRef shape) { return torch::rand(shape, torch::kDouble).requires_grad_(); };
  const std::vector<Tensor> in{leaf({1, 2, n, d}), leaf({1, 2, n, d}), leaf({1, 2, n, d}),
                               leaf({1, 2, n, l})};
  const auto cumulative = [&] {
    const Tensor t = torch::arange(1, n + 1, torch::kDouble).unsqueeze(-1);
    const Tensor keys = (in[3].unsqueeze(-1) * in[1].unsqueeze(-2)).cumsum(2);
    const Tensor values = (in[3].unsqueeze(-1) * in[2].unsqueeze(-2)).cumsum(2);
    const Tensor u = (keys.matmul(in[0].unsqueeze(-1)).squeeze(-1) / t).softmax(-1);
    return u.unsqueeze(-2).matmul(values).squeeze(-2) / t;
  };
  const Tensor weight = torch::randn({1, 2, n, d}, torch::kDouble);
  const auto gradients = [&](const Tensor& y) { return torch::autograd::grad({(y * weight).sum()}, in); };
  const auto expected = gradients(cumulative());
  const auto found = gradients(causal_luna(in[0], in[1], in[2], in[3], {}, {}, {}));
  for (size_t i = 0; i < in.size(); ++i)
    EXPECT_LT((expected[i] - found[i]).abs().max().item<double>(), 1e-12) << "input " << i;
}

}  // namespace
}  // namespace attnlab
