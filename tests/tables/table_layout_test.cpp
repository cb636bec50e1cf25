// An experiment's table as cells.
#include "tables/table_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace attnlab {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Rounds of 1, 2, 3, 4 and 10 seconds, and of as many seeds an accuracy.
ExperimentTable timed_table() {
  TableRow row;
  row.name = "Luna";
  row.done = row.total = 5;
  row.figures["seconds"] = Figure{{1, 2, 3, 4, 10}, {}}.estimate();
  row.figures["accuracy"] = Figure{{0.1, 0.2, 0.3, 0.4, 0.5}, {}}.estimate();
  ExperimentTable table;
  table.columns.resize(2);
  table.columns[0].name = "seconds";
  table.columns[0].unit = "s";
  table.columns[0].timed = true;
  table.columns[1].name = "accuracy";
  table.columns[1].unit = "1";
  table.rows = {row};
  return table;
}

TEST(TableLayout, TimesOfFiveRoundsStandAsMedianAndQuartiles) {
  const TextTable cells = layout_for_people(timed_table());
  EXPECT_THAT(cells.header, ElementsAre("case", "runs", "seconds [s], median [quartiles] over runs",
                                        "accuracy, ± sd over runs", "notes"));
  EXPECT_THAT(cells.rows.at(0), ElementsAre("Luna", "5/5", "3.00 [2.00, 4.00]", "0.30 ± 0.16", ""));
}

TEST(TableLayout, ASingleRunsQuartilesAreSaidToBeWithinIt) {
  ExperimentTable table = timed_table();
  Estimate& seconds = table.rows[0].figures["seconds"];
  seconds.runs = 1;
  seconds.deviation = Estimate::none;
  EXPECT_EQ(layout_for_people(table).header.at(2), "seconds [s], median [quartiles] within a run");
  EXPECT_EQ(layout_for_people(table).rows.at(0).at(2), "3.00 [2.00, 4.00]");
}

TEST(TableLayout, TheLegendTellsOfQuartilesWhereThereAreAny) {
  ExperimentTable table = timed_table();
  EXPECT_THAT(legend(table, "", "\n"), HasSubstr("median [lower, upper quartile]"));
  table.rows[0].figures.erase("seconds");
  EXPECT_THAT(legend(table, "", "\n"), Not(HasSubstr("quartile")));
}

TEST(TableLayout, TimesOfFewerRoundsStandAsOtherFigures) {
  ExperimentTable table = timed_table();
  table.rows[0].figures["seconds"] = Figure{{1, 3}, {}}.estimate();
  EXPECT_EQ(layout_for_people(table).rows.at(0).at(2), "2.0 ± 1.4");
  table.rows.insert(table.rows.begin(), timed_table().rows[0]);
  EXPECT_EQ(layout_for_people(table).header.at(2),
            "seconds [s], median [quartiles] over runs, of fewer runs ± sd over runs");
}

TEST(TableLayout, CsvHasTheQuartilesOfTimesOnly) {
  const TextTable cells = layout_for_csv(timed_table());
  const std::vector<std::string> head(cells.header.begin() + 3, cells.header.begin() + 14);
  EXPECT_THAT(head,
              ElementsAre("runs_done", "runs_total", "seconds", "seconds_sd", "seconds_se", "seconds_median",
                          "seconds_q1", "seconds_q3", "accuracy", "accuracy_sd", "accuracy_se"));
  const std::vector<std::string> seconds(cells.rows.at(0).begin() + 5, cells.rows.at(0).begin() + 11);
  EXPECT_THAT(seconds, ElementsAre("4", StartsWith("3.5355"), "", "3", "2", "4"));
  EXPECT_THAT(cells.header, Not(Contains(StartsWith("accuracy_q"))));
  EXPECT_EQ(cells.rows.at(0).size(), cells.header.size());
}

}  // namespace
}  // namespace attnlab
