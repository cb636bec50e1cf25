// `compare:` of an experiment.
#include "config/compare.h"

#include "sample.h"

namespace attnlab {
namespace {

using Words = std::vector<std::string>;

class Comparisons : public FolderTest {
 protected:
  static constexpr const char* kCases =
      "sweep: {cases: [{label: A, seed: 1}, {label: B, seed: 2}, {seed: 3}]}\n";  // line 1
  Compare compare(const std::string& yaml) {
    const Experiment e = load_experiment(write("table.yaml", kCases + yaml));
    throw_if_any(e.config.problems);
    return e.compare;
  }
  std::string mistakes(const std::string& yaml) {
    return message_of([&] { compare(yaml); });
  }
};

TEST_F(Comparisons, AreEveryMetricToEveryReference) {
  Words made;
  for (const auto& c : compare("compare: {to: {a: A, b: B}, speedup: [seconds], fraction: [peak]}").each())
    made.push_back(c.name() + " to " + c.label);
  EXPECT_EQ(made, (Words{"seconds_speedup_a to A", "seconds_speedup_b to B", "peak_fraction_a to A",
                         "peak_fraction_b to B"}));
  EXPECT_TRUE(compare("").empty());
}

TEST_F(Comparisons, MistakesAreToldWithTheirLines) {
  EXPECT_EQ(
      mistakes("compare:\n  to:\n    a: Aa\n    b c: B\n    d: [A]\n  speedup: seconds\n  fractions: [x]\n"),
      "table.yaml:4: compare.to.a: no case of the sweep has the label 'Aa'; did you mean 'A'?\n"
      "table.yaml:5: compare.to.b c: a short name is made of letters, digits, _ and -\n"
      "table.yaml:6: compare.to.d: expected the label of a case, got a list\n"
      "table.yaml:7: compare.speedup: expected a list of headline figures, got the text 'seconds'\n"
      "table.yaml:8: compare.fractions: unknown key; did you mean 'fraction'?");
  EXPECT_EQ(mistakes("compare: 3\n"),
            "table.yaml:2: compare: expected to, speedup, fraction and difference, got 3");
  EXPECT_EQ(mistakes("compare: {speedup: [x]}\n"),
            "table.yaml:2: compare.to: expected short names with the labels of the cases to compare with");
  EXPECT_EQ(mistakes("compare: {to: {a: A}}\n"),
            "table.yaml:2: compare: names no figure: give speedup, fraction or difference");
}

}  // namespace
}  // namespace attnlab
