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

TEST(Generate, GoesOnFromCopiesOfWhatPromptsShareAsFromTheStart) {
  Decoder decoder = small_decoder();
  decoder->to(torch::kDouble);
  const Ids shared{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8};
  std::vector<Ids> prompts;
  for (const Ids& tail : {Ids{7, 9, 3}, Ids{2}, Ids{3, 8, 4, 6, 2, 6}}) {
    prompts.push_back(shared);
    prompts.back().insert(prompts.back().end(), tail.begin(), tail.end());
  }
  for (const char* policy : {"full", "tova", "window", "h2o", "random"})
    for (const Prompt prompt : {Prompt::per_step, Prompt::pieces, Prompt::one_shot}) {
      CacheOptions cache;
      cache.policy.select(policy);
      cache.size = 6;
      cache.prompt = prompt;
      cache.piece = 5;
      const auto fresh = [&](int64_t batch) {
        return make_states(cache, state_shape(decoder->options()), {.batch = batch, .dtype = torch::kDouble});
      };
      GenerateOptions options{.max_new_tokens = 10, .seeds = {1, 1, 1}};
      DecoderState read = fresh(1), copies;
      read_ahead(decoder, read, shared);
      copies = copy_of(read, torch::zeros(3, torch::kLong));
      options.read = static_cast<int64_t>(shared.size());
      const Generated together = generate(decoder, copies, prompts, options);
      for (std::size_t i = 0; i < prompts.size(); ++i) {
        DecoderState alone = fresh(1);
        const Generated one = generate(decoder, alone, {prompts[i]}, {.max_new_tokens = 10, .seeds = {1}});
        EXPECT_EQ(together.texts[i].ids, one.texts[0].ids) << policy << ", prompt " << i;
      }
    }
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
  std::unique_ptr<LayerState> copy(const Tensor&) const override { return nullptr; }

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
