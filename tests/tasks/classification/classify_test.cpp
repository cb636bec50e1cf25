// The classification task end to end on generated expressions: what it writes, what it predicts, what it
// refuses.
#include "tasks/classification/classify.h"

#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"
#include "core/random.h"
#include "data/listops.h"
#include "data/shuffled.h"
#include "metrics/byte_counts.h"
#include "tasks/classification/classify_evaluation.h"
#include "tasks/classification/classify_floors.h"
#include "tasks/cut_record.h"
#include "tasks/memory_record.h"
#include "tasks/refused_options.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ClassifyTask : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "classify.XXXXXX";
    folder = ::mkdtemp(name.data());
    options.data.select("listops");
    auto& listops = dynamic_cast<ListOpsOptions&>(*options.data);
    listops.train_examples = 120;
    listops.validation_examples = 30;
    listops.test_examples = 40;
    listops.min_length = 5;
    listops.max_length = 30;
    options.encoding.max_length = 32;
    options.batching.batch_size = 8;
    auto& encoder = options.model.encoder;
    encoder.dim = 16;
    encoder.heads = 2;
    encoder.layers = 1;
    encoder.ffn_dim = 16;
    encoder.attention.select("luna");
    options.model.head_dim = 8;
    options.train.updates = 12;
    options.train.validate_interval = 4;
    for (const Table& t : options.tables()) record.define(t);
  }
  void TearDown() override { fs::remove_all(folder); }

  RunContext context() const {
    RunContext c;
    c.folder = folder / "run";
    c.data = {folder / "data", folder / "cache"};
    fs::create_directories(c.folder);
    return c;
  }

  fs::path folder;
  ClassifyOptions options;
  MemoryRecord record;
};

TEST_F(ClassifyTask, WritesARowAnExampleAndAccuraciesThatAgreeWithThem) {
  options.run(context(), record);
  ASSERT_EQ(record.rows("/eval/test"), 40);
  ASSERT_EQ(record.rows("/eval/validation"), 30);
  int64_t correct = 0;
  for (const auto& row : record.tables["/eval/test"]) {
    EXPECT_EQ(std::get<int64_t>(row[5]), std::get<int64_t>(row[3]) == std::get<int64_t>(row[4]));
    EXPECT_NEAR(std::get<double>(row[6]), std::exp(-std::get<double>(row[7])), 1e-12);
    correct += std::get<int64_t>(row[5]);
  }
  EXPECT_DOUBLE_EQ(record.summaries["accuracy"].value, static_cast<double>(correct) / 40);
  EXPECT_EQ(record.summaries["accuracy"].n, 40);
  for (const char* name : {"accuracy_validation", "accuracy_majority", "accuracy_byte_counts", "parameters",
                           "updates", "training_seconds", "harness_share"})
    EXPECT_TRUE(record.summaries.count(name)) << name;
  EXPECT_TRUE(record.attributes.count("data_checksum"));
}

TEST_F(ClassifyTask, TrainsInBf16WithEveryAttention) {
  options.train.precision = Precision::bf16;
  for (const auto& attention : registry<AttentionOptions>()) {
    options.model.encoder.attention.select(attention.name);
    RunContext c = context();
    c.folder = folder / attention.name;
    options.run(c, record);
    EXPECT_EQ(record.summaries["updates"].value, 12) << attention.name;
  }
}

TEST_F(ClassifyTask, EvaluatesInThePrecisionAskedFor) {
  const LabelledSplits splits = options.data->open(context().data);
  Classifier model = options.build_model(1, torch::kCPU);
  const auto losses_in = [&](Precision precision) {
    options.evaluation.precision = precision;
    std::vector<double> losses;
    for (const ExampleResult& e : ClassifierEvaluation(options, context())(model, *splits.test).examples)
      losses.push_back(e.nll);
    return losses;
  };
  const std::vector<double> exact = losses_in(Precision::fp32);
  ASSERT_EQ(exact.size(), 40);
  const std::vector<double> narrow = losses_in(Precision::bf16);
  EXPECT_NE(narrow, exact) << "autocast serves the CPU too";
  EXPECT_THAT(narrow, testing::Pointwise(testing::DoubleNear(0.02), exact));
  EXPECT_EQ(losses_in(Precision::fp32), exact) << "autocast has ended";
}

TEST_F(ClassifyTask, Tf32LeavesTheCpuAloneAndPutsTorchsSettingBack) {
  const LabelledSplits splits = options.data->open(context().data);
  Classifier model = options.build_model(1, torch::kCPU);
  const auto loss_in = [&](Precision precision) {
    options.evaluation.precision = precision;
    return ClassifierEvaluation(options, context())(model, *splits.test).validation().loss;
  };
  const double exact = loss_in(Precision::fp32);
  for (const bool before : {true, false}) {
    at::globalContext().setAllowTF32CuBLAS(before);
    EXPECT_EQ(loss_in(Precision::tf32), exact);
    EXPECT_EQ(at::globalContext().allowTF32CuBLAS(), before);
  }
}

TEST_F(ClassifyTask, TheByteCountsAnswersStandBesideTheModels) {
  options.run(context(), record);
  const auto& model = record.tables["/eval/test"];
  const auto& floor = record.tables["/eval/test_byte_counts"];
  ASSERT_EQ(floor.size(), model.size());
  double correct = 0, difference = 0;
  for (std::size_t i = 0; i < model.size(); ++i) {
    EXPECT_EQ(floor[i][1], model[i][1]) << "the same example";
    EXPECT_EQ(std::get<int64_t>(floor[i][3]), floor[i][2] == model[i][3]);
    correct += static_cast<double>(std::get<int64_t>(floor[i][3]));
    difference += static_cast<double>(std::get<int64_t>(model[i][5]) - std::get<int64_t>(floor[i][3]));
  }
  EXPECT_DOUBLE_EQ(record.summaries["accuracy_byte_counts"].value, correct / 40);
  EXPECT_NEAR(record.summaries["accuracy_above_byte_counts"].value, difference / 40, 1e-15);
  EXPECT_EQ(record.summaries["accuracy_above_byte_counts"].n, 40);
}

/// Of micro-batches with 8 and 4 examples as of one with 12.
TEST_F(ClassifyTask, AccumulationWeighsExamplesAlike) {
  dynamic_cast<ListOpsOptions&>(*options.data).train_examples = 12;
  options.train.updates = 1;
  options.train.log_interval = 1;
  options.model.encoder.dropout = options.model.encoder.attention_dropout = 0;
  const auto first_update = [&](const std::string& name, int64_t batch, int64_t accumulate) {
    options.batching.batch_size = batch;
    options.train.accumulate = accumulate;
    RunContext c = context();
    c.folder = folder / name;
    MemoryRecord own;
    for (const Table& t : options.tables()) own.define(t);
    options.run(c, own);
    return own.tables["/train"].at(0);
  };
  const std::vector<Value> parts = first_update("parts", 8, 2), whole = first_update("whole", 12, 1);
  const std::vector<Column> columns = training_tables().front().columns;
  int compared = 0;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].name == "loss" || columns[i].name == "gradient_norm") {
      EXPECT_NEAR(std::get<double>(parts[i]), std::get<double>(whole[i]), 1e-5 * std::get<double>(whole[i]))
          << columns[i].name;
      ++compared;
    }
  EXPECT_EQ(compared, 2);
}

/// Reviews of the letters a to f, of which negative ones have more of a.
void write_reviews(const fs::path& root) {
  Random random(11);
  for (const char* half : {"train", "test"})
    for (const bool positive : {false, true})
      for (int i = 0; i < 40; ++i) {
        std::string text;
        for (int c = 0; c < 40; ++c)
          text += static_cast<char>('a' + (!positive && random.below(8) == 0 ? 0 : random.below(6)));
        const fs::path file = root / "imdb" / "aclImdb" / half / (positive ? "pos" : "neg") /
                              fmt::format("{}_{}.txt", i, positive ? 8 : 2);
        fs::create_directories(file.parent_path());
        std::ofstream(file) << text;
      }
}

TEST_F(ClassifyTask, TheFloorsFormIsChosenOnTextsThatItWasNotFittedToAlsoWhereAllAreTrainedOn) {
  write_reviews(folder / "data");
  const auto open = [&](const std::vector<std::string>& overrides) {
    options = read_options<ClassifyOptions>(with_overrides({}, overrides));
    return options.data->open(context().data);
  };
  const auto texts_in = [&](const LabelledSequences& data) {
    LabelledTexts all;
    for (int64_t i = 0; i < data.size(); ++i) {
      all.texts.push_back(visible_symbols(data.symbols(i), options.encoding));
      all.labels.push_back(data.label(i));
    }
    return all;
  };
  const LabelledSplits apart = open({});
  const auto form = ByteCountClassifier::fit_best(texts_in(*apart.train), texts_in(*apart.validation),
                                                  options.data->symbol_count(), 2)
                        .options();
  const LabelledSplits all = open({"data.train_on_held_out=true", "train.evaluate_with=last"});
  ASSERT_EQ(all.train->size(), 80);
  const LabelledTexts test = texts_in(*all.test);
  const auto expected = ByteCountClassifier::fit(texts_in(*all.train), options.data->symbol_count(), 2, form)
                            .predict(test.texts);
  const auto in_sample = ByteCountClassifier::fit_best(texts_in(*all.train), texts_in(*all.validation),
                                                       options.data->symbol_count(), 2);
  ASSERT_NE(in_sample.predict(test.texts), expected) << "so that the test can tell them apart";
  for (const Table& t : options.tables()) record.define(t);
  SplitResults on_test;
  for (int64_t i = 0; i < all.test->size(); ++i)
    on_test.examples.push_back({i, 1, test.labels[static_cast<std::size_t>(i)], 0, 0.5, 0.7});
  write_floors(options, all, on_test, 0, record);
  const auto& rows = record.tables["/eval/test_byte_counts"];
  ASSERT_EQ(rows.size(), expected.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    EXPECT_EQ(std::get<int64_t>(rows[i][2]), expected[i]) << "example " << i;
}

TEST_F(ClassifyTask, AShuffleOfTheTextKeepsLabelsAndLengthsAndHidesTheOrder) {
  options.evaluation.shuffles = {"text"};
  for (const Table& t : options.tables()) record.define(t);
  options.run(context(), record);
  const auto &as_is = record.tables["/eval/test"], &shuffled = record.tables["/eval/test_text"];
  ASSERT_EQ(shuffled.size(), as_is.size());
  double correct = 0;
  for (std::size_t i = 0; i < as_is.size(); ++i) {
    for (const std::size_t same : {0, 1, 2, 3}) EXPECT_EQ(as_is[i][same], shuffled[i][same]);
    correct += static_cast<double>(std::get<int64_t>(shuffled[i][5]));
  }
  EXPECT_NE(as_is, shuffled);
  EXPECT_DOUBLE_EQ(record.summaries["accuracy_shuffled_text"].value, correct / 40);
  EXPECT_NEAR(record.summaries["accuracy_lost_text"].value,
              record.summaries["accuracy"].value - record.summaries["accuracy_shuffled_text"].value, 1e-15);
}

TEST_F(ClassifyTask, AShuffleChangesNoAnswerOfTheByteCounts) {
  const LabelledSplits splits = options.data->open(context().data);
  LabelledTexts train;
  for (int64_t i = 0; i < splits.train->size(); ++i) {
    train.texts.push_back(splits.train->symbols(i));
    train.labels.push_back(splits.train->label(i));
  }
  const auto floor = ByteCountClassifier::fit(train, options.data->symbol_count(), 10, {});
  const ShuffledSequences shuffled(*splits.test, options.encoding, Shuffle::text, 1);
  for (int64_t i = 0; i < splits.test->size(); ++i)
    EXPECT_EQ(floor.probabilities(visible_symbols(splits.test->symbols(i), options.encoding)),
              floor.probabilities(shuffled.symbols(i)));
}

TEST_F(ClassifyTask, ShufflesWithinWordsAreOfBytes) {
  expect_refused_options<ClassifyOptions>({"data=listops", "evaluation.shuffles=[words]"},
                                          "shuffles within words need data of bytes");
  expect_refused_options<ClassifyOptions>({"evaluation.shuffles=[text, text]"}, "names one twice");
  expect_refused_options<ClassifyOptions>({"evaluation.shuffles=[letters]"}, "letters");
}

TEST_F(ClassifyTask, NothingIsSelectedOnReviewsThatAreTrainedOn) {
  expect_refused_options<ClassifyOptions>({"data.train_on_held_out=true"}, "set evaluate_with: last");
  read_options<ClassifyOptions>(
      with_overrides({}, {"data.train_on_held_out=true", "train.evaluate_with=last"}));
}

TEST_F(ClassifyTask, LimitTakesTheFirstExamples) {
  RunContext c = context();
  c.limit = 7;
  options.run(c, record);
  EXPECT_EQ(record.rows("/eval/test"), 7);
  EXPECT_EQ(record.summaries["accuracy"].n, 7);
  EXPECT_EQ(record.summaries["accuracy_majority"].n, 7);
  EXPECT_EQ(record.summaries["accuracy_majority"].floor_of, "accuracy");
  EXPECT_EQ(record.summaries["accuracy_majority"].row, "majority class");
}

TEST_F(ClassifyTask, TheFigureSelectedOnTestHasItsOwnNameAndIsAtLeastAsHigh) {
  options.evaluation.test_curve = true;
  options.run(context(), record);
  EXPECT_GE(record.summaries["accuracy_selected_on_test"].value, record.summaries["accuracy"].value);
}

TEST_F(ClassifyTask, TheFigureSelectedOnTestCountsTheExamplesOfTheLimit) {
  options.evaluation.test_curve = true;
  RunContext c = context();
  c.limit = 7;
  options.run(c, record);
  EXPECT_EQ(record.summaries["accuracy_selected_on_test"].n, 7);
}

TEST_F(ClassifyTask, WithoutAValidationNothingIsSelectedOnTest) {
  options.evaluation.test_curve = true;
  options.train.validate_interval = 0;
  options.run(context(), record);
  EXPECT_FALSE(record.summaries.count("accuracy_selected_on_test"));
}

TEST_F(ClassifyTask, EvaluatingAFinishedRunGivesTheSameAnswersForEveryExample) {
  options.run(context(), record);
  RunContext again = context();
  again.folder = folder / "again";
  again.init_from = folder / "run";
  MemoryRecord second;
  for (const Table& t : options.tables()) second.define(t);
  options.trains = false;
  options.run(again, second);
  EXPECT_EQ(second.rows("/train"), 0);
  EXPECT_EQ(record.tables["/eval/test"], second.tables["/eval/test"]);
}

TEST_F(ClassifyTask, AValidationThatIsDoneIsNotDoneAgainAfterAKill) {
  options.train.log_interval = 1;
  options.train.checkpoint_seconds = 0;
  FileRecord file(folder / "record");
  for (const Table& t : options.tables()) file.define(t);
  CutRecord cut(file, 4);  // in the first update after the first validation
  EXPECT_THROW(options.run(context(), cut), RunError);
  testing::internal::CaptureStderr();
  options.run(context(), file);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("resuming after update 4 of 12"));
  EXPECT_THAT(said, testing::Not(HasSubstr("update 4: validation")));
  EXPECT_EQ(validated_updates(file), (std::vector<std::string>{"4", "8", "12"}));
}

TEST_F(ClassifyTask, PredictsALineForALine) {
  options.run(context(), record);
  std::istringstream in("[MAX 2 9 1 ]\n\n[MIN 4 7 ]\n");
  std::ostringstream out;
  options.predict(context(), in, out);
  std::istringstream lines(out.str());
  std::vector<nlohmann::json> answers;
  for (std::string line; std::getline(lines, line);) answers.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0]["logits"].size(), 10u);
  double total = 0;
  for (const double p : answers[0]["probabilities"]) total += p;
  EXPECT_NEAR(total, 1.0, 1e-9);
  EXPECT_THAT(answers[1]["error"].get<std::string>(), HasSubstr("empty text"));
  EXPECT_EQ(answers[2]["line"], 3);
}

TEST_F(ClassifyTask, ALineThatCannotBeReadDoesNotStopTheOthers) {
  options.run(context(), record);
  std::istringstream in("[MAX 2 \xff ]\n[MIN 4 7 ]\n");
  std::ostringstream out;
  options.predict(context(), in, out);
  EXPECT_THAT(out.str(), HasSubstr("unknown ListOps token"));
  EXPECT_THAT(out.str(), HasSubstr("\"line\":2"));
}

TEST_F(ClassifyTask, PredictsWithTheWeightsThatItsFiguresAreOf) {
  const auto answer = [this](const RunContext& c, bool trains) {
    ClassifyOptions o = options;
    o.trains = trains;
    std::istringstream in("[MAX 2 9 1 ]\n");
    std::ostringstream out;
    o.predict(c, in, out);
    return out.str();
  };
  options.train.evaluate_with = EvaluateWith::last;
  options.run(context(), record);
  RunContext last = context();
  last.init_from = folder / "run" / "checkpoint" / "last.safetensors";
  EXPECT_EQ(answer(context(), true), answer(last, false)) << "not with the best ones";

  RunContext tuned = context();  // starts from the first run's weights and goes on
  tuned.folder = folder / "tuned";
  tuned.init_from = last.init_from;
  options.run(tuned, record);
  EXPECT_NE(answer(tuned, true), answer(last, false)) << "not with those that it started from";
}

TEST_F(ClassifyTask, RefusesACheckpointOfAnotherModel) {
  options.run(context(), record);
  options.model.encoder.dim = 24;
  RunContext again = context();
  again.init_from = folder / "run";
  again.folder = folder / "again";
  try {
    options.run(again, record);
    FAIL() << "expected a refusal";
  } catch (const UserError& e) {
    EXPECT_THAT(e.what(), HasSubstr("best.safetensors"));
  }
}

TEST(TestCurve, SurvivesAnInterruption) {
  std::string name = testing::TempDir() + "curve.XXXXXX";
  const fs::path folder = ::mkdtemp(name.data());
  TestCurve(folder).add({.value = 0.625, .n = 8});
  TestCurve resumed(folder);
  resumed.add({.value = 0.5, .n = 8});
  MemoryRecord record;
  resumed.summarise(record);
  EXPECT_DOUBLE_EQ(record.summaries["accuracy_selected_on_test"].value, 0.625);
  EXPECT_EQ(record.summaries["accuracy_selected_on_test"].n, 8);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace attnlab
