// Continuations: batches, ends, seeds.
#include "models/generate.h"

#include <gtest/gtest.h>

#include "models/plain_state.h"

namespace attnlab {
namespace {

using Ids = std::vector<int64_t>;

Decoder small_decoder() {
  DecoderOptions o;
  o.vocabulary = 23;
  o.dim = 16;
  o.ffn_dim = 24;
  o.layers = 2;
  o.heads = 4;
  o.kv_heads = 2;
  o.max_positions = 40;
  torch::manual_seed(9);
  Decoder decoder(o);
  const torch::NoGradGuard no_grad;
  for (auto& p : decoder->parameters()) p.normal_(0.0, 0.7);
  return decoder;
}

/// The greedy continuation as the definition has it: the whole text anew for every token.
Ids by_hand(Decoder& decoder, Ids text, int64_t count) {
  const torch::NoGradGuard no_grad;
  const std::size_t start = text.size();
  for (int64_t i = 0; i < count; ++i) {
    const Tensor hidden = decoder->forward_training(torch::tensor(text).unsqueeze(0));
    text.push_back(decoder->logits(hidden)[0][-1].argmax().item<int64_t>());
  }
  return {text.begin() + static_cast<std::ptrdiff_t>(start), text.end()};
}

Generated continued(const std::vector<Ids>& prompts, GenerateOptions options) {
  Decoder decoder = small_decoder();
  DecoderState states = plain_states(2);
  if (options.seeds.empty()) options.seeds.assign(prompts.size(), 1);
  return generate(decoder, states, prompts, options);
}

TEST(Generate, IsGreedyByDefaultAndEachTextOfABatchIsAsAlone) {
  Decoder decoder = small_decoder();
  const std::vector<Ids> prompts{{3, 1, 4, 1, 5}, {9, 2}, {6}};
  const Generated all = continued(prompts, {.max_new_tokens = 12});
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    EXPECT_EQ(all.texts[i].ids, by_hand(decoder, prompts[i], 12)) << "prompt " << i;
    EXPECT_EQ(all.texts[i].stopped_by, StoppedBy::max_new_tokens);
  }
}

TEST(Generate, EndsATextAtEosWhileOthersGoOn) {
  Decoder decoder = small_decoder();
  const std::vector<Ids> prompts{{3, 1, 4, 1, 5}, {9, 2}};
  const Ids first = by_hand(decoder, prompts[0], 12), second = by_hand(decoder, prompts[1], 12);
  const int64_t eos = first[3];
  const auto until = [&](const Ids& ids) {
    const auto at = std::find(ids.begin(), ids.end(), eos);
    return Ids(ids.begin(), at == ids.end() ? at : at + 1);
  };
  ASSERT_NE(until(first).size(), until(second).size());
  const Generated all = continued(prompts, {.max_new_tokens = 12, .eos_ids = {22, eos}});
  EXPECT_EQ(all.texts[0].ids, until(first));
  EXPECT_EQ(all.texts[1].ids, until(second));
  EXPECT_EQ(all.texts[0].stopped_by, StoppedBy::eos);
}

TEST(Generate, StopsWhereThePositionsEnd) {
  const Generated all = continued({{3, 1, 4, 1, 5}}, {.max_new_tokens = 12, .last_position = 7});
  EXPECT_EQ(all.texts[0].ids.size(), 4U);  // positions 5, 6, 7, and one that is chosen but never read
  EXPECT_EQ(all.texts[0].stopped_by, StoppedBy::positions);
}

TEST(Generate, SamplesTheSameTextFromASeedAloneOrInABatch) {
  const GenerateOptions sampling{.max_new_tokens = 20, .sampling = {.temperature = 3.0}};
  GenerateOptions options = sampling;
  options.seeds = {7, 8};
  const Generated both = continued({{3, 1}, {3, 1}}, options);
  EXPECT_NE(both.texts[0].ids, both.texts[1].ids);
  options.seeds = {8};
  EXPECT_EQ(continued({{3, 1}}, options).texts[0].ids, both.texts[1].ids);
}

/// Writes down what it is told.
class Listener final : public LayerState {
 public:
  explicit Listener(std::vector<double>& heard) : heard_(heard) {}
  Tensor attend(const NewTokens& tokens, const Rope& rope) override {
    for (int64_t t = 0; t < tokens.ids_BT.size(1); ++t)
      heard_.push_back(tokens.surprisal_BT[0][t].item<double>());
    return plain_.attend(tokens, rope);
  }
  int64_t bytes() const override { return 0; }
  void reorder(const Tensor&) override {}

 private:
  std::vector<double>& heard_;
  PlainState plain_;
};

TEST(Generate, TellsPoliciesHowSurprisingEachTokenWas) {
  Decoder decoder = small_decoder();
  const Ids prompt{3, 1, 4};
  std::vector<double> heard, unread;
  DecoderState states;
  states.push_back(std::make_unique<Listener>(heard));
  states.push_back(std::make_unique<Listener>(unread));
  const Generated all =
      generate(decoder, states, {prompt}, {.max_new_tokens = 3, .surprisal = true, .seeds = {1}});
  Ids text = prompt;
  text.insert(text.end(), all.texts[0].ids.begin(), all.texts[0].ids.end() - 1);  // the last is never read
  const torch::NoGradGuard no_grad;
  const Tensor logits = decoder->logits(decoder->forward_training(torch::tensor(text).unsqueeze(0)))[0];
  const Tensor expected = torch::cross_entropy_loss(logits.slice(0, 0, -1), torch::tensor(text).slice(0, 1),
                                                    {}, at::Reduction::None);
  ASSERT_EQ(heard.size(), text.size());
  EXPECT_EQ(heard[0], 0.0);
  for (std::size_t t = 1; t < text.size(); ++t)
    EXPECT_NEAR(heard[t], expected[static_cast<int64_t>(t) - 1].item<double>(), 1e-4) << t;
}

}  // namespace
}  // namespace attnlab
