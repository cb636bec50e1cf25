// A decoder and the choice of its tokens on a GPU against the CPU. Not run on a GPU yet.
#include <gtest/gtest.h>

#include "cuda_libraries.h"
#include "models/decoder.h"
#include "models/sampling.h"

namespace attnlab {
namespace {

constexpr int64_t gpu_texts = 2, gpu_length = 90, gpu_vocabulary = 50;

/// Logits of random texts, read at once and then token by token.
Tensor logits_on(torch::Device device, const char* policy) {
  DecoderOptions options;
  options.vocabulary = gpu_vocabulary;
  options.dim = 64;
  options.ffn_dim = 96;
  options.layers = 2;
  options.heads = 4;
  options.kv_heads = 2;
  torch::manual_seed(2);  // all numbers are the host's
  Decoder decoder(options, torch::kFloat);
  const torch::NoGradGuard no_grad;
  for (auto& p : decoder->parameters()) p.normal_(0.0, 0.2);
  const Tensor ids_BT = torch::randint(gpu_vocabulary, {gpu_texts, gpu_length}, torch::kLong).to(device);
  decoder->to(device);
  CacheOptions cache;
  cache.policy.select(policy);
  cache.size = 20;
  DecoderState states = make_states(cache, state_shape(options), {.batch = gpu_texts, .device = device});
  const Tensor positions_BT = torch::arange(gpu_length, ids_BT.options()).expand_as(ids_BT);
  std::vector<Tensor> all;
  for (int64_t begin = 0; begin < gpu_length; begin += begin == 0 ? 70 : 1) {
    const int64_t end = begin == 0 ? 70 : begin + 1;
    const auto part = [&](const Tensor& x) { return x.slice(1, begin, end); };
    all.push_back(decoder->logits(decoder->forward(part(ids_BT), part(positions_BT), {}, states)).cpu());
  }
  return torch::cat(all, 1);
}

/// By age there are no close calls: windows drop the same on both.
TEST(CudaDecoder, LogitsEqualTheCpus) {
  ATTNLAB_NEEDS_CUDA();
  for (const char* policy : {"full", "window"})
    EXPECT_TRUE(torch::allclose(logits_on(torch::kCUDA, policy), logits_on(torch::kCPU, policy), 1e-3, 1e-3))
        << policy;
}

TEST(CudaSampling, ChoosesTheTokensThatTheCpuChooses) {
  ATTNLAB_NEEDS_CUDA();
  torch::manual_seed(6);
  const Tensor logits_BV = (torch::randn({64, 3000}) * 4).round() / 2;  // with equals
  const Tensor uniform_B = torch::rand({64}, torch::kDouble);
  const std::vector<double> uniforms(uniform_B.const_data_ptr<double>(),
                                     uniform_B.const_data_ptr<double>() + 64);
  for (const SamplingOptions& o : {SamplingOptions{}, {1.0, 0, 1.0}, {0.3, 0, 0.9}, {1.5, 40, 0.5}})
    EXPECT_EQ(choose_tokens(logits_BV.to(torch::kCUDA), o, uniforms), choose_tokens(logits_BV, o, uniforms))
        << "temperature " << o.temperature << ", top_k " << o.top_k << ", top_p " << o.top_p;
}

}  // namespace
}  // namespace attnlab
