#include "tables/experiment_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "config/problems.h"
#include "core/error.h"
#include "core/quantiles.h"
#include "tables/differences.h"
#include "tables/floors.h"
#include "tables/ratios.h"
#include "tables/single_values.h"

namespace attnlab {
namespace {

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// The headlines to print, floors apart: those asked for, else those that some run has a figure for, else
/// all.
std::vector<Headline> chosen(const ExperimentFigures& all, const std::vector<std::string>& wanted) {
  std::vector<Headline> known, some;
  std::vector<std::string> names;
  for (const auto& h : all.headlines) {
    if (!h.floor_of.empty()) continue;
    known.push_back(h);
    names.push_back(h.name);
  }
  for (const auto& word : wanted) {
    const auto found = std::find(names.begin(), names.end(), word);
    if (found == names.end())
      user_error("--columns: no task of this experiment has the figure '{}'{}", word,
                 suggestion(word, names));
    some.push_back(known[static_cast<std::size_t>(found - names.begin())]);
  }
  if (!wanted.empty()) return some;
  for (const auto& h : known)
    if (std::any_of(all.cases.begin(), all.cases.end(),
                    [&](const auto& one) { return one.figures.contains(h.name); }))
      some.push_back(h);
  return some.empty() ? known : some;
}

/// A figure is in the unit of what is published of its differences.
bool difference_is_published(const ExperimentRuns& runs, const Headline& h) {
  const std::vector<Comparison> all = runs.compare.each();
  return std::any_of(all.begin(), all.end(), [&](const Comparison& c) {
    return c.kind == Comparison::Kind::difference && c.metric == h.name &&
           contains(runs.published->metrics, c.name());
  });
}

/// Of the figure in `column`: ratios have no unit, differences that of the figure.
TableColumn compared(const Headline& h, const Comparison& c, const TableColumn& column, bool published) {
  using Kind = TableColumn::Kind;
  if (c.kind == Comparison::Kind::difference)
    return {c.name(), h.unit, Kind::difference, c.metric, c.reference, true, published, column.in_percent};
  const Kind kind = c.kind == Comparison::Kind::speedup ? Kind::speedup : Kind::fraction;
  return {c.name(), "1", kind, c.metric, c.reference, true, published, false};
}

bool is_timing(const std::string& unit) { return unit == "s" || unit.ends_with("/s"); }

/// Whether some run tells them beside the figure, as of ratios of times.
bool has_own_quartiles(const ExperimentFigures& all, const std::string& figure) {
  return std::ranges::any_of(
      all.cases, [&](const CaseFigures& one) { return one.figures.contains(figure + first_quartile_of); });
}

std::vector<TableColumn> columns_of(const ExperimentRuns& runs, const ExperimentFigures& all,
                                    const std::vector<Headline>& headlines, bool others) {
  using Kind = TableColumn::Kind;
  const std::vector<std::string> published =
      runs.published ? runs.published->metrics : std::vector<std::string>{};
  const bool percent = runs.published && runs.published->unit == "%";
  std::vector<TableColumn> columns;
  for (const auto& h : headlines) {
    const bool beside = contains(published, h.name);
    const std::size_t place = columns.size();
    columns.push_back({h.name, h.unit, Kind::headline, "", "", true, beside,
                       percent && h.unit == "1" && (beside || difference_is_published(runs, h))});
    for (const Comparison& c : runs.compare.each())
      if (c.metric == h.name)
        columns.push_back(compared(h, c, columns[place], contains(published, c.name())));
    for (std::size_t i = place; i < columns.size(); ++i) columns[i].timed = is_timing(h.unit);
    columns[place].timed |= has_own_quartiles(all, h.name);
  }
  for (const auto& metric : published)
    if (others &&
        std::none_of(columns.begin(), columns.end(), [&](const auto& c) { return c.name == metric; }))
      columns.push_back({metric, runs.published->unit, Kind::headline, "", "", false, true, false});
  return columns;
}

/// The figures of a published row. `name`: what to print behind them.
void add_published(TableRow& row, const PublishedRow& theirs, const std::string& name) {
  for (const auto& [metric, value] : theirs.figures)
    row.published[metric].push_back({value, theirs.written.at(metric), theirs.name, name});
}

/// Those of the published rows about this case.
void add_published(TableRow& row, const Published& published, const CaseFigures& one) {
  for (const std::size_t place : one.published) {
    const PublishedRow& theirs = published.rows[place];
    const bool named = theirs.name == row.label || theirs.name == row.name ||
                       std::any_of(theirs.match.begin(), theirs.match.end(),
                                   [](const auto& m) { return m.first == "label"; });
    add_published(row, theirs, named ? "" : theirs.name);
  }
}

void append_words(std::string& text, const std::string& words) {
  if (!words.empty()) text += (text.empty() ? "" : "; ") + words;
}

TableRow case_row(const ExperimentRuns& runs, const ExperimentFigures& all, const CaseFigures& one) {
  TableRow row;
  row.name = one.row.empty() ? runs.experiment : one.row;
  row.label = one.label;
  row.condition = one.condition;
  row.done = one.done();
  row.total = one.runs();
  row.notes = one.not_done();
  row.ids = one.ids;
  row.origin = one.origin;
  row.members = one.members;
  row.missing_seeds = one.missing_seeds;
  for (const auto& [name, figure] : one.figures) row.figures[name] = one.estimate(name);
  const Ratios ratios = ratios_of(one, all, runs.compare);
  row.figures.insert(ratios.figures.begin(), ratios.figures.end());
  append_words(row.notes, ratios.missing);
  const Ratios differences = differences_of(one, all, runs);
  row.figures.insert(differences.figures.begin(), differences.figures.end());
  append_words(row.notes, differences.missing);
  if (one.limit > 0) append_words(row.notes, fmt::format("first {} examples only", one.limit));
  if (runs.published) add_published(row, *runs.published, one);
  return row;
}

TableRow floor_row(const Floor& floor) {
  TableRow row;
  row.kind = TableRow::Kind::floor;
  row.name = floor.name;
  row.floor = floor.row;
  row.condition = floor.condition;
  row.figures[floor.metric] = floor.figure.estimate();
  return row;
}

TableRow published_row(const PublishedRow& theirs) {
  TableRow row;
  row.kind = TableRow::Kind::published;
  row.name = theirs.name;
  add_published(row, theirs, "");
  return row;
}

/// Whether a row has anything to show in these columns.
bool shows(const TableRow& row, const std::vector<TableColumn>& columns) {
  return std::any_of(columns.begin(), columns.end(), [&](const TableColumn& c) {
    return (c.ours && row.figures.contains(c.name)) || (c.published && row.published.contains(c.name));
  });
}

/// What the figure's standard error in a single run is over, as the first record that has one tells.
std::string errors_over(const ExperimentRuns& runs, const ExperimentFigures& all, const std::string& figure) {
  for (const CaseFigures& one : all.cases) {
    const auto found = one.figures.find(figure);
    if (found == one.figures.end() || one.members.size() != 1) continue;
    if (std::isfinite(found->second.estimate().standard_error))
      return single_values(runs.runs[one.members.front()].record, figure).things;
  }
  return "";
}

}  // namespace

ExperimentTable experiment_table(const ExperimentRuns& runs, const std::vector<std::string>& wanted) {
  const ExperimentFigures all = collect_figures(runs);
  ExperimentTable table;
  table.columns = columns_of(runs, all, chosen(all, wanted), wanted.empty());
  for (TableColumn& column : table.columns)
    if (column.kind == TableColumn::Kind::headline && column.ours)
      column.errors_over = errors_over(runs, all, column.name);
  table.source = runs.published ? runs.published->source : "";
  table.references = runs.compare.to;
  table.departures = runs.departures;
  for (const TableRun& run : runs.unreadable) table.unreadable.push_back(run.state.error);
  std::set<std::size_t> used;  // published rows that are about some case
  for (const auto& one : all.cases) {
    table.rows.push_back(case_row(runs, all, one));
    used.insert(one.published.begin(), one.published.end());
  }
  for (const auto& floor : floors_of(all))
    if (const TableRow row = floor_row(floor); shows(row, table.columns)) table.rows.push_back(row);
  for (std::size_t i = 0; runs.published && i < runs.published->rows.size(); ++i)
    if (const TableRow row = published_row(runs.published->rows[i]);
        !used.contains(i) && shows(row, table.columns))
      table.rows.push_back(row);
  return table;
}

}  // namespace attnlab
