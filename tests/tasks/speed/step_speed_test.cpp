// The step benchmark: names of models, rows it writes, and that the models it compares are what they claim to
// be.
#include "tasks/speed/step_speed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attention/luna.h"
#include "attention/softmax.h"
#include "core/error.h"
#include "core/memory.h"
#include "tasks/memory_record.h"
#include "tasks/speed/step_memory.h"

namespace attnlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

StepSpeedOptions tiny() {
  StepSpeedOptions o;
  o.model.encoder.dim = 16;
  o.model.encoder.heads = 2;
  o.model.encoder.layers = 2;
  o.model.encoder.ffn_dim = 32;
  o.model.head_dim = 8;
  o.lengths = {64};
  o.repetitions = 2;
  o.product_size = 64;
  return o;
}

TEST(StepSpeed, NamesModels) {
  const StepSpeedOptions o = tiny();
  const SpeedModel luna = o.named("luna-128+recompute", 0.3);
  EXPECT_EQ(dynamic_cast<LunaOptions&>(*luna.options.encoder.attention).projection_length, 128);
  EXPECT_TRUE(luna.options.encoder.recompute);
  EXPECT_EQ(luna.options.encoder.dropout, 0.3);
  EXPECT_EQ(luna.options.encoder.attention_dropout, 0.3);
  const SpeedModel textbook = o.named("textbook+torch-dropout", 0.0);
  EXPECT_TRUE(dynamic_cast<SoftmaxOptions&>(*textbook.options.encoder.attention).torch_dropout);
  const SpeedModel fused = o.named("fused+residual-dropout", 0.3);
  EXPECT_EQ(fused.options.encoder.dropout, 0.3);
  EXPECT_EQ(fused.options.encoder.attention_dropout, 0.0);
  EXPECT_FALSE(o.model.encoder.recompute) << "a model of the comparison leaves the base alone";
}

TEST(StepSpeed, DrawsItsWeights) {
  RunContext context;
  context.init_from = "somewhere";
  MemoryRecord record;
  try {
    tiny().run(context, record);
    ADD_FAILURE() << "took weights that it does not read";
  } catch (const UserError& e) {
    EXPECT_STREQ(e.what(), "task step_speed draws its weights and reads none from init_from");
  }
}

TEST(Rounds, AShareAboveAllIsLeftOut) {
  EXPECT_EQ(share_of_rate("x", 0.99), 0.99);
  EXPECT_TRUE(std::isnan(share_of_rate("x", 1.65)));
}

TEST(StepSpeed, RefusesOtherNamesInASentence) {
  for (const char* name :
       {"luna", "luna-", "luna-0", "luna-x", "reformer", "fused+fast", "luna-16+torch-dropout", ""}) {
    try {
      tiny().named(name, 0);
      FAIL() << "expected a refusal of '" << name << "'";
    } catch (const UserError& e) {
      EXPECT_THAT(e.what(), HasSubstr("write textbook, fused or luna-<l>"));
    }
  }
}

TEST(StepSpeed, WritesARowAStepAndAMedianACell) {
  StepSpeedOptions o = tiny();
  o.dropouts = {0.0, 0.3};
  MemoryRecord record;
  for (const Table& t : o.tables()) record.define(t);
  o.run({}, record);
  EXPECT_EQ(record.rows("/speed"), 2 * 2 * 4);
  EXPECT_EQ(record.rows("/memory"), 2 * 4);
  EXPECT_EQ(record.rows("/ratios"), 2 * 4);
  for (const auto& row : record.tables["/ratios"])
    if (std::get<std::string>(row[0]) == "textbook") {
      EXPECT_DOUBLE_EQ(std::get<double>(row[9]), 1.0);
    }
  for (const Headline& h : o.headlines()) EXPECT_TRUE(record.summaries.count(h.name)) << h.name;
  EXPECT_EQ(o.headlines().size(), 2 * 5u);
}

TEST(StepSpeed, ComparesWithTheModelsThatAreThereAlone) {
  StepSpeedOptions o = tiny();
  o.models = {"luna-16", "fused"};
  MemoryRecord record;
  for (const Table& t : o.tables()) record.define(t);
  testing::internal::CaptureStderr();
  o.run({}, record);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr(" x fused"), Not(HasSubstr("x textbook")), Not(HasSubstr("nan"))));
}

TEST(StepSpeed, AStepThatDoesNotFitSaysWhichInASentence) {
  install_counting_allocator();
  StepSpeedOptions o = tiny();
  o.batch_size = 1 << 12;
  try {
    memory_apart("textbook", o.step_of(o.named("textbook", 0.0), int64_t{1} << 20), Pass::train, 1);
    FAIL() << "expected no memory for a tensor of 2^55 bytes";
  } catch (const OutOfMemory& e) {
    EXPECT_STREQ(e.what(), "the step of textbook at 1048576 tokens did not fit");
  }
}

TEST(StepSpeed, AStepHoldsNoTensorOfNByN) {
  install_counting_allocator();
  const StepSpeedOptions o = tiny();
  const int64_t n = 1024, n_by_n = n * n * static_cast<int64_t>(sizeof(float));
  const auto peak = [&](const char* name) {
    return memory_apart(name, o.step_of(o.named(name, 0.0), n), Pass::train, 1).allocator;
  };
  EXPECT_GT(peak("textbook"), n_by_n);
  EXPECT_LT(peak("luna-16"), n_by_n);
}

}  // namespace
}  // namespace attnlab
