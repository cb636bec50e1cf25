#include "config/writer.h"
#include "sample.h"

namespace attnlab {
namespace {

class Sweeps : public FolderTest {
 protected:
  std::vector<Case> cases(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
    return expand(load_experiment(write("table.yaml", yaml)), overrides);
  }
  std::vector<std::string> names(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
    std::vector<std::string> all;
    for (const Case& one : cases(yaml, overrides)) all.push_back(one.name());
    return all;
  }
};

using Names = std::vector<std::string>;

TEST_F(Sweeps, WithoutOneThereIsOneRun) {
  const auto all = cases("seed: 4\n");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].index, 0);
  EXPECT_EQ(all[0].name(), "");
  EXPECT_EQ(read_options<SampleOptions>(all[0].config).seed, 4);
}

TEST_F(Sweeps, TheLastKeyOfAGridIsFastest) {
  EXPECT_EQ(names("sweep: {grid: {model.mixer: [plain, {type: packed, rows: 4}], seed: [1, 2]}}"),
            (Names{"model.mixer=plain seed=1", "model.mixer=plain seed=2", "model.mixer=packed rows=4 seed=1",
                   "model.mixer=packed rows=4 seed=2"}));
}

TEST_F(Sweeps, CasesTimesGrid) {
  EXPECT_EQ(names("sweep:\n  cases:\n    - {model.dim: 8, train.updates: 1}\n    - {model.dim: 16}\n"
                  "  grid: {seed: [1, 2]}\n"),
            (Names{"model.dim=8 train.updates=1 seed=1", "model.dim=8 train.updates=1 seed=2",
                   "model.dim=16 seed=1", "model.dim=16 seed=2"}));
}

TEST_F(Sweeps, ACaseKeepsItsOwnValueOfAKeyOfTheGrid) {
  EXPECT_EQ(names("sweep:\n  cases:\n    - {model.dim: 8, train.updates: 1}\n    - {model.dim: 16}\n"
                  "  grid: {train.updates: [2, 3], seed: [1, 2]}\n"),
            (Names{"model.dim=8 train.updates=1 seed=1", "model.dim=8 train.updates=1 seed=2",
                   "model.dim=16 train.updates=2 seed=1", "model.dim=16 train.updates=2 seed=2",
                   "model.dim=16 train.updates=3 seed=1", "model.dim=16 train.updates=3 seed=2"}));
}

TEST_F(Sweeps, ValuesReachTheOptions) {
  const auto options = read_cases<SampleOptions>(
      cases("model: {mixer: {type: packed, rows: 99, tie: true}}\n"
            "sweep: {grid: {model.mixer: [plain, {type: packed, rows: 4}, packed], model.heads: [2, 4]}}"));
  ASSERT_EQ(options.size(), 6u);
  EXPECT_EQ(options[1].model().mixer.name(), "plain");
  EXPECT_EQ(options[1].model().heads, 4);
  EXPECT_EQ(options[2].packed().rows, 4);
  EXPECT_FALSE(options[2].packed().tie) << "a map replaces the component whole";
  EXPECT_EQ(options[5].packed().rows, 16);
}

TEST_F(Sweeps, ComponentAndItsKeysInAnyOrder) {
  const auto options = read_cases<SampleOptions>(
      cases("model: {mixer: plain}\nsweep: {cases: [{model.mixer.rows: 4, model.mixer: packed}]}"));
  EXPECT_EQ(options[0].packed().rows, 4);
}

TEST_F(Sweeps, AnOverriddenKeyIsSweptNoMore) {
  const std::string yaml =
      "sweep:\n  cases: [{model.dim: 8, seed: 1}, {model.dim: 8, seed: 2}]\n  grid: {model.mixer.rows: [1, "
      "2]}\n";
  EXPECT_EQ(names(yaml, {"seed=5"}),
            (Names{"model.dim=8 model.mixer.rows=1", "model.dim=8 model.mixer.rows=2"}));
  EXPECT_EQ(names(yaml, {"seed=5", "model.mixer=plain"}), Names{"model.dim=8"});
  EXPECT_EQ(names(yaml, {"seed=5", "model.mixer.type=plain"}), Names{"model.dim=8"});
  const auto options = read_cases<SampleOptions>(cases(yaml, {"seed=5", "model.mixer=plain"}));
  EXPECT_EQ(options[0].seed, 5);
}

TEST_F(Sweeps, OtherOverridesReachEveryRun) {
  const auto options = read_cases<SampleOptions>(cases("sweep: {grid: {seed: [1, 2]}}", {"model.heads=4"}));
  ASSERT_EQ(options.size(), 2u);
  EXPECT_EQ(options[1].seed, 2);
  EXPECT_EQ(options[1].model().heads, 4);
}

TEST_F(Sweeps, MistakesAreToldOnceWithTheirLines) {
  const std::string yaml =
      "sweep:\n"
      "  grid:\n"
      "    model.haeds: [1, 2]\n"
      "    seed: [1, x]\n"
      "    threads: 3\n"
      "    model..dim: [3]\n"
      "  cases:\n"
      "    - {train.updates: -1}\n"
      "    - 4\n"
      "  cses: []\n";
  EXPECT_EQ(message_of([&] { read_cases<SampleOptions>(cases(yaml)); }),
            "table.yaml:5: sweep.grid.threads: expected a list of values, got 3\n"
            "table.yaml:9: sweep.cases[1]: expected values under key paths, got 4\n"
            "table.yaml:10: sweep.cses: unknown key; did you mean 'cases'?\n"
            "table.yaml:6: model..dim: is no path of keys\n"
            "table.yaml:8: train.updates: -1 is out of range; it must be between 0 and 1000000000000\n"
            "table.yaml:3: model.haeds: unknown key; did you mean 'heads'?\n"
            "table.yaml:4: seed: expected a whole number, got the text 'x'");
}

TEST_F(Sweeps, MalformedSweepsAreTold) {
  const std::pair<const char*, const char*> sweeps[] = {
      {"sweep: 3\n", "table.yaml:1: sweep: expected grid or cases, got 3"},
      {"sweep:\n", "table.yaml:1: sweep: expected grid or cases, got nothing"},
      {"sweep: {grid: [a]}\n",
       "table.yaml:1: sweep.grid: expected lists of values under key paths, got a list"},
      {"sweep: {grid: {seed: []}}\n",
       "table.yaml:1: sweep.grid.seed: expected a list of values, got an empty one"},
      {"sweep: {cases: {seed: 1}}\n",
       "table.yaml:1: sweep.cases: expected a list of cases, got a map of keys"},
  };
  for (const auto& [yaml, message] : sweeps)
    EXPECT_EQ(message_of([&] { read_cases<SampleOptions>(cases(yaml)); }), message);
}

TEST_F(Sweeps, TooManyRunsAreRefused) {
  std::string values;
  for (int i = 0; i < 1000; ++i) values += fmt::format("{}, ", i);
  const std::string yaml = fmt::format("sweep: {{grid: {{seed: [{0}], threads: [{0}]}}}}", values);
  EXPECT_EQ(message_of([&] { cases(yaml); }),
            "table.yaml:1: sweep.grid.threads: the sweep has more than 100,000 runs");
}

class Labels : public Sweeps {
 protected:
  std::vector<std::string> rows(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
    std::vector<std::string> all;
    for (const Case& one : cases(yaml, overrides)) all.push_back(one.row());
    return all;
  }
};

TEST_F(Labels, NameTheirCaseAndTheRestOfTheSweepFollows) {
  const std::string yaml =
      "sweep:\n  cases:\n    - {label: Packed-4, model.mixer: packed, model.mixer.rows: 4}\n"
      "    - {model.mixer: plain}\n  grid: {model.dim: [8], seed: [1, 2]}\n";
  EXPECT_EQ(names(yaml),
            (Names{"Packed-4 model.dim=8 seed=1", "Packed-4 model.dim=8 seed=2",
                   "model.mixer=plain model.dim=8 seed=1", "model.mixer=plain model.dim=8 seed=2"}));
  EXPECT_EQ(rows(yaml), (Names{"Packed-4 model.dim=8", "Packed-4 model.dim=8",
                               "model.mixer=plain model.dim=8", "model.mixer=plain model.dim=8"}));
}

TEST_F(Labels, AreNoKeysOfTheConfiguration) {
  auto options =
      read_cases<SampleOptions>(cases("sweep: {cases: [{label: A, model.dim: 8}, {model.dim: 8}]}"));
  EXPECT_EQ(dump(options[0]), dump(options[1]));
}

TEST_F(Labels, OfSeveralCasesShowWhatTellsThemApart) {
  EXPECT_EQ(rows("sweep:\n  cases:\n    - {label: A, model.heads: 2, model.dim: 8, seed: 1}\n"
                 "    - {label: A, model.heads: 2, model.dim: 16, seed: 1}\n"
                 "    - {label: B, model.heads: 1, model.dim: 8}\n"),
            (Names{"A model.dim=8", "A model.dim=16", "B"}));
}

TEST_F(Labels, WithTheSeedOverriddenNameOneRun) {
  EXPECT_EQ(names("sweep: {cases: [{label: A, seed: 1}, {label: A, seed: 2}]}", {"seed=7"}), Names{"A"});
}

TEST_F(Labels, SayWhatAnOverrideMadeOfTheirCase) {
  const std::string yaml =
      "sweep: {cases: [{label: packed, model.mixer: packed, model.dim: 8}, {label: plain, model.mixer: "
      "plain}]}";
  EXPECT_EQ(rows(yaml, {"model.mixer=plain"}), (Names{"packed model.mixer=plain", "plain"}));
  EXPECT_EQ(rows(yaml, {"model.dim=8"}), (Names{"packed", "plain"}));
  EXPECT_EQ(rows(yaml, {"model.dim=16"}), (Names{"packed model.dim=16", "plain"}));
  const std::string map = "sweep: {cases: [{label: A, model.mixer: {type: packed, rows: 4}}]}";
  EXPECT_EQ(rows(map, {"model.mixer.rows=8"}), Names{"A model.mixer.rows=8"});
  EXPECT_EQ(rows(map, {"model.mixer.rows=4"}), Names{"A"}) << "as the case says";
}

TEST_F(Labels, OfEqualCasesAreRefused) {
  EXPECT_EQ(message_of([&] {
              read_cases<SampleOptions>(
                  cases("sweep:\n  cases:\n    - {label: A, seed: 1, model.dim: 8}\n"
                        "    - {model.dim: 8, seed: 1, label: A}\n"));
            }),
            "table.yaml:4: sweep.cases[1].label: 'A' names a case with the same keys at "
            "table.yaml:3");
}

TEST_F(Labels, MustBeTexts) {
  EXPECT_EQ(message_of([&] {
              read_cases<SampleOptions>(
                  cases("sweep:\n  cases:\n    - {label: [A]}\n    - label:\n    - {label: ''}\n"));
            }),
            "table.yaml:3: sweep.cases[0].label: expected a name for the case, got a list\n"
            "table.yaml:4: sweep.cases[1].label: expected a name for the case, got nothing\n"
            "table.yaml:5: sweep.cases[2].label: expected a name for the case, got the text ''");
}

using Experiments = FolderTest;

TEST_F(Experiments, AreNamedAfterTheirFile) {
  const auto e = load_experiment(write("table2.yaml", "seed: 1\n"));
  EXPECT_EQ(e.name, "table2");
  EXPECT_EQ(e.description, "");
  EXPECT_TRUE(e.published.empty());
}

TEST_F(Experiments, NameDescriptionAndPublishedAreNoOptions) {
  const auto e = load_experiment(write("luna/table2.yaml",
                                       "name: lra\ndescription: accuracy at 4,096 bytes\n"
                                       "published: ../published/luna.yaml\nseed: 3\n"));
  EXPECT_EQ(e.name, "lra");
  EXPECT_EQ(e.description, "accuracy at 4,096 bytes");
  EXPECT_EQ(e.published, folder_ / "published/luna.yaml");
  EXPECT_EQ(read_options<SampleOptions>(e.config).seed, 3);
}

TEST_F(Experiments, IncludeSweepAndPublishedButNotTheName) {
  write("sub/base.yaml",
        "name: base\ndescription: of the base\npublished: p.yaml\nsweep: {grid: {seed: [1, 2]}}\n");
  const auto e = load_experiment(write("variant.yaml", "include: sub/base.yaml\nmodel: {dim: 8}\n"));
  EXPECT_EQ(e.name, "variant");
  EXPECT_EQ(e.description, "");
  EXPECT_EQ(e.published, folder_ / "sub/p.yaml");
  EXPECT_EQ(expand(e).size(), 2u);
}

TEST_F(Experiments, NamesMustBeNamesOfFolders) {
  const auto e = load_experiment(write("x.yaml", "name: ../up\n"));
  EXPECT_EQ(message_of([&] { read_options<SampleOptions>(e.config); }),
            "x.yaml:1: name: '../up' cannot be the name of a folder");
}

}  // namespace
}  // namespace attnlab
