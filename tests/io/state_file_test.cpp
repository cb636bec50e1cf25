// States of a text in a file: read back as they were, and what is not of this model's type and size refused.
#include "io/state_file.h"

#include <gtest/gtest.h>

#include <functional>

#include "cache/cache_options.h"
#include "core/error.h"
#include "io/safetensors.h"
#include "io/temporary.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr StateShape softmax_shape{.layers = 2, .heads = 4, .kv_heads = 2, .head_dim = 8};
constexpr StateShape luna_shape{.layers = 2, .heads = 2, .kv_heads = 2, .head_dim = 4, .luna_length = 3};
constexpr const char* model_name = "of this checksum";

DecoderState fresh_states(const StateShape& shape) { return make_states({}, shape, {}); }

/// States after a text of random numbers.
DecoderState states_after(const StateShape& shape, int64_t tokens) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(2);
  DecoderState states = fresh_states(shape);
  const auto random = [&](int64_t heads, int64_t width) { return torch::randn({1, tokens, heads, width}); };
  NewTokens text;
  text.positions_BT = torch::arange(tokens).unsqueeze(0);
  text.ids_BT = torch::zeros({1, tokens}, torch::kLong);
  for (auto& state : states) {
    text.q_BTHd = random(shape.heads, shape.head_dim);
    text.k_BTKd = random(shape.kv_heads, shape.head_dim);
    text.v_BTKd = random(shape.kv_heads, shape.head_dim);
    if (shape.luna_length > 0) text.a_BTHL = random(shape.heads, shape.luna_length).abs();
    state->attend(text, Rope(shape.head_dim, 1e4, {}));
  }
  return states;
}

const StoredText five_ids{{7, 8, 9, 10, 11}, model_name};

class StateFile : public testing::TestWithParam<StateShape> {
 protected:
  fs::path path() const { return folder_ / "text.safetensors"; }
  void save() const { save_state_file(path(), states_after(GetParam(), 4), five_ids); }
  /// The same file with one tensor changed.
  void change(const std::string& changed,
              const std::function<torch::Tensor(const torch::Tensor&)>& how) const {
    NamedTensors tensors;
    Metadata metadata;
    {
      const SafetensorsFile file = SafetensorsFile::open(path());
      metadata = file.metadata();
      for (const SafetensorsEntry& entry : file.entries()) {
        const torch::Tensor tensor = file.tensor(entry.name).clone();
        tensors.emplace_back(entry.name, entry.name == changed ? how(tensor).contiguous() : tensor);
      }
    }
    save_safetensors(path(), tensors, metadata);
  }
  std::string message() const {
    DecoderState states = fresh_states(GetParam());
    try {
      load_state_file(path(), model_name, states);
    } catch (const UserError& error) {
      return error.what();
    }
    return "accepted";
  }

 private:
  Temporary folder_;
};
INSTANTIATE_TEST_SUITE_P(Of, StateFile, testing::Values(softmax_shape, luna_shape), [](const auto& info) {
  return std::string(info.param.luna_length > 0 ? "Luna" : "Softmax");
});

TEST_P(StateFile, IsReadBackAsItWas) {
  save();
  const DecoderState before = states_after(GetParam(), 4);
  DecoderState states = fresh_states(GetParam());
  const StoredText text = load_state_file(path(), model_name, states);
  EXPECT_EQ(text.ids, five_ids.ids);
  for (std::size_t i = 0; i < states.size(); ++i)
    for (const auto& [name, tensor] : before[i]->to_store())
      EXPECT_TRUE(states[i]->to_store().at(name).equal(tensor)) << name;
}

TEST_P(StateFile, OfOtherSizesIsRefused) {
  const bool luna = GetParam().luna_length > 0;
  const std::string name = luna ? "layers.1.sums" : "layers.1.keys";
  const std::vector<std::pair<int64_t, std::string>> cut =
      luna ? std::vector<std::pair<int64_t, std::string>>{{1, "1, 1, 3, 2, 4"},
                                                          {2, "1, 2, 2, 2, 4"},
                                                          {3, "1, 2, 3, 1, 4"},
                                                          {4, "1, 2, 3, 2, 3"}}
           : std::vector<std::pair<int64_t, std::string>>{
                 {1, "1, 1, 4, 8"}, {2, "1, 2, 3, 8"}, {3, "1, 2, 4, 7"}};
  const std::string own = luna ? "1, 2, 3, 2, 4" : "1, 2, 4, 8";
  for (const auto& [dim, sizes] : cut) {
    save();
    change(name, [dim = dim](const torch::Tensor& x) { return x.narrow(dim, 0, x.size(dim) - 1); });
    EXPECT_EQ(message(), path().string() + ": '" + name + "' is of sizes [" + sizes +
                             "], and of a text with 4 tokens read this model keeps [" + own + "]");
  }
}

TEST_P(StateFile, OfAnotherTypeOrWithoutItsIdsIsRefused) {
  const std::string name = GetParam().luna_length > 0 ? "layers.0.sums" : "layers.0.values";
  save();
  change(name, [](const torch::Tensor& x) { return x.to(torch::kBFloat16); });
  EXPECT_NE(message().find("'" + name + "' is of type BF16, and this run keeps another"), std::string::npos)
      << message();
  save();
  change("ids", [](const torch::Tensor& x) { return x.to(torch::kFloat); });
  EXPECT_EQ(message(), path().string() + ": 'ids' is no list of token ids");
  save();
  change("ids", [](const torch::Tensor& x) { return x.narrow(0, 0, 0); });
  EXPECT_EQ(message(), path().string() + ": 'ids' is no list of token ids");
}

}  // namespace
}  // namespace attnlab
