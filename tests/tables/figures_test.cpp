// Figures over seeds, floors and ratios.
#include "tables/figures.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tables/floors.h"
#include "tables/ratios.h"

namespace attnlab {
namespace {

using testing::HasSubstr;

TEST(Figures, MeanAndSampleDeviation) {
  // statistics.mean and statistics.stdev of Python for the same numbers.
  const Figure figure{{0.62, 0.64, 0.65, 0.61}, {}};
  EXPECT_NEAR(figure.mean(), 0.63, 1e-12);
  EXPECT_NEAR(figure.deviation(), 0.018257418583505554, 1e-15);
  EXPECT_TRUE(std::isnan(Figure({{0.5}, {0.1}}).deviation()));
}

TEST(Figures, HaveQuartilesWhereFiveRunsOrMoreAreDone) {
  // numpy.quantile([3, 1, 10, 2, 7, 4.5], [0.25, 0.5, 0.75])
  const Estimate six = Figure{{3, 1, 10, 2, 7, 4.5}, {}}.estimate();
  EXPECT_DOUBLE_EQ(six.lower_quartile, 2.25);
  EXPECT_DOUBLE_EQ(six.median, 3.75);
  EXPECT_DOUBLE_EQ(six.upper_quartile, 6.375);
  EXPECT_TRUE(std::isnan(Figure({{3, 1, 10, 2}, {}}).estimate().median));
}

TEST(Figures, ASingleRunTellsItsOwnQuartilesOverFiveRoundsOrMore) {
  CaseFigures one;
  one.figures = {{"ratio", {{0.7}, {NAN}, {1}, {5}}},
                 {"ratio_first_quartile", {{0.6}, {NAN}, {1}, {5}}},
                 {"ratio_third_quartile", {{0.9}, {NAN}, {1}, {5}}}};
  const Estimate ratio = one.estimate("ratio");
  EXPECT_EQ(ratio.lower_quartile, 0.6);
  EXPECT_EQ(ratio.median, 0.7);
  EXPECT_EQ(ratio.upper_quartile, 0.9);
  one.figures.at("ratio_first_quartile").counts = {4};
  EXPECT_TRUE(std::isnan(one.estimate("ratio").median)) << "four rounds";
  one.figures.at("ratio_first_quartile").counts = {5};
  one.figures.at("ratio") = {{0.7, 0.8}, {NAN, NAN}, {1, 2}, {5, 5}};
  EXPECT_TRUE(std::isnan(one.estimate("ratio").median)) << "two runs";
}

TEST(Figures, TheStandardErrorIsThatOfASingleRun) {
  EXPECT_EQ(Figure({{0.5}, {0.1}}).estimate().standard_error, 0.1);
  EXPECT_TRUE(std::isnan(Figure({{0.5, 0.6}, {0.1, 0.1}}).estimate().standard_error));
}

TEST(Figures, WhatIsNotDoneIsToldWithItsReason) {
  CaseFigures one;
  one.statuses = {{"done", {2, ""}}, {"failed", {1, "no space left"}}, {"not started", {3, ""}}};
  EXPECT_EQ(one.not_done(), "1 failed: no space left; 3 not started");
  EXPECT_EQ(one.done(), 2);
  EXPECT_EQ(one.runs(), 6);
}

TEST(FirstSentence, EndsAtTheFullStopOrTheLine) {
  EXPECT_EQ(first_sentence("needs about 3.5 GiB, 2 available. Buy more."),
            "needs about 3.5 GiB, 2 available");
  EXPECT_EQ(first_sentence("one\ntwo"), "one");
  EXPECT_EQ(first_sentence("done."), "done");
  EXPECT_EQ(first_sentence(""), "");
  EXPECT_EQ(first_sentence(std::string(119, 'a') + "äb"), std::string(119, 'a') + "…");
}

/// A case that is done, with figures.
CaseFigures case_with(const std::string& label, std::map<std::string, std::string> condition,
                      std::map<std::string, Figure> figures) {
  CaseFigures one;
  one.label = label;
  one.row = label;
  for (const auto& [path, value] : condition) one.row += " " + path + "=" + value;
  one.condition = std::move(condition);
  one.figures = std::move(figures);
  one.statuses["done"].runs = 1;
  return one;
}

const std::vector<Headline> kHeadlines{
    {"accuracy", "1", "", Summary::Better::higher},
    {"seconds", "s", "", Summary::Better::lower},
    {"rate", "1/s", "", Summary::Better::higher},
    {"majority", "1", "", Summary::Better::neither, "accuracy", "majority class"}};

Figure floor(double value) { return {{value}, {0.01}}; }

std::vector<std::string> floor_names(const std::vector<CaseFigures>& cases) {
  std::vector<std::string> names;
  for (const Floor& f : floors_of({kHeadlines, cases}))
    names.push_back(f.name + " " + fmt::format("{}", f.figure.mean()));
  return names;
}

TEST(Floors, ThatAreEqualStandInOneRow) {
  const auto floors = floors_of({kHeadlines,
                                 {case_with("A", {}, {{"majority", floor(0.5)}}), case_with("B", {}, {}),
                                  case_with("C", {}, {{"majority", {{0.5, 0.5}, {0.01, 0.01}}}})}});
  ASSERT_EQ(floors.size(), 1U);
  EXPECT_EQ(floors[0].name, "majority class");
  EXPECT_EQ(floors[0].metric, "accuracy");
  EXPECT_EQ(floors[0].figure.estimate().standard_error, 0.01)
      << "equal in all runs: one value, with its error";
}

TEST(Floors, ThatFollowOneSweptKeyHaveARowForEachOfItsValues) {
  EXPECT_EQ(
      floor_names({case_with("A", {{"dim", "8"}, {"length", "1024"}}, {{"majority", floor(0.5)}}),
                   case_with("A", {{"dim", "8"}, {"length", "4096"}}, {{"majority", floor(0.625)}}),
                   case_with("A", {{"dim", "16"}, {"length", "1024"}}, {{"majority", floor(0.5)}})}),
      (std::vector<std::string>{"majority class, length=1024 0.5", "majority class, length=4096 0.625"}));
}

TEST(Floors, ThatFollowNoKeyAloneNameTheirCase) {
  EXPECT_EQ(floor_names({case_with("A", {}, {{"majority", floor(0.5)}}),
                         case_with("B", {}, {{"majority", floor(0.625)}})}),
            (std::vector<std::string>{"majority class, A 0.5", "majority class, B 0.625"}));
}

/// The same floor under other seeds is no other condition, though fewer of them are done.
TEST(Floors, ThatVaryWithTheSeedAloneStandInOneRow) {
  EXPECT_EQ(floor_names({case_with("A", {}, {{"majority", {{0.5, 0.75}, {0, 0}, {1, 2}}}}),
                         case_with("B", {}, {{"majority", {{0.5}, {0}, {1}}}})}),
            (std::vector<std::string>{"majority class 0.625"}))
      << "the mean over seeds, each once";
}

class RatiosOfCases : public testing::Test {
 protected:
  RatiosOfCases() {
    compare_.to = {{"ref", "R"}};
    compare_.speedup = {{"seconds", {}}, {"rate", {}}};
    compare_.fraction = {{"seconds", {}}};
    all_ = {kHeadlines,
            {case_with("R", {{"n", "1"}}, {{"seconds", {{6}, {0}}}, {"rate", {{2}, {0}}}}),
             case_with("A", {{"n", "1"}}, {{"seconds", {{1, 2}, {0, 0}}}, {"rate", {{8}, {0}}}}),
             case_with("A", {{"n", "2"}}, {{"seconds", {{1}, {0}}}})}};
  }
  Compare compare_;
  ExperimentFigures all_;
};

TEST_F(RatiosOfCases, SayHowManyTimesBetterAndWhatFraction) {
  const auto figures = ratios_of(all_.cases[1], all_, compare_).figures;
  EXPECT_DOUBLE_EQ(figures.at("seconds_speedup_ref").value, 4) << "6 s to a mean of 1.5 s";
  EXPECT_DOUBLE_EQ(figures.at("rate_speedup_ref").value, 4) << "8/s to 2/s: higher is better";
  EXPECT_DOUBLE_EQ(figures.at("seconds_fraction_ref").value, 0.25);
  EXPECT_DOUBLE_EQ(ratios_of(all_.cases[0], all_, compare_).figures.at("seconds_speedup_ref").value, 1);
}

TEST_F(RatiosOfCases, CarryTheRelativeSpread) {
  const auto figures = ratios_of(all_.cases[1], all_, compare_).figures;
  // Of 1 and 2: mean 1.5, sample deviation 1/sqrt(2).
  EXPECT_NEAR(figures.at("seconds_speedup_ref").deviation, 4 * std::sqrt(0.5) / 1.5, 1e-12);
  EXPECT_TRUE(std::isnan(figures.at("rate_speedup_ref").deviation));
}

TEST_F(RatiosOfCases, AreThoseOfEachRoundWhereTheSeedsAreTheSame) {
  // A machine that became three times slower after the first round.
  all_.cases[0].figures["seconds"] = {{2, 6}, {0, 0}, {1, 2}};
  all_.cases[1].figures["seconds"] = {{1, 3}, {0, 0}, {1, 2}};
  const Estimate speedup = ratios_of(all_.cases[1], all_, compare_).figures.at("seconds_speedup_ref");
  EXPECT_DOUBLE_EQ(speedup.value, 2);
  EXPECT_DOUBLE_EQ(speedup.deviation, 0);
  all_.cases[1].figures["seconds"].seeds = {1, 3};
  EXPECT_GT(ratios_of(all_.cases[1], all_, compare_).figures.at("seconds_speedup_ref").deviation, 1)
      << "no rounds: as if the spreads were independent";
}

TEST_F(RatiosOfCases, AreNotMadeAcrossOtherKeysAndSayWhy) {
  const Ratios none = ratios_of(all_.cases[2], all_, compare_);
  EXPECT_TRUE(none.figures.empty());
  EXPECT_EQ(none.missing, "not compared with ref: the sweep has no R with n=2");
}

TEST_F(RatiosOfCases, AreMadeWithAReferenceThatSetsTheSweptKeyItself) {
  compare_.to = {{"full", "Full"}};
  all_.cases.push_back(case_with("Full", {}, {{"seconds", {{8}, {0}}}}));
  EXPECT_DOUBLE_EQ(ratios_of(all_.cases[2], all_, compare_).figures.at("seconds_speedup_full").value, 8);
  all_.cases.push_back(case_with("Full", {{"x", "0"}}, {{"seconds", {{8}, {0}}}}));
  EXPECT_DOUBLE_EQ(ratios_of(all_.cases[2], all_, compare_).figures.at("seconds_speedup_full").value, 8)
      << "the second full is one of x = 0, which this case is not known to be";
  all_.cases[2].settings = {{"x", "0"}};
  EXPECT_TRUE(ratios_of(all_.cases[2], all_, compare_).figures.empty()) << "two would do";
}

TEST_F(RatiosOfCases, AreMadeOfACaseThatSetsTheSweptKeyItself) {
  CaseFigures list = case_with("List", {}, {{"seconds", {{3}, {0}}}});
  list.settings = {{"n", "1"}, {"sizes", "[1, 2]"}};
  EXPECT_DOUBLE_EQ(ratios_of(list, all_, compare_).figures.at("seconds_speedup_ref").value, 2);
  list.settings["n"] = "2";
  EXPECT_TRUE(ratios_of(list, all_, compare_).figures.empty());
}

TEST_F(RatiosOfCases, NeedAReferenceThatIsDone) {
  all_.cases[0].figures.clear();
  all_.cases[0].statuses = {{"out_of_memory", {1, "needs 9 GiB"}}};
  EXPECT_EQ(ratios_of(all_.cases[1], all_, compare_).missing,
            "not compared with ref: R n=1: 1 out_of_memory: needs 9 GiB");
  EXPECT_EQ(ratios_of(case_with("B", {{"n", "1"}}, {}), all_, compare_).missing, "")
      << "a case without figures misses nothing";
}

}  // namespace
}  // namespace attnlab
