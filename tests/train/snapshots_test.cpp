// Averages of weights: over which updates, by what sum, and what a session that dies leaves of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "io/checkpoint.h"
#include "io/temporary.h"
#include "train/file_record.h"
#include "train/snapshots.h"
#include "train/state.h"
#include "train/toy.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TrainOptions averaging(int64_t newest, int64_t interval) {
  TrainOptions options = toy_options();
  options.evaluate_with = EvaluateWith::average;
  options.average_newest = newest;
  options.average_interval = interval;
  return options;
}

TrainOutcome train_toy(const fs::path& folder, const TrainOptions& options, Trainee& trainee) {
  FileRecord record(folder / "record");
  for (const Table& table : training_tables()) record.define(table);
  return train(trainee, options, folder, 1, torch::kCPU, record);
}

torch::Tensor output_weight(const Trainee& trainee) {
  return trainee.model->named_parameters()["out.weight"].detach().clone();
}

/// The trainee's weights before each micro-batch that begins an update, by updates done.
std::map<int64_t, torch::Tensor> weights_by_update() {
  const Temporary folder;
  Trainee trainee = toy_trainee(1);
  TrainOptions options = toy_options();
  options.evaluate_with = EvaluateWith::last;
  std::map<int64_t, torch::Tensor> all;
  trainee.micro_batch = [&, sound = trainee.micro_batch](int64_t m) {
    if (m % options.accumulate == 0) all[m / options.accumulate] = output_weight(trainee);
    return sound(m);
  };
  train_toy(folder.path(), options, trainee);
  all[options.updates] = output_weight(trainee);
  return all;
}

void expect_average(const TrainOptions& options, const std::vector<int64_t>& updates) {
  const std::map<int64_t, torch::Tensor> all = weights_by_update();
  torch::Tensor mean = torch::zeros_like(all.at(1), torch::kFloat64);
  for (const int64_t update : updates)
    mean += all.at(update).to(torch::kFloat64) / static_cast<double>(updates.size());
  const Temporary folder;
  Trainee trainee = toy_trainee(1);
  EXPECT_EQ(train_toy(folder.path(), options, trainee).averaged_updates, updates);
  EXPECT_TRUE(torch::allclose(output_weight(trainee).to(torch::kFloat64), mean, 0, 1e-7));
  EXPECT_EQ(fs::exists(average_checkpoint(folder.path())), options.save);
  EXPECT_FALSE(fs::exists(folder / "checkpoint/snapshots"));
}

TEST(Average, IsOfTheNewestValidatedUpdates) { expect_average(averaging(3, 0), {45, 54, 60}); }

TEST(Average, IsOfEverySoManyUpdatesAndTheLast) { expect_average(averaging(4, 7), {42, 49, 56, 60}); }

TEST(Average, IsOfEverySoManyEpochsAndTheLast) {
  TrainOptions options = averaging(4, 7);
  options.average_epochs = 1.2;
  expect_average(options, {42, 48, 54, 60});
}

TEST(Average, OfFewerThanAskedIsOfThoseThereAre) { expect_average(averaging(10, 25), {25, 50, 60}); }

TEST(Average, InMemoryIsTheSame) {
  TrainOptions options = averaging(3, 0);
  options.save = false;
  expect_average(options, {45, 54, 60});
}

/// Weights after training in the folder, whose session dies before micro-batch `last` where that is not −1.
std::string bytes_after(const fs::path& folder, const TrainOptions& options, int64_t last) {
  Trainee trainee = toy_trainee(1);
  trainee.micro_batch = [last, sound = trainee.micro_batch](int64_t m) {
    if (m == last) throw std::logic_error("dies here");
    return sound(m);
  };
  try {
    train_toy(folder, options, trainee);
  } catch (const std::logic_error&) {
    return "";
  }
  return read_bytes(average_checkpoint(folder));
}

TEST(Average, ASessionThatDiesAnywhereChangesNoBit) {
  const TrainOptions options = averaging(3, 5);
  const Temporary undisturbed;
  const std::string expected = bytes_after(undisturbed.path(), options, -1);
  ASSERT_GT(expected.size(), 500u);
  for (int64_t m = 1; m < 120; m += 7) {
    const Temporary folder;
    bytes_after(folder.path(), options, m);
    EXPECT_EQ(bytes_after(folder.path(), options, -1), expected) << m;
  }
}

TEST(Average, TheDiskHoldsNoMoreThanTheNewest) {
  const Temporary folder;
  bytes_after(folder.path(), averaging(3, 5), 110);  // in update 56
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder / "checkpoint/snapshots"))
    names.push_back(entry.path().filename().string());
  EXPECT_THAT(names, testing::UnorderedElementsAre("45.safetensors", "50.safetensors", "55.safetensors"));
}

TEST(Average, ASnapshotOfAnUpdateThatTheCheckpointDoesNotKnowIsForgotten) {
  const TrainOptions options = averaging(3, 5);
  const Temporary undisturbed, folder;
  bytes_after(folder.path(), options, 110);
  const fs::path snapshots = folder / "checkpoint/snapshots";
  fs::copy(snapshots / "45.safetensors", snapshots / "60.safetensors");
  EXPECT_EQ(bytes_after(folder.path(), options, -1), bytes_after(undisturbed.path(), options, -1));
}

TEST(Average, AFinishedRunReadsItsAverage) {
  const TrainOptions options = averaging(3, 5);
  const Temporary folder;
  const std::string first = bytes_after(folder.path(), options, -1);
  Trainee trainee = toy_trainee(2);
  trainee.micro_batch = [](int64_t) -> MicroBatch { throw std::runtime_error("trained again"); };
  EXPECT_THAT(train_toy(folder.path(), options, trainee).averaged_updates, ElementsAre(50, 55, 60));
  EXPECT_EQ(read_bytes(average_checkpoint(folder.path())), first);
  auto read = toy_trainee(3);
  load_weights(*read.model, folder.path());
  EXPECT_TRUE(torch::equal(output_weight(read), output_weight(trainee)));
}

TEST(Average, AMissingSnapshotIsRefused) {
  const TrainOptions options = averaging(3, 5);
  const Temporary folder;
  bytes_after(folder.path(), options, 119);
  fs::remove(folder / "checkpoint/snapshots/50.safetensors");
  EXPECT_THAT(sentence_of<UserError>([&] {
                TrainOptions shorter = options;
                shorter.average_newest = 4;
                bytes_after(folder.path(), shorter, -1);
              }),
              HasSubstr("50.safetensors is missing, which the run's average is made of"));
}

TEST(Average, WholeNumbersAreRoundedDown) {
  const Temporary folder;
  Toy model(0.0);
  Snapshots snapshots(folder.path(), true, {});
  for (const int64_t count : {3, 4}) {
    const torch::NoGradGuard no_grad;
    model->norm->num_batches_tracked.fill_(count);
    model->norm->running_mean.fill_(static_cast<double>(count));
    snapshots.take(*model, count);
  }
  snapshots.average(*model, {3, 4});
  EXPECT_EQ(model->norm->num_batches_tracked.item<int64_t>(), 3);
  EXPECT_EQ(model->norm->running_mean[0].item<float>(), 3.5f);
}

TEST(Average, AStateWithoutSnapshotsIsReadAsBefore) {
  EXPECT_THAT(to_text(TrainState()), testing::Not(HasSubstr("snapshots")));
  EXPECT_THAT(state_from_text(to_text(TrainState()), "file").snapshots, IsEmpty());
  TrainState state;
  state.snapshots = {5, 10};
  state.best.figures = {{"bleu", 21.25}};
  const TrainState read = state_from_text(to_text(state), "file");
  EXPECT_THAT(read.snapshots, ElementsAre(5, 10));
  EXPECT_EQ(read.best.figures.at(0).name, "bleu");
  EXPECT_EQ(read.best.figures.at(0).value, 21.25);
}

}  // namespace
}  // namespace attnlab
