// The loop: what it records, when it validates, which weights it leaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "io/checkpoint.h"
#include "io/temporary.h"
#include "train/file_record.h"
#include "train/toy.h"

namespace attnlab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* rows_of_training = "/train";
constexpr const char* rows_of_validation = "/eval/validation_curve";

struct Loop : testing::Test {
  Loop() : record(folder / "record") {
    for (const Table& table : training_tables()) record.define(table);
  }
  TrainOutcome run(Trainee& trainee) {
    return train(trainee, options, folder.path(), 1, torch::kCPU, record);
  }

  std::vector<std::string> column(const std::string& table, std::size_t index) const {
    std::vector<std::string> cells;
    for (std::size_t row = 0; row < record.lines(table).size(); ++row)
      cells.push_back(record.cell(table, row, index));
    return cells;
  }
  /// Validation values are given out in this order, whatever the model says.
  void script(Trainee& trainee, std::vector<double> values) {
    trainee.validate = [values, next = std::size_t{0}]() mutable {
      return Validation{values.at(next++), 0.1, 0.5, 64};
    };
  }

  Temporary folder;
  FileRecord record;
  TrainOptions options = toy_options();
};

TEST_F(Loop, WritesARowAnIntervalAndTheRestAtTheEnd) {
  Trainee trainee = toy_trainee(1);
  options.updates = 20;
  run(trainee);
  EXPECT_THAT(column(rows_of_training, 0), ElementsAre("7", "14", "20"));
  EXPECT_THAT(column(rows_of_training, 5), ElementsAre("112", "224", "320"));  // examples: 2 × 8 an update
  EXPECT_THAT(column(rows_of_validation, 0), ElementsAre("9", "18", "20"));
}

TEST_F(Loop, TheLossOfARowIsTheMeanOverItsInterval) {
  Trainee trainee = toy_trainee(1);
  const auto sound = trainee.micro_batch;
  std::vector<double> losses;
  trainee.micro_batch = [&](int64_t m) {
    MicroBatch batch = sound(m);
    losses.push_back(batch.loss.item<double>());
    return batch;
  };
  options.updates = options.log_interval = 5;
  run(trainee);
  double mean = 0;
  for (const double loss : losses) mean += loss / 10;  // 5 updates of 2 micro-batches
  EXPECT_EQ(losses.size(), 10u);
  EXPECT_NEAR(std::stod(record.cell(rows_of_training, 0, 1)), mean, 1e-12);
}

TEST_F(Loop, TheToyIsLearned) {
  Trainee trainee = toy_trainee(1, 0.0);
  options.updates = 300;
  const TrainOutcome outcome = run(trainee);
  EXPECT_GT(outcome.best.value, 0.75);
  EXPECT_EQ(outcome.updates, 300);
  EXPECT_GT(outcome.tokens_per_second, 0);
  EXPECT_GT(outcome.harness_share, 0);
  EXPECT_LT(outcome.harness_share, 1);
  EXPECT_EQ(record.summary.at("harness_share").value, outcome.harness_share);
}

TEST_F(Loop, TheTimeOfTheDataIsTheHarnesss) {
  Trainee trainee = toy_trainee(1);
  const auto sound = trainee.micro_batch;
  trainee.micro_batch = [&](int64_t m) {
    MicroBatch batch = sound(m);
    batch.data_seconds = 1.0;
    return batch;
  };
  options.updates = 5;
  run(trainee);
  const double steps = record.summary.at("update_seconds").value;
  EXPECT_GT(record.summary.at("harness_share").value * steps, 10.0);  // 5 updates of 2 micro-batches
}

TEST_F(Loop, LeavesTheBestWeightsOrTheLast) {
  for (const EvaluateWith choice : {EvaluateWith::best, EvaluateWith::last})
    for (const bool save : {true, false}) {
      const Temporary place;
      Trainee trainee = toy_trainee(1);
      std::vector<torch::Tensor> at_validation;
      trainee.validate = [&] {
        at_validation.push_back(trainee.model->named_parameters()["out.weight"].detach().clone());
        return Validation{at_validation.size() == 2 ? 0.9 : 0.4, 0.1, 0.5, 64};
      };
      options.evaluate_with = choice;
      options.save = save;
      FileRecord fresh(place / "record");
      for (const Table& table : training_tables()) fresh.define(table);
      const TrainOutcome outcome = train(trainee, options, place.path(), 1, torch::kCPU, fresh);
      EXPECT_EQ(outcome.best_update, 18);
      EXPECT_EQ(outcome.best.value, 0.9);
      const std::size_t expected = choice == EvaluateWith::best ? 1 : at_validation.size() - 1;
      EXPECT_TRUE(torch::equal(trainee.model->named_parameters()["out.weight"], at_validation.at(expected)))
          << (choice == EvaluateWith::best ? "best" : "last") << (save ? ", saved" : ", not saved");
      EXPECT_EQ(std::filesystem::exists(place / "checkpoint"), save);
      EXPECT_FALSE(trainee.model->is_training());
    }
}

TEST_F(Loop, KeepsBestWeightsWhereTheyAreEvaluatedAndElseGivesTheLast) {
  for (const EvaluateWith choice : {EvaluateWith::best, EvaluateWith::last}) {
    const Temporary place;
    Trainee trainee = toy_trainee(1);
    script(trainee, {0.9, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1});
    options.evaluate_with = choice;
    FileRecord fresh(place / "record");
    for (const Table& table : training_tables()) fresh.define(table);
    train(trainee, options, place.path(), 1, torch::kCPU, fresh);
    EXPECT_EQ(weights_file(place.path()),
              choice == EvaluateWith::best ? best_checkpoint(place.path()) : last_checkpoint(place.path()));
    const Trainee again = toy_trainee(2);
    load_weights(*again.model, place.path());
    EXPECT_TRUE(torch::equal(again.model->named_parameters()["out.weight"],
                             trainee.model->named_parameters()["out.weight"]));
  }
}

TEST_F(Loop, ThatIsEvaluatedWithItsLastWeightsForgetsBestOnesThatAnEarlierVersionKept) {
  options.evaluate_with = EvaluateWith::last;
  Trainee trainee = toy_trainee(1);
  run(trainee);
  save_weights(best_checkpoint(folder.path()), *toy_trainee(2).model, {});
  Trainee again = toy_trainee(1);
  run(again);
  EXPECT_EQ(weights_file(folder.path()), last_checkpoint(folder.path()));
}

TEST_F(Loop, SaysThatAWarmUpIsLongerThanTheTraining) {
  const auto said = [this](int64_t updates) {
    const Temporary place;
    Trainee trainee = toy_trainee(1);
    options.updates = updates;
    FileRecord fresh(place / "record");
    for (const Table& table : training_tables()) fresh.define(table);
    testing::internal::CaptureStderr();
    train(trainee, options, place.path(), 1, torch::kCPU, fresh);
    return testing::internal::GetCapturedStderr();
  };
  options.schedule = Choice<ScheduleOptions>("inverse_sqrt");  // warm-up 4,000
  EXPECT_THAT(
      said(10),
      HasSubstr(
          "the learning rate still rises at the last of 10 updates: the schedule's warm-up is no shorter"));
  options.schedule = Choice<ScheduleOptions>("constant");
  EXPECT_THAT(said(10), testing::Not(HasSubstr("still rises")));
}

TEST_F(Loop, AFurtherFigureIsAColumnOfTheValidationCurve) {
  for (const Table& table : training_tables({{"bleu", Column::Type::real, "1", "of the validation split"}}))
    record.define(table);
  Trainee trainee = toy_trainee(1);
  trainee.validate = [n = 0.0]() mutable {
    n += 1;
    return Validation{0.5, 0.1, 0.5, 64, {{"bleu", 10 * n}}};
  };
  options.updates = 18;
  const TrainOutcome outcome = run(trainee);
  EXPECT_THAT(column(rows_of_validation, 7), ElementsAre("10", "20"));
  EXPECT_EQ(outcome.best.figures.at(0).value, 10);
}

TEST_F(Loop, StopsAfterSoManyValidationsWithoutABetterOne) {
  Trainee trainee = toy_trainee(1);
  script(trainee, {0.5, 0.7, 0.7, 0.6, 0.9});
  options.patience = 2;
  const TrainOutcome outcome = run(trainee);
  EXPECT_TRUE(outcome.stopped_early);
  EXPECT_EQ(outcome.best_update, 18);
  EXPECT_EQ(outcome.updates, 36);  // the fourth validation; an equal one is not better
  EXPECT_THAT(column(rows_of_validation, 5), ElementsAre("1", "1", "0", "0"));
}

TEST_F(Loop, LowerCanBeBetterAndNanNeverIs) {
  Trainee trainee = toy_trainee(1);
  trainee.higher_is_better = false;
  script(trainee, {std::numeric_limits<double>::quiet_NaN(), 0.7, 0.5, 0.6, 0.9, 0.5, 0.8});
  EXPECT_EQ(run(trainee).best_update, 27);
}

TEST_F(Loop, WithoutValidationTheLastWeightsStand) {
  Trainee trainee = toy_trainee(1);
  trainee.validate = nullptr;
  const TrainOutcome outcome = run(trainee);
  EXPECT_EQ(outcome.best_update, 0);
  EXPECT_EQ(outcome.updates, 60);
  EXPECT_EQ(record.rows(rows_of_validation), 0);
  EXPECT_FALSE(std::filesystem::exists(best_checkpoint(folder.path())));
}

TEST_F(Loop, TheSeedAndNothingElseDecidesTheBits) {
  const auto weights = [&](uint64_t seed) {
    const Temporary place;
    Trainee trainee = toy_trainee(1);  // the same initial weights: the seed decides dropout
    FileRecord fresh(place / "record");
    for (const Table& table : training_tables()) fresh.define(table);
    train(trainee, options, place.path(), seed, torch::kCPU, fresh);
    return trainee.model->named_parameters()["hidden.weight"].detach().clone();
  };
  EXPECT_TRUE(torch::equal(weights(1), weights(1)));
  EXPECT_FALSE(torch::equal(weights(1), weights(2)));
}

TEST_F(Loop, DivergesWithTheUpdateAndLeavesTheRowsBeforeIt) {
  Trainee trainee = toy_trainee(1);
  const auto sound = trainee.micro_batch;
  trainee.micro_batch = [&](int64_t m) {
    MicroBatch batch = sound(m);
    if (m == 19) batch.loss = batch.loss * std::numeric_limits<float>::infinity();
    return batch;
  };
  EXPECT_THAT(sentence_of<Diverged>([&] { run(trainee); }), HasSubstr("update 10: the loss is inf"));
  EXPECT_THAT(column(rows_of_training, 0), ElementsAre("7"));
}

}  // namespace
}  // namespace attnlab
