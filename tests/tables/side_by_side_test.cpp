// Two runs beside each other.
#include "tables/side_by_side.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace attnlab {
namespace {

using testing::ElementsAre;

using Row = std::vector<std::string>;

RunRecord record(const std::string& config, const std::string& commit, double accuracy, double error) {
  RunRecord made;
  made.attributes = {{"config", config}, {"git_commit", commit}, {"run_id", commit}, {"threads", int64_t{2}}};
  made.summaries["accuracy"] = {"accuracy", accuracy, "1", "", Summary::Better::higher, 100, error};
  made.summaries["peak"] = {"peak", accuracy * (1 << 21), "byte", ""};
  return made;
}

TEST(SideBySide, OptionsAndAttributesThatDifferAreListed) {
  const RunRecord a = record("{model: {dim: 8, heads: 2}, seed: 1}", "c1", 0.5, 0.01);
  const RunRecord b = record("{model: {dim: 16, heads: 2, new: 1}, seed: 1}", "c2", 0.5, 0.01);
  EXPECT_THAT(differences(a, b).rows, ElementsAre(Row{"model.dim", "8", "16"}, Row{"model.new", "–", "1"},
                                                  Row{"git_commit", "c1", "c2"}));
  EXPECT_TRUE(differences(a, a).rows.empty());
}

TEST(SideBySide, FiguresFurtherApartThanTwoStandardErrorsAreMarked) {
  const RunRecord a = record("", "", 0.5, 0.01);
  // The standard error of the difference is 0.01·√2 = 0.0141.
  EXPECT_THAT(figures_beside(a, record("", "", 0.52, 0.01)).rows.at(0),
              ElementsAre("accuracy", "0.500 ± 0.010", "0.520 ± 0.010", "1.04", ""));
  EXPECT_EQ(figures_beside(a, record("", "", 0.53, 0.01)).rows.at(0).back(), "*");
  EXPECT_THAT(figures_beside(a, record("", "", 0.53, 0.01)).rows.at(1),
              ElementsAre("peak [MiB]", "1", "1.06", "1.06", ""))
      << "without a standard error nothing is said";
}

TEST(SideBySide, AFigureThatOneLacksIsADash) {
  RunRecord a = record("", "", 0.5, 0.01), b = a;
  b.summaries.erase("accuracy");
  EXPECT_THAT(figures_beside(a, b).rows.at(0), ElementsAre("accuracy", "0.500 ± 0.010", "–", "", ""));
}

}  // namespace
}  // namespace attnlab
