// A beam over a translator: what is found has the probability that the model gives it when it is given whole,
// and is the same in any batch.
#include <gtest/gtest.h>

#include "attention/causal_luna.h"
#include "core/random.h"
#include "models/beam_search.h"
#include "models/small_models.h"
#include "models/translator_steps.h"

namespace attnlab {
namespace {

constexpr int64_t end_symbol = 2, padding_symbol = 1;
const std::vector<std::vector<int64_t>> sources{
    {5, 6, 7, 8, 9, 10}, {11, 12, 13}, {14}, {15, 16, 17, 18, 5, 6, 7}};

Translator model_to_search(bool luna) {
  TranslatorOptions o;
  o.encoder.dim = 8;
  o.encoder.heads = 2;
  o.encoder.ffn_dim = 12;
  o.encoder.layers = o.decoder_layers = 2;
  if (luna) {
    for (auto* attention : {&o.encoder.attention, &o.cross_attention}) {
      *attention = Choice<AttentionOptions>("luna");
      dynamic_cast<LunaOptions&>(**attention).projection_length = 4;
    }
    o.self_attention = Choice<CausalAttentionOptions>("luna");
  }
  torch::manual_seed(7);
  Translator model(o, small_vocabulary, 90);
  for (Tensor& p : model->parameters()) p.data().mul_(p.dim() > 1 ? 2 : 1);  // less flat
  model->to(torch::kDouble);
  model->eval();
  return model;
}

/// In fp32 and wide enough that threads share the work.
Translator wide_model(const char* attention, const char* causal) {
  TranslatorOptions o;
  o.encoder.dim = 128;
  o.encoder.heads = 4;
  o.encoder.ffn_dim = 256;
  o.encoder.layers = o.decoder_layers = 2;
  o.encoder.attention = o.cross_attention = Choice<AttentionOptions>(attention);
  o.self_attention = Choice<CausalAttentionOptions>(causal);
  torch::manual_seed(11);
  Translator model(o, 400, 90);
  model->eval();
  return model;
}

std::vector<std::vector<int64_t>> drawn_sources(int64_t count) {
  Random random(5);
  std::vector<std::vector<int64_t>> all(static_cast<std::size_t>(count));
  for (auto& source : all) {
    source.resize(1 + random.below(30));
    for (int64_t& id : source) id = static_cast<int64_t>(4 + random.below(396));
  }
  return all;
}

std::vector<std::vector<Hypothesis>> searched(const Translator& model,
                                              const std::vector<std::vector<int64_t>>& texts,
                                              const BeamOptions& options) {
  const torch::NoGradGuard no_grad;
  const PaddedIds source = padded(texts);
  TranslatorSteps steps(model, Translator(model)->encode(source.ids_BN, source.padding_BN));
  SearchBatch batch{.symbols = {end_symbol, end_symbol, padding_symbol}};
  for (const auto& text : texts) batch.source_lengths.push_back(static_cast<int64_t>(text.size()));
  return beam_search(steps, batch, options);
}

double log_probability_given_whole(Translator model, const std::vector<int64_t>& source,
                                   std::vector<int64_t> ids) {
  const torch::NoGradGuard no_grad;
  ids.insert(ids.begin(), end_symbol);
  const Encoded encoded = model->encode(torch::tensor(source).unsqueeze(0), {});
  const Tensor hidden_TD = model->decode(torch::tensor(ids).unsqueeze(0), {}, encoded)[0];
  const Tensor log_p_TV = at::linear(hidden_TD, model->projection()).log_softmax(-1);
  ids.push_back(end_symbol);
  const Tensor next_T = torch::tensor(std::vector<int64_t>(ids.begin() + 1, ids.end()));
  return log_p_TV.gather(1, next_T.unsqueeze(1)).sum().item<double>();
}

TEST(TranslatorSearch, FindsTextsOfTheModelsOwnProbabilityWhateverTheBatch) {
  for (const bool luna : {false, true})
    for (const auto stop : {BeamOptions::Stop::safe, BeamOptions::Stop::fairseq}) {
      const Translator model = model_to_search(luna);
      BeamOptions o;
      o.beam = 4;
      o.n_best = 3;
      o.stop = stop;
      o.max_length_a = 1.5;
      o.max_length_b = 3;
      const auto together = searched(model, sources, o);
      for (std::size_t i = 0; i < sources.size(); ++i) {
        const auto alone = searched(model, {sources[i]}, o).front();
        ASSERT_EQ(together[i].size(), 3u);
        for (std::size_t n = 0; n < 3; ++n) {
          EXPECT_EQ(together[i][n].ids, alone[n].ids);
          EXPECT_NEAR(together[i][n].score, alone[n].score, 1e-10);
          EXPECT_NEAR(alone[n].log_probability, log_probability_given_whole(model, sources[i], alone[n].ids),
                      1e-9);
        }
      }
    }
}

TEST(TranslatorSearch, FindsTheSameWithTwoThreadsAsWithOne) {
  const int threads = at::get_num_threads();
  for (const auto& [attention, causal] : {std::pair{"softmax", "softmax"}, {"luna", "luna"}}) {
    const Translator model = wide_model(attention, causal);
    const auto texts = drawn_sources(24);
    const BeamOptions o{.beam = 4, .max_length_a = 1, .max_length_b = 4};
    at::set_num_threads(1);
    const auto by_one = searched(model, texts, o);
    at::set_num_threads(2);
    const auto by_two = searched(model, texts, o);
    at::set_num_threads(threads);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      EXPECT_EQ(by_one[i].front().ids, by_two[i].front().ids) << attention << ", source " << i;
      EXPECT_NEAR(by_one[i].front().score, by_two[i].front().score, 1e-5) << attention << ", source " << i;
    }
  }
}

}  // namespace
}  // namespace attnlab
