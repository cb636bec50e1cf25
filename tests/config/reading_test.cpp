// What is accepted, and what it means.
#include "config/run_id.h"
#include "config/scalars.h"
#include "sample.h"

namespace attnlab {
namespace {

TEST(Reading, SilenceMeansDefaults) {
  const auto o = sample_from("");
  EXPECT_EQ(o.seed, 1);
  EXPECT_EQ(o.job.name(), "classify");
  EXPECT_EQ(o.model().mixer.name(), "packed");
  EXPECT_EQ(o.classify().train.betas, (std::vector<double>{0.9, 0.98}));
}

TEST(Reading, FillsEveryKindOfField) {
  const auto o = sample_from(
      "seed: 7\ntitle: \"010\"\nsplits: [test]\n"
      "model: {dim: 64, heads: 4, dropout: .5, norm: pre, mixer: {type: packed, rows: 1e3, tie: true}}\n"
      "train: {learning_rate: 5e-5, betas: [0, 1], milestones: [10, 20]}\n");
  EXPECT_EQ(o.seed, 7);
  EXPECT_EQ(o.title, "010");
  EXPECT_EQ(o.splits, std::vector<std::string>{"test"});
  EXPECT_EQ(o.model().dropout, 0.5);
  EXPECT_EQ(o.model().norm, Norm::pre);
  EXPECT_EQ(o.packed().rows, 1000);
  EXPECT_TRUE(o.packed().tie);
  EXPECT_EQ(o.classify().train.learning_rate, 5e-5);
  EXPECT_EQ(o.classify().train.milestones, (std::vector<int64_t>{10, 20}));
}

TEST(Reading, AWordChoosesAComponentWithItsDefaults) {
  EXPECT_EQ(sample_from("model: {mixer: plain}").model().mixer.name(), "plain");
  EXPECT_EQ(sample_from("model: {mixer: packed}").packed().rows, 16);
  EXPECT_EQ(sample_from("job: count\nunit: words").job.name(), "count");
}

/// A key whose words have changed.
struct DroppingOptions {
  std::string heads = "layer_wise";
  void visit(Fields& f) { f("heads", heads, OneOf{{"layer_wise", "head_wise"}}, ""); }
};

TEST(Reading, AFormerWordMeansWhatItIsCalledNow) {
  const auto heads = [](const std::string& yaml) {
    return read_options<DroppingOptions>(parse_yaml(yaml, "f.yaml"));
  };
  testing::internal::CaptureStderr();
  EXPECT_EQ(heads("heads: apart").heads, "head_wise");
  EXPECT_NE(testing::internal::GetCapturedStderr().find("f.yaml:1: heads: 'apart' is called head_wise now"),
            std::string::npos);
  EXPECT_EQ(run_id(heads("heads: apart")), run_id(heads("heads: head_wise")));
  EXPECT_EQ(id_lines([](Fields& f) { DroppingOptions{"head_wise"}.visit(f); },
                     [](Fields& f) { DroppingOptions{}.visit(f); }),
            "defaults_version=1\nheads=apart\n")
      << "runs of before are found";
}

struct MayBeEmpty {
  std::string word = "a";
  void visit(Fields& f) { f("word", word, OneOf{{"", "a"}}, ""); }
};

TEST(Reading, AnUnknownWordIsRefusedAlsoWhereTheEmptyOneIsAllowed) {
  EXPECT_EQ(read_options<MayBeEmpty>(parse_yaml("word: ''", "f.yaml")).word, "");
  EXPECT_THROW(read_options<MayBeEmpty>(parse_yaml("word: b", "f.yaml")), UserError);
}

TEST(Reading, AComponentWithoutTypeIsTheDefaultOne) {
  EXPECT_EQ(sample_from("model: {mixer: {rows: 4}}").packed().rows, 4);
}

/// A choice whose keys stand beside it, without a default.
struct NamedJob {
  int64_t seed = 1;
  Choice<JobOptions> job;
  void visit(Fields& f) {
    f("seed", seed, Range{0}, "of all randomness");
    f.spread("job", job, required("what is done"));
  }
};

class NamedJobs : public FolderTest {
 protected:
  std::string refusal(const std::string& yaml) const {
    return message_of([&] { read_options<NamedJob>(parse_yaml(yaml, "f.yaml")); });
  }
};

TEST_F(NamedJobs, HaveToBeNamedAndOfTheirKeysNothingIsSaidBefore) {
  EXPECT_EQ(read_options<NamedJob>(parse_yaml("job: count", "f.yaml")).job.name(), "count");
  EXPECT_EQ(refusal("seed: 2\nunit: words"), "f.yaml: job: is missing; choose from classify, count");
  EXPECT_EQ(refusal("job:"), "f.yaml:1: job: has no value") << "said once";
}

TEST(Reading, ASectionCanBeSwitchedOff) {
  EXPECT_FALSE(sample_from("train: none").classify().trains);
  EXPECT_TRUE(sample_from("train: {updates: 3}").classify().trains);
  EXPECT_TRUE(sample_from("train: none", {"train.updates=3"}).classify().trains);
}

TEST(Reading, AnchorsAndAliasesAreYaml) {
  const auto o = sample_from("seed: &n 4\nmodel: {dim: 8, heads: *n}");
  EXPECT_EQ(o.model().heads, 4);
}

TEST(Overrides, AreYamlAndWin) {
  const auto o = sample_from("seed: 1\nmodel: {dim: 8, heads: 2}",
                             {"seed=5", "model.heads=4", "splits=[train, test]", "title='a b: c'"});
  EXPECT_EQ(o.seed, 5);
  EXPECT_EQ(o.model().heads, 4);
  EXPECT_EQ(o.model().dim, 8);
  EXPECT_EQ(o.splits.size(), 2u);
  EXPECT_EQ(o.title, "a b: c");
}

TEST(Overrides, OfTypeDropTheOldTypesKeys) {
  const std::string yaml = "model: {mixer: {type: packed, rows: 99, tie: true}}";
  EXPECT_EQ(sample_from(yaml, {"model.mixer.type=plain"}).model().mixer.name(), "plain");
  EXPECT_EQ(sample_from(yaml, {"model.mixer=plain"}).model().mixer.name(), "plain");
  EXPECT_EQ(sample_from(yaml, {"model.mixer.type=packed"}).packed().rows, 99)
      << "the same type keeps its keys";
  EXPECT_EQ(sample_from(yaml, {"model.mixer=packed"}).packed().rows, 16) << "a whole component replaces";
  EXPECT_EQ(sample_from(yaml, {"model.mixer={type: packed, rows: 3}"}).packed().rows, 3);
}

TEST(Overrides, OfComponentAndItsKeysCombineInAnyOrder) {
  const std::string yaml = "model: {mixer: plain}";
  EXPECT_EQ(sample_from(yaml, {"model.mixer=packed", "model.mixer.rows=3"}).packed().rows, 3);
  EXPECT_EQ(sample_from(yaml, {"model.mixer.rows=3", "model.mixer=packed"}).packed().rows, 3);
  EXPECT_EQ(sample_from(yaml, {"model.mixer.rows=3", "model.mixer.type=packed"}).packed().rows, 3);
}

TEST(Overrides, TheLastOfTwoWins) { EXPECT_EQ(sample_from("", {"seed=2", "seed=3"}).seed, 3); }

TEST(Scalars, NumbersReadBackAsWritten) {
  const std::pair<double, const char*> numbers[] = {
      {1, "1.0"},
      {0.1, "0.1"},
      {1e-5, "1.0e-05"},
      {-2.5e300, "-2.5e+300"},
      {5e-324, "5.0e-324"},
      {1.0 / 3, "0.3333333333333333"},
      {1e14, "100000000000000.0"},
      {1e15, "1.0e+15"},
      {-1e-4, "-0.0001"},
      {std::numeric_limits<double>::infinity(), ".inf"},
  };
  for (const auto& [value, text] : numbers) {
    EXPECT_EQ(to_text(value), text);
    EXPECT_EQ(to_double(parse_value(text, "x")), value);
  }
}

TEST(Scalars, WholeNumbersUpToTheLimits) {
  EXPECT_EQ(to_integer(parse_value("9223372036854775807", "x")), INT64_MAX);
  EXPECT_EQ(to_integer(parse_value("-9223372036854775808", "x")), INT64_MIN);
  EXPECT_EQ(to_integer(parse_value("+12", "x")), 12);
  EXPECT_EQ(to_integer(parse_value("2.0", "x")), 2);
  EXPECT_EQ(to_integer(parse_value("9223372036854775808", "x")), std::nullopt);
  EXPECT_EQ(to_integer(parse_value("1e3x", "x")), std::nullopt);
  EXPECT_EQ(to_integer(parse_value("1_000", "x")), std::nullopt);
}

}  // namespace
}  // namespace attnlab
