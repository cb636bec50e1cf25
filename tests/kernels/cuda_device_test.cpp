// The CUDA operators on a GPU against the native ones on the CPU, and parts of large calls against the whole:
// kernels/cuda/register.cpp. Which decisions may differ says cache/device_check.h. Skipped with its reason
// where there is no GPU or no library for it, failed where ATTNLAB_REQUIRE_CUDA=1.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "cuda_libraries.h"
#include "kernels/bounded_operators.h"
#include "kernels/causal_luna.h"
#include "kernels/dispatched.h"

namespace attnlab {
namespace {

class CudaDevice : public testing::Test {
 protected:
  void SetUp() override {
    ATTNLAB_NEEDS_CUDA();
    torch::manual_seed(5);
  }

  static Tensor on_gpu(const Tensor& x) { return x.to(torch::kCUDA); }
  static void expect_close(const Tensor& got, const Tensor& want, double tolerance) {
    EXPECT_TRUE(torch::allclose(got.to(torch::kCPU, torch::kFloat), want, tolerance, tolerance))
        << "largest difference " << (got.to(torch::kCPU, torch::kFloat) - want).abs().max().item<float>();
  }
};

TEST_F(CudaDevice, StepEqualsTheNativeOne) {
  const auto step = dispatched::attention_step();
  for (const int64_t heads : {4, 8, 24}) {
    const Tensor q = torch::randn({3, heads, 64}), k = torch::randn({3, 4, 257, 64}),
                 v = torch::randn({3, 4, 257, 64}),
                 extent = torch::tensor({257, 100, 1, 0, 40, 256, 33, 32, 31, 5, 200, 257}).view({3, 4}),
                 bias = torch::zeros({3, 4, 257}).masked_fill(torch::rand({3, 4, 257}) < 0.3, -INFINITY);
    const auto [want_y, want_shares] = bounded_attention_step(q, k, v, bias, extent);
    const auto [y, shares] = step.call(on_gpu(q), on_gpu(k), on_gpu(v), on_gpu(bias), on_gpu(extent));
    expect_close(y, want_y, 1e-5);
    expect_close(shares, want_shares, 1e-5);

    const Tensor narrow_q = q.to(torch::kBFloat16), narrow_k = k.to(torch::kBFloat16),
                 narrow_v = v.to(torch::kBFloat16);
    const auto [wide_y, wide_shares] = bounded_attention_step(
        narrow_q.to(torch::kFloat), narrow_k.to(torch::kFloat), narrow_v.to(torch::kFloat), bias, extent);
    const auto [narrow_y, narrow_shares] =
        step.call(on_gpu(narrow_q), on_gpu(narrow_k), on_gpu(narrow_v), on_gpu(bias), on_gpu(extent));
    expect_close(narrow_y, wide_y, 1.0 / 256);  // y is rounded to bf16
    expect_close(narrow_shares, wide_shares, 1e-5);
  }
}

/// More thread blocks than a GPU holds at a time: what is read in parts is what each sequence gives alone.
TEST_F(CudaDevice, ManySequencesAreReadInParts) {
  const auto tova = dispatched::tova_text();
  const auto texts = [] { return torch::randn({200, 24, 8, 16}, torch::kCUDA); };
  const Tensor q = texts(), k = texts(), v = texts();
  const auto [y, expiry] = tova.call(q, k, v, 8);
  for (int64_t b = 0; b < 200; ++b) {
    const auto one = [b](const Tensor& x) { return x.narrow(0, b, 1); };
    const auto [want_y, want_expiry] = tova.call(one(q), one(k), one(v), 8);
    EXPECT_TRUE(one(y).equal(want_y) && one(expiry).equal(want_expiry)) << "sequence " << b;
  }
}

/// LLaMA-2-7B's heads at k = 512, in several cooperative launches. A processor holds 2,048 threads, so 4
/// blocks of 512 at most, and no GPU that this is compiled for has more than 160: one launch is of 640 blocks
/// at most, 20 sequences of 32 heads. Each sequence must be what it is alone.
TEST_F(CudaDevice, WideTextsAreReadInPartsToo) {
  constexpr int64_t sequences = 2048 / 512 * 160 / 32 + 1;
  const auto tova = dispatched::tova_text();
  const auto options = torch::TensorOptions().device(torch::kCUDA).dtype(torch::kBFloat16);
  const auto texts = [&] { return torch::randn({sequences, 1024, 32, 128}, options); };
  const Tensor q = texts(), k = texts(), v = texts();
  const auto [y, expiry] = tova.call(q, k, v, 512);
  for (int64_t b = 0; b < sequences; ++b) {
    const auto one = [b](const Tensor& x) { return x.narrow(0, b, 1); };
    const auto [want_y, want_expiry] = tova.call(one(q), one(k), one(v), 512);
    EXPECT_TRUE(one(y).equal(want_y) && one(expiry).equal(want_expiry)) << "sequence " << b;
  }
}

/// 4,096 tokens: everything up to a token is what the text cut behind it gives, and 512 states are live at
/// the end.
TEST_F(CudaDevice, ALongTextBeginsAsAShortOne) {
  const auto tova = dispatched::tova_text();
  for (const auto type : {torch::kFloat, torch::kBFloat16}) {
    const auto options = torch::TensorOptions().device(torch::kCUDA).dtype(type);
    const Tensor q = torch::randn({1, 4096, 8, 128}, options), k = torch::randn({1, 4096, 4, 128}, options),
                 v = torch::randn({1, 4096, 4, 128}, options);
    const auto [y, expiry] = tova.call(q, k, v, 512);
    EXPECT_EQ(expiry.eq(-1).sum().item<int64_t>(), 512);
    EXPECT_EQ(expiry.ge(0).sum().item<int64_t>(), 4096 - 512);
    const auto cut = [](const Tensor& x) { return x.narrow(1, 0, 1500); };
    const auto [short_y, short_expiry] = tova.call(cut(q), cut(k), cut(v), 512);
    EXPECT_TRUE(cut(y).equal(short_y));
    EXPECT_TRUE(torch::where(cut(expiry) < 1500, cut(expiry), -1).equal(short_expiry));
  }
}

/// 70 sequences of 32 heads, far more blocks than run at a time, and one alone.
TEST_F(CudaDevice, ManySequencesDecodeAsOne) {
  const auto decode = dispatched::decode_step();
  const auto options = torch::TensorOptions().device(torch::kCUDA).dtype(torch::kBFloat16);
  const int64_t batch = 70, kv = 32, d = 128, size = 64;
  struct Kept {
    Tensor k, v, order, counts;
  };
  const auto fresh = [&](int64_t sequences) {
    const Tensor k = torch::zeros({sequences, kv, size + 1, d}, options);
    return Kept{k, k.clone(), torch::zeros({sequences, size + 1}, options.dtype(torch::kLong)),
                torch::zeros({sequences, 3}, options.dtype(torch::kLong))};
  };
  Kept all = fresh(batch), last = fresh(1);
  for (int64_t t = 0; t < 100; ++t) {
    const Tensor q = torch::randn({batch, kv, d}, options), k = torch::randn({batch, kv, d}, options),
                 v = torch::randn({batch, kv, d}, options);
    const auto one = [&](const Tensor& x) { return x.narrow(0, batch - 1, 1); };
    const auto [y, gone] = decode.call(q, k, v, all.k, all.v, all.order, all.counts, size, 0, false, {});
    const auto [want_y, want_gone] =
        decode.call(one(q), one(k), one(v), last.k, last.v, last.order, last.counts, size, 0, false, {});
    ASSERT_TRUE(one(y).equal(want_y) && one(gone).equal(want_gone)) << "token " << t;
  }
}

/// Every mode, with padding: token by token must be the text at once to the bit.
TEST_F(CudaDevice, DecodingEqualsTheTextAtOnce) {
  const auto text = dispatched::bounded_text();
  const auto decode = dispatched::decode_step();
  const int64_t batch = 3, tokens = 90, kv = 2, d = 32, size = 20;
  for (const auto type : {torch::kFloat, torch::kBFloat16})
    for (const bool by_age : {false, true})
      for (const bool apart : {false, true}) {
        const auto options = torch::TensorOptions().device(torch::kCUDA).dtype(type);
        const auto longs = options.dtype(torch::kLong);
        const Tensor q = torch::randn({batch, tokens, 6, d}, options),
                     k = torch::randn({batch, tokens, kv, d}, options),
                     v = torch::randn({batch, tokens, kv, d}, options);
        Tensor present = torch::ones({batch, tokens}, options.dtype(torch::kBool));
        present[0].narrow(0, 0, 9).fill_(false);
        present[1].narrow(0, 80, 10).fill_(false);
        const auto [want_y, want_expiry] = text.call(q, k, v, size, 4, by_age, apart, present);

        const int64_t lanes = apart ? batch * kv : batch;
        const Tensor kept_k = torch::full({batch, kv, size + 1, d}, NAN, options), kept_v = kept_k.clone(),
                     order = torch::empty({lanes, size + 1}, longs), counts = torch::zeros({lanes, 3}, longs);
        Tensor expiry = torch::where(present, -1, -2).to(torch::kCPU).repeat_interleave(lanes / batch, 0);
        for (int64_t t = 0; t < tokens; ++t) {
          const auto [y, dropped] = decode.call(q.select(1, t), k.select(1, t), v.select(1, t), kept_k,
                                                kept_v, order, counts, size, 4, by_age, present.select(1, t));
          EXPECT_TRUE(y.equal(want_y.select(1, t))) << "token " << t;
          const Tensor gone = dropped.cpu();
          for (int64_t lane = 0; lane < lanes; ++lane) {
            const int64_t nth = gone[lane].item<int64_t>();
            const int64_t first =
                lane * batch / lanes == 0 ? 9 : 0;  // the first sequence is padded on its left
            if (nth >= 0) expiry[lane][nth + first] = t;
          }
        }
        EXPECT_TRUE(want_expiry.cpu().view({lanes, tokens}).equal(expiry)) << by_age << apart;
      }
}

TEST_F(CudaDevice, CausalLunaAndItsGradientsEqualTheNativeOnes) {
  // One stretch a head, and several.
  for (const auto& [batch, n, l] : {std::tuple<int64_t, int64_t, int64_t>{64, 100, 16}, {1, 4001, 32}}) {
    std::vector<Tensor> here, there;
    for (const int64_t width : {int64_t{64}, int64_t{64}, int64_t{64}, l}) {
      const Tensor x = torch::randn({batch, n, 8, width}).transpose(1, 2);
      here.push_back((width == l ? x.abs() : x / 8).detach().requires_grad_());
      there.push_back(on_gpu(here.back().detach()).requires_grad_());
    }
    const Tensor dy = torch::randn({batch, n, 8, 64}).transpose(1, 2);
    const auto luna = [](const std::vector<Tensor>& x) {
      return causal_luna(x[0], x[1], x[2], x[3], {}, {}, {});
    };
    const Tensor want = luna(here), got = luna(there);
    expect_close(got, want, 1e-5);
    const auto gradients = torch::autograd::grad({want}, here, {dy}),
               on_device = torch::autograd::grad({got}, there, {on_gpu(dy)});
    for (size_t i = 0; i < here.size(); ++i) expect_close(on_device[i], gradients[i], 1e-4);
  }
}

TEST_F(CudaDevice, CausalLunaBeyondTheSharedMemoryIsComputedAsChunks) {
  const auto random = [](int64_t width) { return torch::randn({1, 2, 80, width}, torch::kCUDA); };
  const Tensor q = random(256), k = random(256), v = random(256), a = random(512).abs();
  EXPECT_TRUE(has_causal_luna_scan(q, random(8)));
  EXPECT_FALSE(has_causal_luna_scan(q, a));
  EXPECT_TRUE(
      causal_luna(q, k, v, a, {}, {}, {}).equal(causal_luna(q, k, v, a, {}, {}, {}, CausalLunaForm::chunks)));
}

TEST_F(CudaDevice, RefusesWhatItCannotDo) {
  const auto tova = dispatched::tova_text();
  const Tensor odd = on_gpu(torch::randn({1, 5, 2, 6}));
  EXPECT_THROW(tova.call(odd, odd, odd, 3), c10::Error);
  const Tensor wide = on_gpu(torch::randn({1, 5, 2, 8})).to(torch::kDouble);
  EXPECT_THROW(tova.call(wide, wide, wide, 3), c10::Error);
}

}  // namespace
}  // namespace attnlab
