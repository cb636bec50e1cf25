// The algorithm of causal Luna's CUDA kernels (kernels/cuda/luna_scan.h) on emulated blocks of threads, in
// double: against the products over chunks, values and gradients.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "kernels/causal_luna.h"
#include "kernels/cuda/luna_checks.h"
#include "kernels/cuda/luna_scan.h"
#include "kernels/emulated_block.h"
#include "kernels/relative_error.h"

namespace attnlab::cuda {
namespace {

struct EmulatedCase {
  int64_t batch, heads, n, d, l;
  int stretch;
  bool dropout = false, masked = false, padded = false;
};

HeadRows<double> rows_of(const Tensor& x) {
  return {x.mutable_data_ptr<double>(), x.stride(0), x.stride(1), x.stride(2)};
}
HeadRows<const double> read_rows(const Tensor& x) {
  return {x.const_data_ptr<double>(), x.stride(0), x.stride(1), x.stride(2)};
}

/// All passes of one call, blocks in either order of threads.
class EmulatedLuna {
 public:
  EmulatedLuna(const LunaCall<double>& call, BlockKind kind) : call_(call), kind_(kind) {}

  void run(LunaPass pass, const Tensor& sums) {
    call_.sums = sums.mutable_data_ptr<double>();
    for (int64_t unit = 0; unit < int64_t{call_.batch} * call_.heads * call_.each; ++unit) {
      std::vector<double> memory(static_cast<size_t>(luna_memory(call_.d, call_.l)),
                                 std::numeric_limits<double>::quiet_NaN());
      EmulatedBlock block(kind_, 1);
      luna_pass(block, pass, call_, unit, memory.data());
    }
  }

 private:
  LunaCall<double> call_;
  BlockKind kind_;
};

/// Exclusive sums over the stretches of a head, from the first on or from the last.
Tensor before(const Tensor& own_XSk) {
  return at::constant_pad_nd(own_XSk.narrow(1, 0, own_XSk.size(1) - 1).cumsum(1), {0, 0, 1, 0});
}
Tensor behind(const Tensor& own_XSk) { return before(own_XSk.flip(1)).flip(1).contiguous(); }

void expect_as_composed(const EmulatedCase& c, BlockKind kind) {
  SCOPED_TRACE(testing::Message() << "n " << c.n << ", d " << c.d << ", l " << c.l << ", stretches of "
                                  << c.stretch);
  torch::manual_seed(4);
  const auto random = [&](int64_t width) {  // heads side by side in a token's row
    return torch::randn({c.batch, c.n, c.heads, width}, torch::kDouble).transpose(1, 2).requires_grad_();
  };
  const Tensor q = random(c.d), k = random(c.d), v = random(c.d);
  Tensor a = torch::rand({c.batch, c.heads, c.n, c.l}, torch::kDouble), counts, masked;
  const Drop drop{c.dropout ? 0.3 : 0.0, 5};
  if (c.padded) {
    Tensor real = torch::ones({c.batch, c.n}, torch::kBool);
    real[0].slice(0, 0, 5) = false;
    counts = real.cumsum(1);
    a = a * real.unsqueeze(1).unsqueeze(-1);
  }
  a.requires_grad_();
  if (c.masked) {
    masked = torch::zeros({c.batch, c.l}, torch::kBool);
    masked[0][0] = true;
  }
  const Tensor want = causal_luna(q, k, v, a, counts, masked, drop, CausalLunaForm::chunks);
  const Tensor dy = torch::randn_like(want);
  const auto gradients = torch::autograd::grad({want}, {q, k, v, a}, {dy});

  const torch::NoGradGuard no_grad;
  const Tensor parts = counts.defined() ? counts.to(torch::kDouble).clamp_min(1).reciprocal().contiguous()
                                        : torch::arange(1, c.n + 1, torch::kDouble).reciprocal();
  const Tensor bias = masked.defined() ? torch::zeros({c.batch, c.l}, torch::kDouble)
                                             .masked_fill(masked, -std::numeric_limits<double>::infinity())
                                       : Tensor();
  const Tensor mask = c.dropout ? dropout_mask(a, drop).contiguous() : Tensor();
  const Tensor u = torch::empty({c.batch, c.heads, c.n, c.l}, torch::kDouble), dlogits = torch::empty_like(u);
  const Tensor y = torch::empty_like(q), dq = torch::empty_like(q), dk = torch::empty_like(q),
               dv = torch::empty_like(q), da = torch::empty_like(a);
  const int each = static_cast<int>((c.n + c.stretch - 1) / c.stretch);
  const LunaCall<double> call{.batch = static_cast<int>(c.batch),
                              .heads = static_cast<int>(c.heads),
                              .tokens = static_cast<int>(c.n),
                              .d = static_cast<int>(c.d),
                              .l = static_cast<int>(c.l),
                              .stretch = c.stretch,
                              .each = each,
                              .q = read_rows(q),
                              .k = read_rows(k),
                              .v = read_rows(v),
                              .a = read_rows(a),
                              .parts = parts.const_data_ptr<double>(),
                              .parts_of_text = counts.defined() ? c.n : 0,
                              .bias = bias.defined() ? bias.const_data_ptr<double>() : nullptr,
                              .mask = mask.defined() ? mask.const_data_ptr<double>() : nullptr,
                              .u = u.mutable_data_ptr<double>(),
                              .y = rows_of(y),
                              .dy = read_rows(dy),
                              .dq = rows_of(dq),
                              .dk = rows_of(dk),
                              .dv = rows_of(dv),
                              .da = rows_of(da),
                              .dlogits = dlogits.mutable_data_ptr<double>()};
  EmulatedLuna luna(call, kind);
  const Tensor own = torch::empty({c.batch * c.heads, each, c.l * 2 * c.d}, torch::kDouble);
  luna.run(LunaPass::sums, own);
  const Tensor sums = before(own);
  luna.run(LunaPass::forward, sums);
  luna.run(LunaPass::backward_queries, sums);
  luna.run(LunaPass::suffix_sums, own);
  luna.run(LunaPass::backward_keys, behind(own));
  EXPECT_LT(relative_error(y, want), 1e-10);
  EXPECT_LT(relative_error(dq, gradients[0]), 1e-10);
  EXPECT_LT(relative_error(dk, gradients[1]), 1e-10);
  EXPECT_LT(relative_error(dv, gradients[2]), 1e-10);
  EXPECT_LT(relative_error(da, gradients[3]), 1e-10);
}

TEST(CudaEmulatedLuna, EqualsTheComposedFormWithGradients) {
  for (const bool backwards : {false, true}) {
    const BlockKind kind{64, backwards};
    expect_as_composed({2, 2, 1, 8, 4, 32}, kind);
    expect_as_composed({2, 3, 70, 8, 5, 128}, kind);                   // one stretch
    expect_as_composed({1, 2, 200, 16, 16, 64}, kind);                 // several, the last of them short
    expect_as_composed({2, 2, 70, 7, 3, 32, true}, kind);              // dropout
    expect_as_composed({2, 2, 70, 8, 5, 64, false, true}, kind);       // a row of P that must not be read
    expect_as_composed({2, 2, 70, 8, 5, 64, true, true, true}, kind);  // and padding on the left
  }
}

TEST(CudaLunaChecks, NameWhatDoesNotFit) {
  const Tensor q = torch::ones({2, 3, 10, 8}), a = torch::ones({2, 3, 10, 5}), parts = torch::ones({1, 10}),
               bias = torch::zeros({2, 5});
  const auto said = [](const LunaArguments& x) -> std::string {
    try {
      check_luna_arguments(x);
    } catch (const c10::Error& e) {
      return e.what_without_backtrace();
    }
    return "accepted";
  };
  const auto shapes = [](const std::string& name, const std::string& shape, const std::string& got) {
    return "causal Luna takes " + name + " of shape " + shape + " beside q of [2, 3, 10, 8], not " + got;
  };
  EXPECT_EQ(said({q, q, q, a, parts}), "accepted");
  EXPECT_EQ(said({q, q, q, a, parts.expand({2, 10}), bias, a, a, q}), "accepted");
  EXPECT_EQ(
      said({q[0], q, q, a, parts}),
      "causal Luna takes q of shape [B, H, N, d] with at least one token and one column, not [3, 10, 8]");
  EXPECT_EQ(said({q, q[0], q, a, parts}), shapes("k", "[B, H, N, d]", "[3, 10, 8]"));
  EXPECT_EQ(said({q, q, a, a, parts}), shapes("v", "[B, H, N, d]", "[2, 3, 10, 5]"));
  EXPECT_EQ(said({q, q, q, a[0], parts}), shapes("a", "[B, H, N, L]", "[3, 10, 5]"));
  EXPECT_EQ(said({q, q, q, a, parts[0]}), shapes("parts", "[1, N] or [B, N]", "[10]"));
  EXPECT_EQ(said({q, q, q, a, parts, bias[0]}), shapes("bias", "[B, L]", "[5]"));
  EXPECT_EQ(said({q, q, q, a, parts, {}, q}), shapes("mask", "[B, H, N, L]", "[2, 3, 10, 8]"));
  EXPECT_EQ(said({q, q, q, a, parts, {}, {}, q}), shapes("u", "[B, H, N, L]", "[2, 3, 10, 8]"));
  EXPECT_EQ(said({q, q, q, a, parts, {}, {}, a, a}), shapes("dy", "[B, H, N, d]", "[2, 3, 10, 5]"));
  EXPECT_EQ(said({q, q, q, a, parts.to(torch::kDouble)}),
            "causal Luna takes fp32 tensors on one device, and parts is of Double on cpu beside q on cpu");
  EXPECT_EQ(said({q, q, q, a, parts, bias.to(torch::kMeta)}),
            "causal Luna takes fp32 tensors on one device, and bias is of Float on meta beside q on cpu");
}

// The largest shared memory of a block, CUDA's programming guide: 163 KiB on sm_80, 227 KiB on sm_90.
TEST(CudaEmulatedLuna, SaysWhichSizesFitTheSharedMemoryOfADevice) {
  constexpr int64_t a100 = 163 << 10, h100 = 227 << 10, n = 4096;
  for (const int64_t l : {1, 16, 32, 64, 128}) EXPECT_TRUE(luna_fits(n, 64, l, a100)) << l;
  EXPECT_FALSE(luna_fits(n, 64, 256, a100));
  EXPECT_TRUE(luna_fits(n, 64, 256, h100));
  EXPECT_FALSE(luna_fits(n, 128, 256, h100));
  // To the byte, and up to the last token that an int counts.
  const int64_t bytes = 4 * luna_memory(64, 16);
  EXPECT_TRUE(luna_fits(n, 64, 16, bytes));
  EXPECT_FALSE(luna_fits(n, 64, 16, bytes - 1));
  EXPECT_TRUE(luna_fits((int64_t{1} << 27) - 1, 64, 16, a100));
  EXPECT_FALSE(luna_fits(int64_t{1} << 27, 64, 16, a100));
}

}  // namespace
}  // namespace attnlab::cuda
