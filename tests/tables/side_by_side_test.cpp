// Two runs beside each other.
#include "tables/side_by_side.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/record_file.h"
#include "run/test_folder.h"

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

/// Verdicts of a classifier and of the byte counts on numbered examples, as text of 0 and 1.
class PairsBeside : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& verdicts,
                              const std::string& byte_counts = "") const {
    std::filesystem::create_directories(folder_ / name);
    const auto record = open_record(folder_ / name);
    for (const auto& [table, all] :
         {std::pair("/eval/test", verdicts), std::pair("/eval/test_byte_counts", byte_counts)}) {
      if (all.empty()) continue;
      record->define(
          {table, "", {{"id", Column::Type::text, "1", ""}, {"correct", Column::Type::integer, "1", ""}}});
      for (std::size_t i = 0; i < all.size(); ++i) {
        const Value row[] = {"example " + std::to_string(i), int64_t{all[i] - '0'}};
        record->append(table, row);
      }
    }
    record->flush();
    return folder_ / name / "run.h5";
  }
  TemporaryFolder folder_;
};

/// b alone is right on 8 of 10 examples on which they disagree, a on 2: twice the tail of ten tosses of a
/// coin, 2 (1 + 10 + 45) / 1024 = 0.109375 (scipy.stats.binomtest(2, 10).pvalue). Of 20 differences 8 are 1,
/// 2 are -1: mean 0.3, sample deviation sqrt((10 - 20 · 0.09) / 19), and that over sqrt(20) is 0.147.
TEST_F(PairsBeside, OfVerdictsHaveMcNemarsExactTest) {
  const auto a = write("a",
                       "11111100"
                       "0000000011"
                       "00"),
             b = write("b",
                       "11111100"
                       "1111111100"
                       "00");
  EXPECT_THAT(paired(a, b).rows, ElementsAre(Row{"accuracy: b, a", "difference", "0.30 ± 0.15", "20 examples",
                                                 "8 / 2 / 10", "0.11"}));
  EXPECT_THAT(paired(b, a).rows.at(0), ElementsAre("accuracy: b, a", "difference", "-0.30 ± 0.15",
                                                   "20 examples", "2 / 8 / 10", "0.11"));
}

/// Against the regression on byte counts of the same run: right alone on 6 examples, never wrong alone: 2 /
/// 2^6.
TEST_F(PairsBeside, OfVerdictsStandBesideTheByteCountsToo) {
  const auto a = write("a", "11111111", "11000000"), b = write("b", "11111111");
  const TextTable table = paired(a, b);
  ASSERT_EQ(table.rows.size(), 2U) << "b has no byte counts";
  EXPECT_THAT(table.rows[0],
              ElementsAre("accuracy: b, a", "difference", testing::_, "8 examples", "0 / 0 / 8", "1.0"));
  EXPECT_THAT(table.rows[1], ElementsAre("accuracy: a, its byte counts", "difference", testing::_,
                                         "8 examples", "6 / 0 / 2", "0.031"));
}

}  // namespace
}  // namespace attnlab
