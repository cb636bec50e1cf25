// A cell of the efficiency table: that its figures agree with one another and with what a model must hold.
#include "tasks/speed/speed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/Parallel.h>

#include "attention/softmax.h"
#include "core/error.h"
#include "core/memory.h"
#include "tasks/memory_record.h"
#include "tasks/speed/expected_share.h"

namespace attnlab {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Speed : public testing::Test {
 protected:
  void SetUp() override {
    install_counting_allocator();
    threads_ = at::get_num_threads();
    at::set_num_threads(
        1);  // memory is measured in forks, which earlier tests have left without their threads
    EncoderOptions& e = options.model.encoder;
    e.dim = 16;
    e.heads = 2;
    e.layers = 2;
    e.ffn_dim = 32;
    e.dropout = e.attention_dropout = 0.3;
    options.model.head_dim = 8;
    options.length = 256;
    options.batch_size = 3;
    options.vocabulary = 50;
    options.repetitions = 3;
    options.product_size = 64;
    attention("textbook");
  }
  void TearDown() override { at::set_num_threads(threads_); }
  void attention(const std::string& implementation) {
    options.model.encoder.attention.select("softmax");
    dynamic_cast<SoftmaxOptions&>(*options.model.encoder.attention).implementation =
        implementation == "textbook" ? SoftmaxOptions::Implementation::eager
                                     : SoftmaxOptions::Implementation::sdpa;
  }
  void measure() {
    for (const Table& t : options.tables()) record.define(t);
    options.run({}, record);
  }
  double figure(const std::string& name) const { return record.summaries.at(name).value; }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const Headline& h : options.headlines()) all.push_back(h.name);
    return all;
  }

  SpeedOptions options;
  MemoryRecord record;
  int threads_ = 1;
};

TEST_F(Speed, WritesItsHeadlinesAndARowAStep) {
  measure();
  EXPECT_EQ(options.headlines().size(), 2 * 6 + 1U);
  for (const Headline& h : options.headlines()) {
    ASSERT_TRUE(record.summaries.count(h.name)) << h.name;
    EXPECT_EQ(record.summaries.at(h.name).unit, h.unit) << h.name;
    EXPECT_EQ(record.summaries.at(h.name).meaning, h.meaning) << h.name;
  }
  EXPECT_EQ(record.rows("/speed"), 2 * options.repetitions);
  EXPECT_EQ(record.rows("/memory"), 2);
  for (const Table& t : options.tables())
    for (const auto& row : record.tables[t.path]) EXPECT_EQ(row.size(), t.columns.size()) << t.path;
}

TEST_F(Speed, FiguresFollowFromTimesAndOperations) {
  measure();
  for (const std::string phase : {"train", "infer"}) {
    std::vector<double> seconds;
    for (const auto& row : record.tables["/speed"])
      if (std::get<std::string>(row[1]) == phase) seconds.push_back(std::get<double>(row[5]));
    ASSERT_EQ(seconds.size(), 3U);
    std::sort(seconds.begin(), seconds.end());
    EXPECT_EQ(figure(phase + "_seconds"), seconds[1]) << "the median of three";
    EXPECT_DOUBLE_EQ(figure(phase + "_tokens_per_second"), 256 * 3 / seconds[1]);
    EXPECT_DOUBLE_EQ(figure(phase + "_flop_rate"), figure(phase + "_flops") / seconds[1]);
    expect_share(figure(phase + "_product_share"), figure(phase + "_flop_rate") / figure("product_rate"));
  }
}

TEST_F(Speed, OperationsAreThoseOfTheFormula) {
  measure();
  // A layer: four D×D maps, two products of n×n with D, two maps between D and F; then the head's two maps.
  const double n = 256, d = 16, f = 32, layers = 2, head = 8, classes = 2, batch = 3;
  const double layer = 4 * 2 * n * d * d + 2 * 2 * n * n * d + 2 * 2 * n * d * f;
  const double forward = batch * (layers * layer + 2 * d * head + 2 * head * classes);
  EXPECT_DOUBLE_EQ(figure("infer_flops"), forward);
  EXPECT_DOUBLE_EQ(figure("train_flops"), 3 * forward);
}

TEST_F(Speed, RecomputedActivationsAreCounted) {
  measure();
  const double plain = figure("train_flops");
  options.model.encoder.recompute = true;
  measure();
  EXPECT_DOUBLE_EQ(figure("train_flops"), plain + 3.0 * 2 * (2 * 256 * 16 * 32))
      << "W1·x of every layer again";
}

TEST_F(Speed, PeaksHoldWhatTheStepMustHold) {
  options.length = 512;
  measure();
  const double weights = 4.0 * 3 * 2 * 512 * 512;  // fp32, batch, heads, n×n
  EXPECT_GE(figure("train_allocator_peak"), 2 * 2 * weights) << "softmax and what dropout left, two layers";
  EXPECT_LT(figure("train_allocator_peak"), 4 * 2 * weights);
  EXPECT_GE(figure("infer_allocator_peak"), weights);
  EXPECT_LT(figure("infer_allocator_peak"), figure("train_allocator_peak"));
  EXPECT_GE(figure("train_resident_peak"), 0.9 * figure("train_allocator_peak"))
      << "tensors that were written lie in resident pages";
}

TEST_F(Speed, InferenceOfTheFusedTransformerHoldsNoWeights) {
  options.length = 1024;
  attention("fused");
  measure();
  EXPECT_LT(figure("infer_allocator_peak"), 4.0 * 3 * 2 * 1024 * 1024);
  EXPECT_GT(figure("train_allocator_peak"), 4.0 * 3 * 2 * 1024 * 1024) << "with dropout it is not fused";
}

TEST_F(Speed, MeasuresOnePhaseAlone) {
  options.phases = {"infer"};
  measure();
  EXPECT_THAT(names(), Not(Contains(HasSubstr("train"))));
  EXPECT_EQ(record.rows("/speed"), options.repetitions);
  EXPECT_FALSE(record.summaries.count("train_seconds"));
}

TEST_F(Speed, AResumedRunMeasuresEverythingAnew) {
  measure();
  options.run({}, record);
  EXPECT_EQ(record.rows("/speed"), 2 * options.repetitions);
}

TEST_F(Speed, OptionsThatContradictEachOtherAreTheUsersMistake) {
  options.model.encoder.heads = 3;
  for (const Table& t : options.tables()) record.define(t);
  try {
    options.run({}, record);
    FAIL() << "expected a refusal of 3 heads of a width of 16";
  } catch (const UserError& e) {
    EXPECT_THAT(e.what(), HasSubstr("3 heads do not divide a model width of 16"));
  }
}

class SpeedOf : public Speed, public testing::WithParamInterface<const char*> {};

TEST_P(SpeedOf, AnyAttentionAtAnyLength) {
  ASSERT_TRUE(options.model.encoder.attention.select(GetParam()));
  options.length = 100;
  measure();
  EXPECT_GT(figure("train_seconds"), 0);
  EXPECT_GT(figure("parameters"), 0);
}

INSTANTIATE_TEST_SUITE_P(, SpeedOf,
                         testing::Values("softmax", "luna", "linformer", "linear", "local", "performer",
                                         "synthesizer"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace attnlab
