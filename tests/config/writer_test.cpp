// The resolved dump and the ids made from the same fields.
#include "config/writer.h"

#include <gmock/gmock.h>

#include <set>

#include "config/run_id.h"
#include "sample.h"

namespace attnlab {
namespace {

TEST(Dump, IsCompleteWithEveryDefault) {
  EXPECT_EQ(dump(SampleOptions{}),
            "seed: 1\n"
            "threads: 0\n"
            "title: \"\"\n"
            "splits: [train, test]\n"
            "job: classify\n"
            "model:\n"
            "  dim: 512\n"
            "  heads: 8\n"
            "  dropout: 0.1\n"
            "  norm: post\n"
            "  mixer:\n"
            "    type: packed\n"
            "    rows: 16\n"
            "    tie: false\n"
            "train:\n"
            "  updates: 1000\n"
            "  learning_rate: 0.0001\n"
            "  betas: [0.9, 0.98]\n"
            "  milestones: []\n");
}

TEST(Dump, ReadsBackToTheSame) {
  const char* configurations[] = {
      "",
      "train: none",
      "job: count\nunit: words",
      "model: {mixer: plain}",
      "model: {mixer: {type: nested, inner: {type: packed, rows: 3}}}",
      "title: \"two\\nlines, a \\\"quote\\\", a \\\\ and \\x07 bell: #no comment\"",
      "title: 'yes'",
      "title: '1e3'",
      "title: 'null'",
      "title: ' edges '",
      "title: '- x'",
      "title: Größe",
      "seed: 9223372036854775807",
      "model: {dropout: 0.30000000000000004}\ntrain: {learning_rate: 1e-300, betas: []}",
  };
  for (const char* yaml : configurations) {
    const std::string first = dump(sample_from(yaml));
    const SampleOptions again = sample_from(first);
    EXPECT_EQ(dump(SampleOptions(again)), first);
    EXPECT_EQ(run_id(SampleOptions(again)), run_id(sample_from(yaml)));
    EXPECT_EQ(again.title, sample_from(yaml).title);
  }
}

TEST(Flatten, GivesDottedPaths) {
  std::vector<std::string> lines;
  for (const FlatField& f : flatten(sample_from("train: none\nmodel: {mixer: plain}")))
    lines.push_back(f.path + "=" + f.value);
  EXPECT_THAT(
      lines, testing::ElementsAre("seed=1", "threads=0", "title=\"\"", "splits=[train, test]", "job=classify",
                                  "model.dim=512", "model.heads=8", "model.dropout=0.1", "model.norm=post",
                                  "model.mixer.type=plain", "train=none"));
}

std::string id_of(const std::string& yaml) { return run_id(sample_from(yaml)); }

// Ids name folders of results that exist: a change here orphans every run ever made.
TEST(RunId, StaysWhatItWas) {
  const auto lines = [](SampleOptions o) {
    SampleOptions defaults;
    return id_lines([&](Fields& f) { o.visit(f); }, [&](Fields& f) { defaults.visit(f); });
  };
  EXPECT_EQ(lines(sample_from(
                "seed: 2\nmodel: {dropout: 0.25, mixer: {type: nested, inner: {type: packed, rows: 3}}}")),
            "defaults_version=1\n"
            "model.dropout=0.25\n"
            "model.mixer.inner.rows=3\n"
            "model.mixer.inner.type=packed\n"
            "model.mixer.type=nested\n"
            "seed=2\n");
  // printf 'defaults_version=1\n' | sha256sum
  EXPECT_EQ(id_of(""), "82ae4cfdf7");
  // The lines above through sha256sum.
  EXPECT_EQ(id_of("seed: 2\nmodel: {dropout: 0.25, mixer: {type: nested, inner: {type: packed, rows: 3}}}"),
            "b714e75dc4");
}

TEST(RunId, WritingADefaultOutChangesNothing) {
  EXPECT_EQ(id_of("seed: 1\nmodel: {dim: 512, mixer: {type: packed, rows: 16}}"), id_of(""));
  EXPECT_EQ(id_of("model: {mixer: {type: nested, inner: plain}}"), id_of("model: {mixer: nested}"));
}

TEST(RunId, IgnoresWhatCannotChangeAResult) { EXPECT_EQ(id_of("threads: 4\ntitle: x"), id_of("")); }

TEST(RunId, DependsOnEverythingElse) {
  const char* configurations[] = {"",
                                  "seed: 2",
                                  "splits: [train]",
                                  "job: count",
                                  "job: count\nunit: words",
                                  "model: {dim: 1024}",
                                  "model: {norm: pre}",
                                  "model: {mixer: plain}",
                                  "model: {mixer: nested}",
                                  "model: {mixer: {rows: 17}}",
                                  "train: none",
                                  "model: {mixer: {type: nested, inner: packed}}",
                                  "train: {betas: [0.9, 0.99]}"};
  std::set<std::string> ids;
  for (const char* yaml : configurations) EXPECT_TRUE(ids.insert(id_of(yaml)).second) << yaml;
  for (const auto& id : ids) EXPECT_THAT(id, testing::MatchesRegex("[0-9a-f]{10}"));
}

// The same options before and after somebody adds a field, a section that can be switched on, and reorders
// them.
struct Before {
  int64_t a = 1;
  double b = 2;
  void visit(Fields& f) {
    f("a", a, Range{}, "");
    f("b", b, Range{}, "");
  }
};
struct After {
  int64_t a = 1;
  double b = 2;
  std::vector<int64_t> added = {1, 2};
  TrainingOptions section;
  bool on = false;
  Choice<MixerOptions> choice;
  void visit(Fields& f) {
    f("added", added, Range{}, "");
    f("b", b, Range{}, "");
    f("a", a, Range{}, "");
    f.optional("section", section, on, "");
    f("choice", choice, "");
  }
};

TEST(RunId, ANewOptionLeavesOldIdsAlone) {
  Before before;
  After after;
  EXPECT_EQ(run_id(before), run_id(after));
  before.b = after.b = 3;
  EXPECT_EQ(run_id(before), run_id(after));
  after.added = {};
  EXPECT_NE(run_id(before), run_id(after));
}

struct ChangedDefault {
  struct {
    std::string pooling = "average";
    void visit(Fields& f) { f("pooling", pooling, OneOf{{"average", "max"}}, ""); }
  } policy;
  void visit(Fields& f) { f("policy", policy, ""); }
};

// Runs under the former default, max, had nothing of it in their ids.
TEST(RunId, NamesTheValueOfAnOptionWhoseDefaultHasChanged) {
  ChangedDefault options, defaults;
  const auto lines = [&] {
    return id_lines([&](Fields& f) { options.visit(f); }, [&](Fields& f) { defaults.visit(f); });
  };
  EXPECT_EQ(lines(), "defaults_version=1\npolicy.pooling=average\n");
  options.policy.pooling = "max";
  EXPECT_EQ(lines(), "defaults_version=1\npolicy.pooling=max\n");
}

TEST(RunId, OfASectionSwitchedOnHoldsOnlyWhatDiffers) {
  After on;
  on.on = true;
  on.section.updates = 5;
  After defaults;
  EXPECT_EQ(id_lines([&](Fields& f) { on.visit(f); }, [&](Fields& f) { defaults.visit(f); }),
            "defaults_version=1\nsection=on\nsection.updates=5\n");
}

}  // namespace
}  // namespace attnlab
