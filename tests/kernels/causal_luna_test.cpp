// Causal Luna's forms against the formula written token by token in double, values and gradients.
#include "kernels/causal_luna.h"

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include "kernels/relative_error.h"

namespace attnlab {
namespace {

struct LunaInputs {
  Tensor q, k, v, a, counts, masked;  ///< the last two may be undefined
  Drop drop;

  LunaInputs as(torch::Dtype type) const {
    const auto leaf = [type](const Tensor& x) { return x.detach().to(type, false, true).requires_grad_(); };
    return {leaf(q), leaf(k), leaf(v), leaf(a), counts, masked, drop};
  }
  Tensor in(CausalLunaForm form) const { return causal_luna(q, k, v, a, counts, masked, drop, form); }
};

LunaInputs random_inputs(at::IntArrayRef bhn, int64_t d, int64_t l) {
  torch::manual_seed(11);
  const auto random = [&](int64_t width) {
    return torch::randn({bhn[0], bhn[1], bhn[2], width}, torch::kDouble);
  };
  const Tensor q = random(d) / std::sqrt(static_cast<double>(d));
  return {q, random(d), random(d), random(l).abs(), {}, {}, {}};
}

/// §3.2 and the released code, one token after the other.
Tensor token_by_token(const LunaInputs& x) {
  const int64_t n = x.q.size(2);
  const Tensor mask = x.drop.active() ? dropout_mask(x.a.detach(), x.drop) : torch::ones_like(x.a);
  Tensor keys, values;
  std::vector<Tensor> y;
  for (int64_t t = 0; t < n; ++t) {
    const auto at = [&](const Tensor& of) { return of.select(2, t); };
    const Tensor more_keys = at(x.a).unsqueeze(-1) * at(x.k).unsqueeze(-2),
                 more_values = at(x.a).unsqueeze(-1) * at(x.v).unsqueeze(-2);
    keys = t == 0 ? more_keys : keys + more_keys;
    values = t == 0 ? more_values : values + more_values;
    const Tensor count = x.counts.defined()
                             ? x.counts.select(1, t).clamp_min(1).to(x.q.dtype()).view({-1, 1, 1})
                             : torch::full({1, 1, 1}, static_cast<double>(t + 1));
    Tensor logits = keys.matmul(at(x.q).unsqueeze(-1)).squeeze(-1) / count;
    if (x.masked.defined())
      logits = logits.masked_fill(x.masked.unsqueeze(1), -std::numeric_limits<double>::infinity());
    const Tensor u = logits.softmax(-1) * at(mask);
    y.push_back(u.unsqueeze(-2).matmul(values).squeeze(-2) / count);
  }
  return torch::stack(y, 2);
}

/// An output with the gradients of everything it comes from, where `real` is 1 at tokens that count.
struct Computed {
  Computed(const LunaInputs& x, const Tensor& y, const Tensor& real) : y(y.detach()) {
    torch::manual_seed(12);
    Tensor dy = torch::randn(y.sizes(), torch::kDouble);
    if (real.defined()) {
      this->y = this->y * real;
      dy = dy * real;
    }
    y.backward(dy.to(y.dtype()));
    gradients = {x.q.grad(), x.k.grad(), x.v.grad(), x.a.grad()};
  }
  Tensor y;
  std::vector<Tensor> gradients;
};

void expect_equal(const Computed& got, const Computed& want, double tolerance) {
  EXPECT_LT(relative_error(got.y, want.y), tolerance);
  for (size_t i = 0; i < want.gradients.size(); ++i)
    EXPECT_LT(relative_error(got.gradients[i], want.gradients[i]), tolerance) << "gradient of "
                                                                              << "qkva"[i];
}

Computed computed(const LunaInputs& inputs, CausalLunaForm form, torch::Dtype type, const Tensor& real = {}) {
  const LunaInputs x = inputs.as(type);
  return {x, x.in(form), real};
}

/// So many threads while it lives.
class Threads {
 public:
  explicit Threads(int count) : before_(at::get_num_threads()) { at::set_num_threads(count); }
  ~Threads() { at::set_num_threads(before_); }

 private:
  int before_;
};

Computed sequential(const LunaInputs& inputs, const Tensor& real = {}) {
  const Threads one(1);  // its operations are too small to be worth a second one
  const LunaInputs x = inputs.as(torch::kDouble);
  return {x, token_by_token(x), real};
}

/// Of the scan in fp32 alone: in double it is the products over chunks.
void expect_all_forms(const LunaInputs& inputs, const Tensor& real = {}) {
  const Threads one(1);  // so small operations are not worth a second one
  const Computed want = sequential(inputs, real);
  for (const auto form : {CausalLunaForm::chunks, CausalLunaForm::outer_products})
    expect_equal(computed(inputs, form, torch::kDouble, real), want, 1e-10);
  for (const auto form : {CausalLunaForm::chunks, CausalLunaForm::scan})
    expect_equal(computed(inputs, form, torch::kFloat, real), want, 1e-5);
}

TEST(CausalLuna, TheScanOnTheCpuIsOfFp32AndDoubleGoesThroughChunks) {
  const LunaInputs wide = random_inputs({1, 2, 100}, 8, 5), single = wide.as(torch::kFloat);
  for (const auto type : {torch::kFloat, torch::kBFloat16, torch::kHalf})
    EXPECT_TRUE(has_causal_luna_scan(wide.q.to(type), wide.a.to(type))) << type;
  EXPECT_FALSE(has_causal_luna_scan(wide.q, wide.a));
  EXPECT_FALSE(has_causal_luna_scan(single.q.to(torch::kMeta), single.a.to(torch::kMeta)));
  EXPECT_TRUE(wide.in(CausalLunaForm::scan).equal(wide.in(CausalLunaForm::chunks)));
  EXPECT_FALSE(single.in(CausalLunaForm::scan).equal(single.in(CausalLunaForm::chunks)));
}

TEST(CausalLuna, AnyLengthWidthAndNumberOfRowsOfP) {
  for (const int64_t n : {1, 15, 16, 17, 65, 130})
    for (const auto& [d, l] : {std::pair<int64_t, int64_t>{64, 16}, {4, 1}, {20, 3}, {16, 40}, {1, 17}}) {
      SCOPED_TRACE(testing::Message() << "n " << n << ", d " << d << ", l " << l);
      expect_all_forms(random_inputs({2, 3, n}, d, l));
    }
}

TEST(CausalLuna, Dropout) {
  LunaInputs x = random_inputs({2, 2, 70}, 8, 5);
  x.drop = {0.3, 99};
  expect_all_forms(x);
}

TEST(CausalLuna, RowsOfPThatMustNotBeRead) {
  LunaInputs x = random_inputs({2, 2, 70}, 8, 5);
  x.masked = torch::tensor({{false, false, false, false, false}, {false, true, false, true, true}});
  expect_all_forms(x);
}

TEST(CausalLuna, ASentenceThatMustReadNoRowOfPIsZeros) {
  LunaInputs x = random_inputs({2, 2, 70}, 8, 5);
  x.masked = torch::tensor({{false, false, false, false, false}, {true, true, true, true, true}});
  const auto of = [](int64_t sentence, const Tensor& t) { return t.narrow(0, sentence, 1); };
  const Computed alone = sequential({of(0, x.q), of(0, x.k), of(0, x.v), of(0, x.a), {}, {}, {}});
  for (const auto& [form, type] : {std::pair{CausalLunaForm::scan, torch::kFloat},
                                   {CausalLunaForm::chunks, torch::kDouble},
                                   {CausalLunaForm::outer_products, torch::kDouble}}) {
    const Computed got = computed(x, form, type);
    EXPECT_EQ(of(1, got.y).abs().max().item<double>(), 0);
    EXPECT_LT(relative_error(of(0, got.y), alone.y), 1e-5);
    for (size_t i = 0; i < got.gradients.size(); ++i)
      EXPECT_EQ(of(1, got.gradients[i]).abs().max().item<double>(), 0) << "gradient of "
                                                                       << "qkva"[i];
    const torch::NoGradGuard no_grad;
    const LunaInputs in = x.as(type);
    CausalLunaSums sums = CausalLunaSums::of_nothing(2, 2, 5, 8, in.q);
    const auto token = [](const Tensor& t) { return t.select(2, 0); };
    const Tensor first = causal_luna_step(sums, token(in.q), token(in.k), token(in.v), token(in.a), x.masked);
    const Tensor next = causal_luna_append(sums, in.q, in.k, in.v, in.a, {}, x.masked);
    EXPECT_EQ(of(1, first).abs().max().item<double>(), 0);
    EXPECT_EQ(of(1, next).abs().max().item<double>(), 0);
  }
}

TEST(CausalLuna, PaddingOnEitherSide) {
  LunaInputs x = random_inputs({2, 2, 70}, 8, 5);
  Tensor real = torch::ones({2, 70}, torch::kBool);
  real[0].slice(0, 0, 19) = false;  // on the left
  real[1].slice(0, 33) = false;     // on the right
  x.counts = real.cumsum(1);
  const Tensor seen = real.unsqueeze(1).unsqueeze(-1).to(torch::kDouble);
  x.a = x.a * seen;
  expect_all_forms(x, seen);
}

TEST(CausalLuna, HeadsSideBySideInATokensRow) {
  // As layers have them: a token's heads next to each other, and rows of more than the head's width.
  LunaInputs x = random_inputs({2, 3, 50}, 8, 4);
  const auto by_token = [](const Tensor& of) {
    return of.to(torch::kFloat).transpose(1, 2).contiguous().transpose(1, 2).detach();
  };
  const LunaInputs apart{by_token(x.q), by_token(x.k), by_token(x.v), x.a.to(torch::kFloat), {}, {}, {}};
  const LunaInputs dense = x.as(torch::kFloat);
  EXPECT_TRUE(apart.in(CausalLunaForm::scan).equal(dense.in(CausalLunaForm::scan)));
  // A column taken out of every second place has no rows that could be read.
  const Tensor wide = torch::randn({2, 3, 50, 16});
  const LunaInputs strided{wide.slice(3, 0, 16, 2), apart.k, apart.v, apart.a, {}, {}, {}};
  const LunaInputs copied{strided.q.contiguous(), apart.k, apart.v, apart.a, {}, {}, {}};
  EXPECT_TRUE(strided.in(CausalLunaForm::scan).equal(copied.in(CausalLunaForm::scan)));
}

TEST(CausalLuna, ThreadsShareTheTokensOfFewHeads) {
  LunaInputs x = random_inputs({1, 1, 2100}, 8, 5);
  x.drop = {0.2, 7};
  const Threads three(3);
  expect_equal(computed(x, CausalLunaForm::scan, torch::kFloat),
               computed(x, CausalLunaForm::chunks, torch::kDouble), 1e-5);
}

TEST(CausalLuna, ManyHeadsTakeTurns) {
  // Six heads are twice as many as threads, and go through 400 tokens in turns of 256.
  LunaInputs x = random_inputs({2, 3, 400}, 8, 5);
  x.drop = {0.2, 7};
  x.masked = torch::tensor({{false, false, true, false, false}, {false, false, false, false, false}});
  Tensor real = torch::ones({2, 400}, torch::kBool);
  real[0].slice(0, 0, 270) = false;  // the first turn, and a part of the second
  real[1].slice(0, 390) = false;
  x.counts = real.cumsum(1);
  const Tensor seen = real.unsqueeze(1).unsqueeze(-1).to(torch::kDouble);
  x.a = x.a * seen;
  const Computed want = sequential(x, seen);
  for (const int count : {1, 2, 3}) {
    SCOPED_TRACE(testing::Message() << count << " threads");
    const Threads threads(count);
    expect_equal(computed(x, CausalLunaForm::scan, torch::kFloat, seen), want, 1e-5);
  }
}

/// How the fp32 scan shares out heads and tokens, and tokens about which its parts change.
struct SharedOut {
  int threads;
  int64_t heads, n;
  std::vector<int64_t> tokens;
};

TEST(CausalLuna, NoTokenSeesWhatFollowsIt) {
  for (const SharedOut& c :
       {SharedOut{1, 2, 100, {1, 41, 99}},                                  // in one turn
        SharedOut{2, 6, 600, {15, 16, 255, 256, 257, 400, 512, 599}},       // turns of 256 tokens
        SharedOut{2, 1, 1100, {300, 559, 560, 561, 815, 816, 817, 1099}}})  // two stretches of 560 as well
    for (const int64_t changed : c.tokens) {
      SCOPED_TRACE(testing::Message() << c.heads << " heads, " << c.n << " tokens, token " << changed);
      const Threads threads(c.threads);
      const auto before = [&](const Tensor& of) { return of.narrow(2, 0, changed); };
      const LunaInputs x = random_inputs({1, c.heads, c.n}, 8, 5).as(torch::kFloat);
      const Tensor y = x.in(CausalLunaForm::scan);
      const LunaInputs other = x.as(torch::kFloat);
      for (const Tensor* of : {&other.q, &other.k, &other.v, &other.a})
        of->data().select(2, changed).add_(1.0);
      const Tensor y_other = other.in(CausalLunaForm::scan);
      EXPECT_TRUE(before(y).equal(before(y_other)));
      const Tensor differs = (y - y_other).abs().amax({0, 1, 3});
      EXPECT_GT(differs[changed].item<float>(), 0);
      EXPECT_GT(differs[c.n - 1].item<float>(), 0);

      before(y).square().sum().backward();
      for (const Tensor& of : {x.q, x.k, x.v, x.a}) {
        const Tensor gradient = of.grad().abs().amax({0, 1, 3});
        EXPECT_EQ(gradient.slice(0, changed).max().item<float>(), 0.0f);
        EXPECT_GT(gradient[changed - 1].item<float>(), 0) << "of the token before";
      }
    }
}

class CausalLunaOverALongText : public testing::TestWithParam<int64_t> {};

/// The largest error beside the largest number, of the tokens from `first` on.
double error_beside_largest(const Tensor& got, const Tensor& want, int64_t first) {
  const Tensor of = want.slice(2, first), error = got.slice(2, first).to(torch::kDouble) - of;
  return (error.abs().max() / of.abs().max()).item<double>();
}

// Measured, the worst of three instruction sets: outputs to 5e-7, gradients to 8e-7 of their largest number;
// of the last quarter, where numbers are smaller, outputs to 2e-6 of their own largest and gradients to 8e-6.
TEST_P(CausalLunaOverALongText, StaysNearDouble) {
  const int64_t n = 16384;
  const LunaInputs x = random_inputs({1, 8, n}, 64, GetParam());
  const Computed want = computed(x, CausalLunaForm::chunks, torch::kDouble);
  for (const int count : {1, 5}) {  // of one thread in turns, of five in stretches as well
    SCOPED_TRACE(testing::Message() << count << " threads");
    const Threads threads(count);
    const Computed got = computed(x, CausalLunaForm::scan, torch::kFloat);
    EXPECT_LT((got.y - want.y).abs().max().item<double>(), 1e-5);
    EXPECT_LT(error_beside_largest(got.y, want.y, n / 4 * 3), 1e-4);
    for (size_t i = 0; i < want.gradients.size(); ++i) {
      const auto error_from = [&](int64_t first) {
        return error_beside_largest(got.gradients[i], want.gradients[i], first);
      };
      EXPECT_LT(error_from(0), 1e-5) << "gradient of "
                                     << "qkva"[i];
      EXPECT_LT(error_from(n / 4 * 3), 1e-4) << "gradient of "
                                             << "qkva"[i];
    }
  }
}
INSTANTIATE_TEST_SUITE_P(RowsOfP, CausalLunaOverALongText, testing::Values(16, 32),
                         [](const auto& info) { return std::to_string(info.param); });

TEST(CausalLuna, GoesOnWithSeveralTokensOrWithOne) {
  const LunaInputs x = random_inputs({2, 3, 60}, 8, 5).as(torch::kFloat);
  const torch::NoGradGuard no_grad;
  for (const auto type : {torch::kFloat, torch::kDouble}) {
    const LunaInputs in = x.as(type);
    const Tensor whole = in.in(CausalLunaForm::scan);
    CausalLunaSums sums = CausalLunaSums::of_nothing(2, 3, 5, 8, in.q);
    int64_t done = 0;
    for (const int64_t count : {17, 1, 1, 40, 1}) {
      const auto part = [&](const Tensor& of) { return of.narrow(2, done, count); };
      const auto one = [&](const Tensor& of) { return of.select(2, done); };
      const Tensor y =
          count == 1 ? causal_luna_step(sums, one(in.q), one(in.k), one(in.v), one(in.a), {}).unsqueeze(2)
                     : causal_luna_append(sums, part(in.q), part(in.k), part(in.v), part(in.a), {}, {});
      const double tolerance = type == torch::kFloat ? 1e-6 : 1e-14;
      EXPECT_LT((y - whole.narrow(2, done, count)).abs().max().item<double>(), tolerance) << done;
      done += count;
    }
    EXPECT_TRUE(sums.counts_R.equal(torch::full({2}, 60, torch::kLong)));
  }
}

TEST(CausalLuna, NarrowTypesAreComputedInFp32) {
  for (const auto type : {torch::kBFloat16, torch::kHalf}) {
    const LunaInputs narrow = random_inputs({1, 2, 40}, 8, 5).as(type), wide = narrow.as(torch::kFloat);
    const Tensor got = narrow.in(CausalLunaForm::scan);
    EXPECT_EQ(got.scalar_type(), type);
    EXPECT_TRUE(got.equal(wide.in(CausalLunaForm::scan).to(type)));
    got.sum().backward();
    EXPECT_EQ(narrow.a.grad().scalar_type(), type);
  }
}

/// Products in bf16 while it lives, as in training with that precision.
class NarrowProducts {
 public:
  NarrowProducts() {
    at::autocast::set_autocast_enabled(torch::kCPU, true);
    at::autocast::set_autocast_dtype(torch::kCPU, torch::kBFloat16);
  }
  ~NarrowProducts() {
    at::autocast::set_autocast_enabled(torch::kCPU, false);
    at::autocast::clear_cache();
  }
};

TEST(CausalLuna, AutocastChangesNoForm) {
  const LunaInputs x = random_inputs({2, 2, 150}, 8, 5);
  for (const auto form : {CausalLunaForm::scan, CausalLunaForm::chunks, CausalLunaForm::outer_products}) {
    const Computed want = computed(x, form, torch::kFloat);
    const NarrowProducts narrow;  // forward and backward
    EXPECT_EQ(torch::matmul(torch::ones({2, 2}), torch::ones({2, 2})).scalar_type(), torch::kBFloat16);
    const Computed got = computed(x, form, torch::kFloat);
    EXPECT_TRUE(got.y.equal(want.y));
    for (size_t i = 0; i < want.gradients.size(); ++i)
      EXPECT_TRUE(got.gradients[i].equal(want.gradients[i])) << "gradient of "
                                                             << "qkva"[i];
  }
}

TEST(CausalLuna, AutocastChangesNoTextThatGoesOn) {
  const LunaInputs x = random_inputs({2, 3, 60}, 8, 5).as(torch::kFloat);
  const torch::NoGradGuard no_grad;
  const Tensor whole = x.in(CausalLunaForm::chunks);
  const NarrowProducts narrow;
  CausalLunaSums sums = CausalLunaSums::of_nothing(2, 3, 5, 8, x.q);
  const auto part = [&](const Tensor& of) { return of.narrow(2, 0, 59); };
  const auto last = [&](const Tensor& of) { return of.select(2, 59); };
  const Tensor text = causal_luna_append(sums, part(x.q), part(x.k), part(x.v), part(x.a), {}, {});
  const Tensor token = causal_luna_step(sums, last(x.q), last(x.k), last(x.v), last(x.a), {});
  EXPECT_LT((text - part(whole)).abs().max().item<double>(), 1e-6);
  EXPECT_LT((token - last(whole)).abs().max().item<double>(), 1e-6);
}

/// What is said where something is refused.
template <class Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const c10::Error& e) {
    return e.what_without_backtrace();
  }
  return "accepted";
}

TEST(CausalLuna, OnlyComposedFormsHaveASecondDerivative) {
  const LunaInputs inputs = random_inputs({1, 2, 70}, 4, 3);
  const auto second = [&](CausalLunaForm form, torch::Dtype type) {
    const LunaInputs x = inputs.as(type);
    const auto first = torch::autograd::grad({x.in(form).square().sum()}, {x.q, x.v}, {}, {},
                                             /*create_graph=*/true);
    return torch::autograd::grad({first[0].square().sum() + first[1].square().sum()}, {x.q, x.k, x.v, x.a});
  };
  EXPECT_EQ(refusal([&] { second(CausalLunaForm::scan, torch::kFloat); }),
            "causal Luna's scan has no second derivative: where backward makes a graph (create_graph), form "
            "must be chunks or outer_products");
  const auto want = second(CausalLunaForm::outer_products, torch::kDouble);
  for (const auto& [type, tolerance] : {std::pair{torch::kDouble, 1e-10}, {torch::kFloat, 1e-4}}) {
    const auto got = second(CausalLunaForm::chunks, type);
    for (size_t i = 0; i < want.size(); ++i)
      EXPECT_LT(relative_error(got[i], want[i]), tolerance) << type << ", gradient of "
                                                            << "qkva"[i];
  }
}

std::string message(const LunaInputs& in) {
  return refusal([&] { in.in(CausalLunaForm::scan); });
}

TEST(CausalLuna, ShapesThatDoNotFitAreRefusedByName) {
  const LunaInputs x = random_inputs({2, 3, 10}, 8, 5);
  LunaInputs wrong = x;
  wrong.k = x.k.narrow(2, 0, 9);
  EXPECT_EQ(message(wrong),
            "causal Luna takes q, k and v of one shape [B, H, N, d], not [2, 3, 10, 8], [2, 3, 9, 8] and "
            "[2, 3, 10, 8]");
  wrong = x;
  wrong.a = x.a[0];
  EXPECT_EQ(message(wrong),
            "causal Luna takes a of shape [B, H, N, L] beside q of [2, 3, 10, 8], not [3, 10, 5]");
  wrong = x;
  wrong.counts = torch::ones({2, 9}, torch::kLong);
  EXPECT_EQ(message(wrong), "causal Luna takes counts of shape [B, N] beside q of [2, 3, 10, 8], not [2, 9]");
  wrong = x;
  wrong.masked = torch::zeros({2, 4}, torch::kBool);
  EXPECT_EQ(message(wrong), "causal Luna takes masked of shape [B, L] beside a of [2, 3, 10, 5], not [2, 4]");
}

TEST(CausalLuna, NoTokensAndNoRowsOfPAreRefusedAndNoTextsGiveNothing) {
  const LunaInputs x = random_inputs({2, 3, 10}, 8, 5);
  const auto cut = [&](int64_t dim, int64_t width) {
    const auto some = [&](const Tensor& of) { return of.narrow(dim, 0, width); };
    return LunaInputs{some(x.q), some(x.k), some(x.v), some(x.a), {}, {}, {}};
  };
  EXPECT_EQ(message(cut(2, 0)), "causal Luna takes at least one token and one column, not [2, 3, 0, 8]");
  LunaInputs no_rows = x;
  no_rows.a = x.a.narrow(3, 0, 0);
  EXPECT_EQ(message(no_rows), "causal Luna takes at least one row of P, and a of [2, 3, 10, 0] has none");
  for (const int64_t dim : {0, 1})  // texts, heads
    for (const auto type : {torch::kFloat, torch::kDouble}) {
      const LunaInputs none = cut(dim, 0).as(type);
      const Tensor y = none.in(CausalLunaForm::scan);
      EXPECT_EQ(y.sizes(), none.q.sizes());
      y.sum().backward();
      EXPECT_EQ(none.a.grad().sizes(), none.a.sizes());
    }
}

TEST(CausalLuna, WholeNumbersAreRefused) {
  const LunaInputs x = random_inputs({2, 3, 10}, 8, 5).as(torch::kFloat);
  for (const auto& [name, part] : {std::pair{"q", &LunaInputs::q},
                                   {"k", &LunaInputs::k},
                                   {"v", &LunaInputs::v},
                                   {"a", &LunaInputs::a}}) {
    LunaInputs wrong = x;
    wrong.*part = (x.*part).to(torch::kLong);
    EXPECT_EQ(message(wrong),
              "causal Luna takes q, k, v and a of floating point, and " + std::string(name) + " is of Long");
  }
  LunaInputs wrong = x;
  wrong.masked = torch::zeros({2, 5}, torch::kLong);
  EXPECT_EQ(message(wrong), "causal Luna takes masked of bool, not of Long");
}

TEST(CausalLuna, Fp64BesideOtherTypesIsRefused) {
  const LunaInputs x = random_inputs({2, 3, 10}, 8, 5), single = x.as(torch::kFloat);
  LunaInputs wrong = single;
  wrong.k = x.k;
  EXPECT_EQ(message(wrong),
            "causal Luna takes q, k, v and a all in fp64 or none, and q is of Float and k of Double");
  wrong = x;
  wrong.a = single.a.to(torch::kHalf);
  EXPECT_EQ(message(wrong),
            "causal Luna takes q, k, v and a all in fp64 or none, and q is of Double and a of Half");
  // As autocast has them.
  LunaInputs narrow = single.as(torch::kBFloat16);
  narrow.a = single.a;
  EXPECT_EQ(narrow.in(CausalLunaForm::scan).scalar_type(), torch::kBFloat16);
}

TEST(CausalLuna, CountsThatAreNoneAreRefused) {
  LunaInputs x = random_inputs({1, 2, 3}, 8, 5);
  x.counts = torch::full({1, 3}, NAN);
  EXPECT_EQ(message(x), "causal Luna takes counts of whole numbers, not of Float");
  x.counts = torch::tensor({{1, -2, 3}});
  EXPECT_EQ(message(x), "causal Luna takes counts of 0 or more tokens, not of -2");
}

TEST(CausalLuna, TensorsThatAreNotDenseAreRefused) {
  const LunaInputs x = random_inputs({2, 3, 10}, 8, 5).as(torch::kFloat);
  LunaInputs wrong = x;
  wrong.q = x.q.to_sparse();
  EXPECT_EQ(message(wrong), "causal Luna takes dense tensors, and q is Sparse");
  wrong = x;
  wrong.masked = torch::zeros({2, 5}, torch::kBool).to_sparse();
  EXPECT_EQ(message(wrong), "causal Luna takes dense tensors, and masked is Sparse");
  wrong = x;
  wrong.v = at::_nested_tensor_from_tensor_list({x.v[0].detach(), x.v[1].detach()});
  EXPECT_EQ(message(wrong), "causal Luna takes dense tensors, and v is nested");
  wrong = x;
  wrong.a = Tensor();
  EXPECT_EQ(message(wrong), "causal Luna takes q, k, v and a, and a is missing");
}

TEST(CausalLuna, NumbersThatAreStoredWithTheOtherSignAreReadAsTheyAre) {
  const LunaInputs x = random_inputs({2, 2, 70}, 8, 5).as(torch::kFloat);
  const Tensor want = x.in(CausalLunaForm::scan), dy = torch::randn_like(want);
  const std::vector<Tensor> leaves = {x.q, x.k, x.v, x.a};
  const auto gradients = torch::autograd::grad({want}, leaves, {dy});
  const auto flagged = [](const Tensor& of) { return torch::_neg_view(-of); };
  const LunaInputs other{flagged(x.q), flagged(x.k), flagged(x.v), flagged(x.a), {}, {}, {}};
  ASSERT_TRUE(other.q.is_neg());
  const Tensor y = other.in(CausalLunaForm::scan);
  EXPECT_TRUE(y.equal(want));
  const auto got = torch::autograd::grad({y}, leaves, {flagged(dy)});
  for (size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(got[i].equal(gradients[i])) << "qkva"[i];
}

TEST(CausalLuna, TensorsOfDifferentDevicesAreRefused) {
  LunaInputs x = random_inputs({2, 3, 10}, 8, 5).as(torch::kFloat);
  x.counts = torch::arange(1, 11).expand({2, 10});
  x.masked = torch::zeros({2, 5}, torch::kBool);
  for (const auto& [name, part] : {std::pair{"k", &LunaInputs::k},
                                   {"v", &LunaInputs::v},
                                   {"a", &LunaInputs::a},
                                   {"counts", &LunaInputs::counts},
                                   {"masked", &LunaInputs::masked}}) {
    LunaInputs wrong = x;
    wrong.*part = (x.*part).to(torch::kMeta);
    EXPECT_EQ(message(wrong), "causal Luna takes tensors of one device, and q is on cpu and " +
                                  std::string(name) + " on meta");
  }
}

TEST(CausalLuna, AProbabilityThatIsNoneIsRefused) {
  LunaInputs x = random_inputs({2, 3, 10}, 8, 5);
  for (const auto& [p, word] : {std::pair{-0.1, "-0.1"}, {1.0, "1"}, {1.5, "1.5"}, {NAN, "nan"}}) {
    x.drop = {p, 3};
    EXPECT_EQ(message(x),
              "causal Luna takes a probability of dropout from 0 to below 1, not " + std::string(word));
  }
}

TEST(CausalLuna, SaysWhatHasComputedIt) {
  const LunaInputs x = random_inputs({1, 1, 5}, 4, 3);
  x.as(torch::kFloat).in(CausalLunaForm::scan);
  x.as(torch::kDouble).in(CausalLunaForm::scan);
  const std::string told = causal_luna_forms_run();
  EXPECT_EQ(told.substr(0, 6), "native") << told;
  EXPECT_NE(told.find("chunks"), std::string::npos) << "in double there is no other: " << told;
}

}  // namespace
}  // namespace attnlab
