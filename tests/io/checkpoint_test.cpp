// Checkpoints of a run, of another model, of another version, cut short.
#include "io/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "io/temporary.h"

namespace attnlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Linear(3 → width) and BatchNorm: parameters, real buffers and a whole-number one.
torch::nn::Sequential small_model(int64_t width, int64_t seed) {
  torch::manual_seed(seed);
  torch::nn::Sequential model;
  model->push_back("linear", torch::nn::Linear(3, width));
  model->push_back("norm", torch::nn::BatchNorm1d(width));
  return model;
}

bool same(const torch::nn::Module& a, const torch::nn::Module& b) {
  const NamedTensors left = module_tensors(a), right = module_tensors(b);
  for (std::size_t i = 0; i < left.size(); ++i)
    if (left[i].first != right[i].first || !torch::equal(left[i].second, right[i].second)) return false;
  return left.size() == right.size();
}

TEST(Checkpoint, WeightsKeepTheirNamesAndBits) {
  const Temporary folder;
  auto written = small_model(4, 1);
  auto read = small_model(4, 2);
  written->forward(torch::randn({5, 3}));  // moves the running statistics
  ASSERT_FALSE(same(*written, *read));
  save_weights(folder / "w.safetensors", *written, {{"update", "7"}});
  load_weights(*read, folder / "w.safetensors");
  EXPECT_TRUE(same(*written, *read));

  const auto file = SafetensorsFile::open(folder / "w.safetensors");
  EXPECT_EQ(file.metadata().at("update"), "7");
  EXPECT_NE(file.find("linear.weight"), nullptr);
  EXPECT_NE(file.find("norm.running_mean"), nullptr);
}

TEST(Checkpoint, ARunFolderGivesItsAverageElseItsBestElseItsLast) {
  const Temporary folder;
  auto best = small_model(4, 1), last = small_model(4, 2), read = small_model(4, 3), mean = small_model(4, 4);
  EXPECT_THAT(sentence_of<UserError>([&] { load_weights(*read, folder.path()); }),
              HasSubstr("holds no checkpoint"));

  save_checkpoint(last_checkpoint(folder.path()), module_tensors(*last, "model."), {});
  load_weights(*read, folder.path());
  EXPECT_TRUE(same(*read, *last));

  save_weights(best_checkpoint(folder.path()), *best, {});
  load_weights(*read, folder.path());
  EXPECT_TRUE(same(*read, *best));

  save_weights(average_checkpoint(folder.path()), *mean, {});
  load_weights(*read, folder.path());
  EXPECT_TRUE(same(*read, *mean));
}

TEST(Checkpoint, OfAnotherModelListsThreeDifferencesAndChangesNothing) {
  const Temporary folder;
  save_weights(folder / "w.safetensors", *small_model(4, 1), {});
  auto other = small_model(5, 2), untouched = small_model(5, 2);
  const std::string said = sentence_of<UserError>([&] { load_weights(*other, folder / "w.safetensors"); });
  EXPECT_THAT(said, AllOf(HasSubstr("w.safetensors is of another model"),
                          HasSubstr("'linear.weight' is [4, 3] there and [5, 3] here"),
                          HasSubstr("'linear.bias' is [4] there and [5] here"), HasSubstr("and 3 more")));
  EXPECT_TRUE(same(*other, *untouched));
}

TEST(Checkpoint, NamesThatAreMissingOrUnknownAreSaid) {
  const Temporary folder;
  save_safetensors(folder / "w",
                   {{"linear.weight", torch::ones({1, 1})}, {"decoder.bias", torch::ones({1})}});
  torch::nn::Sequential model;
  model->push_back("linear", torch::nn::Linear(1, 1));
  const std::string said = sentence_of<UserError>([&] { load_weights(*model, folder / "w"); });
  EXPECT_THAT(said, AllOf(HasSubstr("'linear.bias' is missing"), HasSubstr("'decoder.bias' is unknown here"),
                          Not(HasSubstr("more"))));
}

TEST(Checkpoint, HalfPrecisionWeightsFillFullOnesAndWholeNumbersDoNot) {
  const Temporary folder;
  torch::nn::Sequential model;
  model->push_back("linear", torch::nn::Linear(torch::nn::LinearOptions(1, 1).bias(false)));
  save_safetensors(folder / "half", {{"linear.weight", torch::full({1, 1}, 0.5, torch::kBFloat16)}});
  load_weights(*model, folder / "half");
  EXPECT_EQ(model->named_parameters()["linear.weight"].item<float>(), 0.5f);
  save_safetensors(folder / "whole", {{"linear.weight", torch::ones({1, 1}, torch::kInt64)}});
  EXPECT_THAT(sentence_of<UserError>([&] { load_weights(*model, folder / "whole"); }),
              HasSubstr("'linear.weight' is of type I64 there and Float here"));
}

TEST(Checkpoint, OfAnotherVersionIsRefused) {
  const Temporary folder;
  auto model = small_model(4, 1);
  save_safetensors(folder / "last.safetensors", module_tensors(*model, "model."),
                   {{"attnlab_kind", "checkpoint"}, {"checkpoint_version", "2"}});
  const auto expected =
      HasSubstr("last.safetensors is a checkpoint of version 2, and this program reads version 1");
  EXPECT_THAT(sentence_of<UserError>([&] { open_checkpoint(folder / "last.safetensors"); }), expected);
  EXPECT_THAT(sentence_of<UserError>([&] { load_weights(*model, folder / "last.safetensors"); }), expected);
}

TEST(Checkpoint, WeightsAloneAreNoCheckpointToContinueFrom) {
  const Temporary folder;
  save_weights(folder / "best.safetensors", *small_model(4, 1), {});
  EXPECT_THAT(sentence_of<UserError>([&] { open_checkpoint(folder / "best.safetensors"); }),
              HasSubstr("holds weights alone"));
}

TEST(Checkpoint, CutShortAtAnyPlaceIsRefused) {
  const Temporary folder;
  auto model = small_model(4, 1);
  save_checkpoint(folder / "whole", module_tensors(*model, "model."), {});
  const std::string whole = read_bytes(folder / "whole");
  for (std::size_t kept = 0; kept < whole.size(); kept += 13) {
    write_bytes(folder / "cut", std::string_view(whole).substr(0, kept));
    ASSERT_THAT(sentence_of<UserError>([&] { open_checkpoint(folder / "cut"); }),
                HasSubstr("cut is cut short"))
        << kept << " of " << whole.size() << " bytes";
  }
}

}  // namespace
}  // namespace attnlab
