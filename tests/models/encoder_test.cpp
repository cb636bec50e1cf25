#include "models/encoder.h"

#include <gtest/gtest.h>

#include "models/small_models.h"

namespace attnlab {
namespace {

Encoder encoder_of(const EncoderOptions& options) {
  torch::manual_seed(1);
  Encoder encoder(options, small_vocabulary, small_length);
  encoder->eval();
  return encoder;
}

const Tensor ids = torch::tensor({{19, 5, 6, 7, 8, 9}});

Tensor parameter(const Encoder& encoder, const std::string& name) {
  return encoder->named_parameters()[name];
}

/// The largest change of the output when 0.5 is added to row or element `row` of a parameter.
double effect_of(Encoder encoder, const std::string& name, int64_t row) {
  torch::NoGradGuard no_grad;
  const Tensor before = encoder(ids);
  // An offset along a row would vanish in the next LayerNorm, a slope does not.
  Tensor changed = parameter(encoder, name)[row];
  changed.add_(changed.dim() == 0 ? torch::tensor(0.5) : torch::linspace(0, 0.5, changed.numel()));
  return largest_difference(before, encoder(ids));
}

TEST(Encoder, CarriesPFromLayerToLayer) {
  // What the first layer leaves in P reaches the output through the second; the last layer's P' is read by
  // nothing.
  EXPECT_GT(effect_of(encoder_of(small_options().encoder), "layers.0.state_norm.weight", 3), 1e-3);
  EXPECT_EQ(effect_of(encoder_of(small_options().encoder), "layers.1.state_norm.weight", 3), 0.0);
  EXPECT_GT(effect_of(encoder_of(small_options().encoder), "state", 2), 1e-3);
}

TEST(Encoder, LeavesTheLastStateNormWithoutGradient) {
  EncoderOptions options = small_options().encoder;
  // The fused operator leaves out one more gradient, of a bias that cannot matter.
  dynamic_cast<LunaOptions&>(*options.attention).kernel = LunaOptions::Kernel::plain;
  Encoder encoder = encoder_of(options);
  encoder(ids).square().sum().backward();
  for (const auto& p : encoder->named_parameters())
    EXPECT_EQ(p.value().grad().defined(), !p.key().starts_with("layers.1.state_norm")) << p.key();
}

TEST(Encoder, CutsPToTheLongestSentence) {
  EncoderOptions options = small_options().encoder;
  dynamic_cast<LunaOptions&>(*options.attention).projection_length = 9;
  EXPECT_GT(effect_of(encoder_of(options), "state", 5), 1e-4);
  EXPECT_EQ(effect_of(encoder_of(options), "state", 6), 0.0);  // the sentence has 6 tokens
  dynamic_cast<LunaOptions&>(*options.attention).dynamic_projection = false;
  EXPECT_GT(effect_of(encoder_of(options), "state", 6), 1e-4);
}

TEST(Encoder, CountsPositionsFromTwo) {
  EXPECT_EQ(parameter(encoder_of(small_options().encoder), "positions.weight").size(0), small_length + 2);
  for (int64_t row = 0; row < small_length + 2; ++row) {
    const double effect = effect_of(encoder_of(small_options().encoder), "positions.weight", row);
    if (row >= 2 && row < 2 + ids.size(1))
      EXPECT_GT(effect, 1e-4) << "row " << row;
    else
      EXPECT_EQ(effect, 0.0) << "row " << row;
  }
}

TEST(Encoder, KeepsThePaddingRowsZero) {
  EncoderOptions options = small_options().encoder;
  for (const auto how : {Initialisation::lra, Initialisation::translation, Initialisation::xavier}) {
    options.initialisation = how;
    Encoder encoder = encoder_of(options);
    const PaddedIds batch = padded({{19, 5}, {19, 6, 7, 8}});
    encoder(batch.ids_BN, batch.padding_BN).square().sum().backward();
    for (const char* name : {"tokens.weight", "positions.weight"}) {
      EXPECT_EQ(parameter(encoder, name)[padding_id].abs().max().item<float>(), 0.0F) << name;
      EXPECT_EQ(parameter(encoder, name).grad()[padding_id].abs().max().item<float>(), 0.0F) << name;
    }
  }
}

TEST(Encoder, ZeroingPaddedRowsOnceChangesNoOtherRow) {
  EncoderOptions options = small_options().encoder;
  const PaddedIds batch = padded({{19, 5}, {19, 6, 7, 8, 9}});
  Tensor out[2];
  for (const bool zero : {false, true}) {
    options.zero_padded_once = zero;
    Encoder encoder = encoder_of(options);
    torch::NoGradGuard no_grad;
    parameter(encoder, "embedding_norm.bias").fill_(0.5);  // else padded rows would start at 0 in both
    out[zero] = encoder(batch.ids_BN, batch.padding_BN);
  }
  EXPECT_LT(largest_difference(out[0][0].narrow(0, 0, 2), out[1][0].narrow(0, 0, 2)), 1e-6);
  EXPECT_LT(largest_difference(out[0][1], out[1][1]), 1e-6);
  EXPECT_GT(largest_difference(out[0][0].narrow(0, 2, 3), out[1][0].narrow(0, 2, 3)), 1e-3);
}

TEST(Encoder, SinusoidalPositionsAreFixedAndNotStored) {
  EncoderOptions options = small_options().encoder;
  const Tensor learned = encoder_of(options)(ids);
  options.positions = PositionKind::sinusoidal;
  Encoder encoder = encoder_of(options);
  EXPECT_FALSE(encoder->named_parameters().contains("positions.weight"));
  EXPECT_TRUE(encoder->named_buffers().is_empty());
  EXPECT_GT(largest_difference(learned, encoder(ids)), 1e-3);
  // Two equal tokens at different places come out different.
  const Tensor out = encoder(torch::tensor({{19, 5, 5}}));
  EXPECT_GT(largest_difference(out[0][1], out[0][2]), 1e-3);
}

TEST(Encoder, PreNormEndsWithALayerNorm) {
  EncoderOptions options = small_options().encoder;
  options.norm_first = true;
  Encoder encoder = encoder_of(options);
  EXPECT_TRUE(encoder->named_parameters().contains("final_norm.weight"));
  const Tensor out = encoder(ids);
  EXPECT_LT(out.mean(-1).abs().max().item<float>(), 1e-5);
  EXPECT_NEAR(out.square().mean().item<float>(), 1.0, 1e-2);
}

TEST(Positions, FollowVaswanisFormula) {
  const Tensor table = sinusoidal_table(5, 6);
  for (int64_t p = 0; p < 5; ++p)
    for (int64_t i = 0; i < 3; ++i) {
      const double angle = p / std::pow(10000.0, i / 2.0);
      EXPECT_NEAR(table[p][i].item<double>(), std::sin(angle), 1e-14);
      EXPECT_NEAR(table[p][3 + i].item<double>(), std::cos(angle), 1e-14);
    }
}

TEST(Positions, AreTheSameForASentencePaddedOnEitherSide) {
  Positions positions(PositionKind::learned, 8, 4, Initialisation::lra);
  for (const bool left : {false, true}) {
    const PaddedIds batch = padded({{5, 6, 7}, {5, 6, 7, 8, 9}}, left);
    Tensor x = torch::zeros({2, 5, 4});
    positions->add_to(x, batch.padding_BN);
    const Tensor table = positions->named_parameters()["weight"];
    EXPECT_TRUE(torch::equal(x[0].narrow(0, left ? 2 : 0, 3), table.narrow(0, 2, 3)));
    EXPECT_EQ(x[0].narrow(0, left ? 0 : 3, 2).abs().max().item<float>(), 0.0F);
    EXPECT_TRUE(torch::equal(x[1], table.narrow(0, 2, 5)));
  }
}

}  // namespace
}  // namespace attnlab
