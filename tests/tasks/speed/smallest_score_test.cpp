// Every eviction of a real model's text against TOVA's rule and CAOTE's in double: with the states that the
// kernels themselves kept so far, the one that goes has the smallest mean weight, or changes the output
// least. The model is in the mirror.
#include <gtest/gtest.h>

#include <cmath>

#include "cache/cache_options.h"
#include "core/files.h"
#include "data/tokenizer.h"
#include "io/hf_folder.h"
#include "mirror.h"

namespace attnlab {
namespace {

/// Evictions of all lanes, and those of a state whose score is larger than the smallest by more than rounded
/// logits explain.
struct Evictions {
  int64_t all = 0, wrong = 0;
};

/// How far leaving a token out moves each query's output, [H, T, T]: p / (1 − p) ‖v − y‖.
Tensor output_changes(const Tensor& weights_HTT, const Tensor& v_HTd) {
  const Tensor y_HTd = weights_HTT.matmul(v_HTd);
  return weights_HTT / (1.0 - weights_HTT) *
         torch::cdist(y_HTd, v_HTd, 2.0, /*compute_mode=*/2);  // not through products, which cancel
}

/// A bounded state that remembers what it was asked.
class Witness final : public LayerState {
 public:
  Witness(std::unique_ptr<LayerState> state, bool by_output)
      : state_(std::move(state)), by_output_(by_output) {}

  Tensor attend(const NewTokens& tokens, const Rope& rope) override {
    const auto rotated = [&](const Tensor& x) {
      return rope.rotate(x.to(torch::kDouble), tokens.positions_BT)[0];
    };
    queries_.push_back(rotated(tokens.q_BTHd));
    keys_.push_back(rotated(tokens.k_BTKd));
    values_.push_back(tokens.v_BTKd[0].to(torch::kDouble));
    return state_->attend(tokens, rope);
  }
  int64_t bytes() const override { return state_->bytes(); }
  void reorder(const Tensor& rows) override { state_->reorder(rows); }
  std::unique_ptr<LayerState> copy(const Tensor& rows) const override { return state_->copy(rows); }

  void judge(Evictions& evictions) const {
    const Tensor q_HTd = torch::cat(queries_).transpose(0, 1), k_KTd = torch::cat(keys_).transpose(0, 1);
    const Tensor last_GT = state_->expiry()[0];
    const int64_t heads = q_HTd.size(0), tokens = q_HTd.size(1), groups = last_GT.size(0);
    const Tensor at_T1 = torch::arange(tokens).unsqueeze(1), last_G1T = last_GT.unsqueeze(1);
    const Tensor seen_GTT = at_T1.t().le(at_T1).logical_and((last_G1T < 0).logical_or(last_G1T >= at_T1));
    const Tensor logits_HTT =
        q_HTd.matmul(k_KTd.repeat_interleave(heads / k_KTd.size(0), 0).transpose(1, 2)) /
        std::sqrt(q_HTd.size(2));
    const Tensor weights_HTT =
        torch::softmax(
            logits_HTT.unflatten(0, {groups, -1}).masked_fill(seen_GTT.logical_not().unsqueeze(1), -INFINITY),
            -1)
            .flatten(0, 1);
    const Tensor v_KTd = torch::cat(values_).transpose(0, 1);
    const Tensor score_HTT =
        by_output_ ? output_changes(weights_HTT, v_KTd.repeat_interleave(heads / v_KTd.size(0), 0))
                   : weights_HTT;
    const Tensor score_GTT = score_HTT.unflatten(0, {groups, -1}).mean(1);
    const Tensor least_GT = score_GTT.masked_fill(seen_GTT.logical_not(), INFINITY).amin(-1);
    const Tensor gone = torch::nonzero(last_GT >= 0);  // [evictions, 2]: lane, token
    const Tensor lane = gone.select(1, 0), token = gone.select(1, 1), when = last_GT.index({lane, token});
    const Tensor score = score_GTT.index({lane, when, token}), least = least_GT.index({lane, when});
    evictions.all += gone.size(0);
    evictions.wrong += (score > least * 1.001).sum().item<int64_t>();
  }

 private:
  std::unique_ptr<LayerState> state_;
  bool by_output_;
  std::vector<Tensor> queries_, keys_, values_;
};

Evictions evictions_of(HfModel& model, const std::vector<int64_t>& ids, const std::string& policy,
                       int64_t size, Heads heads, int64_t call) {
  const torch::InferenceMode inference;
  CacheOptions cache;
  cache.policy = Choice<PolicyOptions>(policy);
  cache.policy->heads = heads;
  cache.size = size;
  DecoderState states = make_states(cache, state_shape(model.config.decoder), {});
  std::vector<const Witness*> witnesses;
  for (auto& state : states) {
    auto witness = std::make_unique<Witness>(std::move(state), policy == "caote");
    witnesses.push_back(witness.get());
    state = std::move(witness);
  }
  const Tensor ids_BT = torch::tensor(ids).unsqueeze(0), at_BT = torch::arange(ids_BT.size(1)).unsqueeze(0);
  for (int64_t t = 0; t < ids_BT.size(1); t += call)
    model.decoder->forward(ids_BT.slice(1, t, t + call), at_BT.slice(1, t, t + call), {}, states);
  Evictions evictions;
  for (const Witness* witness : witnesses) witness->judge(evictions);
  return evictions;
}

/// The text of the golden losses and a part of it again: as many tokens as the model has positions.
std::vector<int64_t> story(const std::filesystem::path& folder) {
  const std::string text = read_file(ATTNLAB_SOURCE_DIR "/tests/golden/story.txt");
  std::vector<int64_t> ids = Tokenizer::open(folder / "tokenizer.model").encode(text + "\n" + text, true);
  ids.resize(512);
  return ids;
}

class SmallestScore : public testing::TestWithParam<std::tuple<const char*, Heads, int64_t>> {};
INSTANTIATE_TEST_SUITE_P(PolicyHeadsAndSize, SmallestScore,
                         testing::Combine(testing::Values("tova", "caote"),
                                          testing::Values(Heads::layer_wise, Heads::head_wise),
                                          testing::Values(128, 256)));

TEST_P(SmallestScore, GoesAtEveryStep) {
  ATTNLAB_FROM_MIRROR(folder, "models/stories260K");
  HfModel model = load_hf_folder(folder, {.type = torch::kFloat});
  const std::vector<int64_t> ids = story(folder);
  const auto [policy, heads, size] = GetParam();
  for (const int64_t call : {int64_t{512}, int64_t{1}}) {  // blocks, and steps
    const Evictions evictions = evictions_of(model, ids, policy, size, heads, call);
    EXPECT_EQ(evictions.all, 5 * (heads == Heads::head_wise ? 4 : 1) * (512 - size));
    EXPECT_EQ(evictions.wrong, 0) << "in calls of " << call;
  }
}

}  // namespace
}  // namespace attnlab
