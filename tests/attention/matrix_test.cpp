// One matrix of demands that every attention enters through entries.cpp.
#include <gtest/gtest.h>

#include "attention/entries.h"
#include "core/error.h"

namespace attnlab {
namespace {

constexpr int64_t D = 8, H = 2;

/// A batch of sentences padded to the longest, on the right or on the left.
struct Batch {
  Tensor x_BND;
  Tensor padding_BN;
  std::vector<int64_t> lengths;
  bool left = false;

  int64_t start(int64_t i) const { return left ? x_BND.size(1) - lengths[i] : 0; }
  /// Rows of sentence i in a tensor laid out like x.
  Tensor rows(const Tensor& y_BND, int64_t i) const { return y_BND[i].narrow(0, start(i), lengths[i]); }
};

Batch make_batch(std::vector<int64_t> lengths, bool left, torch::Dtype type, int64_t extra_padding = 0) {
  const int64_t n = *std::max_element(lengths.begin(), lengths.end()) + extra_padding;
  const int64_t batch = static_cast<int64_t>(lengths.size());
  Batch b{torch::randn({batch, n, D}, type), torch::ones({batch, n}, torch::kBool), std::move(lengths), left};
  for (int64_t i = 0; i < batch; ++i) b.padding_BN[i].narrow(0, b.start(i), b.lengths[i]).fill_(false);
  return b;
}

std::vector<bool> bools_of(const Tensor& mask) {
  std::vector<bool> values;
  if (mask.defined())
    for (int64_t j = 0; j < mask.size(0); ++j) values.push_back(mask[j].item<bool>());
  return values;
}

Tensor tensor_of(const reference::Matrix& m) {
  Tensor t =
      torch::empty({static_cast<int64_t>(m.size()), static_cast<int64_t>(m[0].size())}, torch::kDouble);
  for (size_t i = 0; i < m.size(); ++i)
    for (size_t j = 0; j < m[i].size(); ++j) t[i][j] = m[i][j];
  return t;
}

double difference(const Tensor& a, const Tensor& b) {
  return (a.to(torch::kDouble) - b.to(torch::kDouble)).abs().max().item<double>();
}

/// An absent gradient stands for zero: an operator may leave out what cannot matter, as Luna's does with the
/// bias of pack's keys, which shifts all scores of a row alike.
Tensor grad_or_zeros(const Tensor& x) { return x.grad().defined() ? x.grad() : torch::zeros_like(x); }

class AttentionMatrix : public testing::TestWithParam<AttentionEntry> {
 protected:
  std::shared_ptr<AttentionImpl> build(torch::Dtype type, double dropout = 0.0) {
    torch::manual_seed(1);
    auto attention = GetParam().options()->build({.dim = D, .heads = H, .max_length = 9, .dropout = dropout});
    attention->to(type);
    return attention;
  }

  /// P for a batch: the first rows of one random P, the same for every sentence.
  static Tensor state_of(const AttentionImpl& attention, int64_t batch, const StateExtent& extent,
                         torch::Dtype type) {
    if (attention.state_length() == 0) return {};
    torch::manual_seed(2);
    const Tensor p_LD = torch::randn({attention.state_length(), D}, torch::kDouble).to(type);
    return p_LD.narrow(0, 0, extent.rows).unsqueeze(0).expand({batch, -1, -1});
  }

  /// Self-attention over a batch, as the encoder calls it.
  static AttentionOutput run(AttentionImpl& attention, const Tensor& x_BND, const Tensor& padding_BN) {
    const StateExtent extent = attention.state_extent(padding_BN, x_BND.size(1));
    const Tensor p_BLD = state_of(attention, x_BND.size(0), extent, x_BND.scalar_type());
    return attention.forward(x_BND, x_BND, {padding_BN, padding_BN, extent.masked_BL}, p_BLD);
  }
};

TEST_P(AttentionMatrix, KeepsShapes) {
  auto attention = build(torch::kFloat);
  for (int64_t n : {1, 2, 9}) {
    const AttentionOutput out = run(*attention, torch::randn({3, n, D}), {});
    EXPECT_EQ(out.y_BND.sizes(), (std::vector<int64_t>{3, n, D}));
    const int64_t rows = attention->state_extent({}, n).rows;
    EXPECT_EQ(out.state_BLD.defined(), attention->state_length() > 0);
    if (!out.state_BLD.defined()) continue;
    EXPECT_EQ(out.state_BLD.sizes(), (std::vector<int64_t>{3, rows, D}));
  }
}

TEST_P(AttentionMatrix, ReadsAContextOfAnotherLength) {
  auto attention = build(torch::kDouble);
  const Tensor query_BND = torch::randn({1, 4, D}, torch::kDouble),
               context_BMD = torch::randn({1, 7, D}, torch::kDouble);
  const StateExtent extent = attention->state_extent({}, 7);
  const Tensor p_BLD = state_of(*attention, 1, extent, torch::kDouble);
  const AttentionOutput out = attention->forward(query_BND, context_BMD, {}, p_BLD);
  const reference::Result expected =
      GetParam().reference(reference::Weights(*attention), H,
                           {reference::matrix_of(query_BND[0]),
                            reference::matrix_of(context_BMD[0]),
                            {},
                            p_BLD.defined() ? reference::matrix_of(p_BLD[0]) : reference::Matrix(),
                            {}});
  EXPECT_LT(difference(out.y_BND[0], tensor_of(expected.y)), 1e-12);
}

/// As a translation is made: queries come one by one to a context that was opened once.
TEST_P(AttentionMatrix, ReadsAnOpenedContextQueryByQueryAsAllAtOnce) {
  if (GetParam().options()->counts_queries()) return;  // a translator refuses it
  auto attention = build(torch::kDouble);
  attention->eval();
  const torch::NoGradGuard no_grad;
  const Batch context = make_batch({7, 3}, false, torch::kDouble);
  const Tensor query_BND = torch::randn({2, 4, D}, torch::kDouble);
  const StateExtent extent = attention->state_extent(context.padding_BN, 7);
  const Tensor p_BLD = state_of(*attention, 2, extent, torch::kDouble);
  const Masks masks{{}, context.padding_BN, extent.masked_BL};
  const AttentionOutput all = attention->forward(query_BND, context.x_BND, masks, p_BLD);
  const auto opened = attention->open(context.x_BND, masks, p_BLD);
  for (int64_t t = 0; t < 4; ++t)
    EXPECT_LT(difference(opened->read(query_BND.narrow(1, t, 1)), all.y_BND.narrow(1, t, 1)), 1e-12) << t;
  EXPECT_EQ(opened->state_update().defined(), all.state_BLD.defined());
  if (all.state_BLD.defined()) {
    EXPECT_LT(difference(opened->state_update(), all.state_BLD), 1e-12);
  }
  opened->select(torch::tensor({1}));
  EXPECT_LT(difference(opened->read(query_BND.narrow(0, 1, 1)), all.y_BND.narrow(0, 1, 1)), 1e-12);
}

class AgainstReference : public AttentionMatrix {
 protected:
  void check(torch::Dtype type, bool left, double tolerance) {
    auto attention = build(type);
    const Batch b = make_batch({9, 5, 1, 2}, left, type);
    const StateExtent extent = attention->state_extent(b.padding_BN, b.x_BND.size(1));
    const Tensor p_BLD = state_of(*attention, 4, extent, type);
    const AttentionOutput out = run(*attention, b.x_BND, b.padding_BN);
    for (int64_t i = 0; i < 4; ++i) {
      SCOPED_TRACE("sentence " + std::to_string(i));
      const reference::Matrix x = reference::matrix_of(b.x_BND[i]);
      const reference::Result expected = GetParam().reference(
          reference::Weights(*attention), H,
          {x, x, bools_of(b.padding_BN[i]),
           p_BLD.defined() ? reference::matrix_of(p_BLD[i]) : reference::Matrix(),
           extent.masked_BL.defined() ? bools_of(extent.masked_BL[i]) : std::vector<bool>()});
      EXPECT_LT(
          difference(b.rows(out.y_BND, i), b.rows(tensor_of(expected.y).unsqueeze(0).expand({4, -1, -1}), i)),
          tolerance);
      if (expected.state.empty()) continue;
      EXPECT_LT(difference(out.state_BLD[i], tensor_of(expected.state)), tolerance);
    }
  }
};

TEST_P(AgainstReference, InDoubleRightPadded) { check(torch::kDouble, false, 1e-12); }
TEST_P(AgainstReference, InDoubleLeftPadded) { check(torch::kDouble, true, 1e-12); }
TEST_P(AgainstReference, InFloatRightPadded) { check(torch::kFloat, false, 2e-6); }
TEST_P(AgainstReference, InFloatLeftPadded) { check(torch::kFloat, true, 2e-6); }

TEST_P(AttentionMatrix, GivesAPaddedBatchWhatItGivesEachSentenceAlone) {
  for (const torch::Dtype type : {torch::kFloat, torch::kDouble})
    for (const bool left : {false, true}) {
      SCOPED_TRACE(std::string(torch::toString(type)) + (left ? ", left" : ", right"));
      auto attention = build(type);
      const Batch b = make_batch({5, 1, 9, 4}, left, type, /*extra_padding=*/2);
      const AttentionOutput together = run(*attention, b.x_BND, b.padding_BN);
      const double tolerance = type == torch::kDouble ? 1e-13 : 2e-6;
      for (int64_t i = 0; i < 4; ++i) {
        const AttentionOutput alone = run(*attention, b.rows(b.x_BND, i).unsqueeze(0), {});
        EXPECT_LT(difference(b.rows(together.y_BND, i), alone.y_BND[0]), tolerance) << "sentence " << i;
        if (!alone.state_BLD.defined()) continue;
        // Alone, a short sentence uses fewer rows of the state; those it uses must be the same.
        const int64_t rows = std::min(alone.state_BLD.size(1), together.state_BLD.size(1));
        EXPECT_LT(difference(together.state_BLD[i].narrow(0, 0, rows), alone.state_BLD[0].narrow(0, 0, rows)),
                  tolerance);
      }
    }
}

TEST_P(AttentionMatrix, HasTheGradientsThatFiniteDifferencesGive) {
  auto attention = build(torch::kDouble);
  const Batch b = make_batch({6, 3, 9}, false, torch::kDouble);
  const StateExtent extent = attention->state_extent(b.padding_BN, b.x_BND.size(1));
  const Tensor p_BLD = state_of(*attention, 3, extent, torch::kDouble);
  Tensor query_BND = torch::randn_like(b.x_BND).requires_grad_(),
         context_BMD = b.x_BND.clone().requires_grad_();
  Tensor state_BLD = p_BLD.defined() ? p_BLD.clone().requires_grad_() : Tensor();
  const Tensor read_y = torch::randn_like(b.x_BND) * b.padding_BN.logical_not().unsqueeze(-1);
  const Tensor read_state = p_BLD.defined() ? torch::randn_like(p_BLD.contiguous()) : Tensor();

  const auto loss = [&] {
    const AttentionOutput out =
        attention->forward(query_BND, context_BMD, {b.padding_BN, b.padding_BN, extent.masked_BL}, state_BLD);
    Tensor sum = (out.y_BND * read_y).sum();
    return out.state_BLD.defined() ? sum + (out.state_BLD * read_state).sum() : sum;
  };
  std::vector<std::pair<std::string, Tensor>> inputs{{"query", query_BND}, {"context", context_BMD}};
  if (state_BLD.defined()) inputs.emplace_back("state", state_BLD);
  for (const auto& p : attention->named_parameters()) inputs.emplace_back(p.key(), p.value());

  loss().backward();
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : inputs) {
    const Tensor direction = torch::randn_like(tensor) / std::sqrt(static_cast<double>(tensor.numel()));
    const double expected = (grad_or_zeros(tensor) * direction).sum().item<double>(), step = 1e-5;
    tensor.add_(direction, step);
    const double above = loss().item<double>();
    tensor.sub_(direction, 2 * step);
    const double below = loss().item<double>();
    tensor.add_(direction, step);
    EXPECT_NEAR((above - below) / (2 * step), expected, 1e-7 * std::max(1.0, std::abs(expected))) << name;
  }
}

TEST_P(AttentionMatrix, HasTheSameGradientsInFloatAsInDouble) {
  auto exact = build(torch::kDouble);
  auto fast = build(torch::kFloat);
  torch::manual_seed(3);
  const Batch b = make_batch({6, 3, 9}, false, torch::kDouble);
  const Tensor read = torch::randn_like(b.x_BND) * b.padding_BN.logical_not().unsqueeze(-1);
  const auto gradients = [&](AttentionImpl& attention, torch::Dtype type) {
    Tensor x_BND = b.x_BND.to(type, false, /*copy=*/true).requires_grad_();
    const AttentionOutput out = run(attention, x_BND, b.padding_BN);
    Tensor loss = (out.y_BND * read.to(type)).sum();
    if (out.state_BLD.defined()) loss = loss + out.state_BLD.square().sum();
    loss.backward();
    std::vector<std::pair<std::string, Tensor>> all{{"x", x_BND.grad()}};
    for (const auto& p : attention.named_parameters()) all.emplace_back(p.key(), grad_or_zeros(p.value()));
    return all;
  };
  const auto of_double = gradients(*exact, torch::kDouble), of_float = gradients(*fast, torch::kFloat);
  for (size_t i = 0; i < of_double.size(); ++i) {
    const double scale = std::max(1.0, of_double[i].second.abs().max().item<double>());
    EXPECT_LT(difference(of_double[i].second, of_float[i].second), 1e-5 * scale) << of_double[i].first;
  }
}

TEST_P(AttentionMatrix, DropsWeightsInTrainingOnlyAndReplaysThemFromTheSeed) {
  auto attention = build(torch::kFloat, 0.5);
  const Tensor x_BND = torch::randn({2, 9, D});
  const auto y_after_seed = [&](uint64_t seed) {
    torch::manual_seed(seed);
    const StateExtent extent = attention->state_extent({}, 9);
    Tensor p_BLD;
    if (attention->state_length() > 0) p_BLD = torch::ones({2, extent.rows, D}) / 3;
    return attention->forward(x_BND, x_BND, {}, p_BLD).y_BND;
  };
  attention->train();
  EXPECT_TRUE(torch::equal(y_after_seed(7), y_after_seed(7)));
  if (GetParam().has_weights)
    EXPECT_GT(difference(y_after_seed(7), y_after_seed(8)), 1e-3);
  else
    EXPECT_TRUE(torch::equal(y_after_seed(7), y_after_seed(8)));
  attention->eval();
  EXPECT_TRUE(torch::equal(y_after_seed(7), y_after_seed(8)));
}

TEST_P(AttentionMatrix, CountsItsOperations) {
  auto attention = build(torch::kFloat);
  EXPECT_GT(attention->flops(8, 8), 0);
  // Everything but the projections of a carried state grows at least in proportion to the length.
  EXPECT_GT(attention->flops(1600, 1600), 1.9 * attention->flops(800, 800));
}

TEST_P(AttentionMatrix, RefusesHeadsThatDoNotDivideTheWidth) {
  EXPECT_THROW(GetParam().options()->build({.dim = 10, .heads = 4}), UserError);
}

const auto name_of_entry = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Every, AttentionMatrix, testing::ValuesIn(entries()), name_of_entry);
INSTANTIATE_TEST_SUITE_P(Every, AgainstReference, testing::ValuesIn(entries()), name_of_entry);

TEST(AttentionRegistry, EveryNameEntersTheMatrix) {
  for (const auto& registered : registry<AttentionOptions>()) {
    bool entered = false;
    for (const auto& entry : entries()) entered |= entry.name.starts_with(registered.name);
    EXPECT_TRUE(entered) << registered.name << " has no line in tests/attention/entries.cpp";
  }
}

}  // namespace
}  // namespace attnlab
