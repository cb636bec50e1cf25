// attnlab table: our figures beside the published ones.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>

#include "run/commands.h"
#include "run/figures.h"
#include "run/numbers.h"
#include "run/published.h"
#include "run/text_table.h"

namespace attnlab {
namespace {

/// A table being built: what each column shows.
struct Layout {
  std::vector<Headline> headlines;
  std::optional<Published> published;
  bool csv = false;

  /// Published figures in percent are compared with our fractions in percent.
  double scale(const Headline& h) const { return in_percent(h) ? 100.0 : 1.0; }
  bool in_percent(const Headline& h) const {
    if (!published || published->unit != "%" || h.unit != "1") return false;
    return std::find(published->metrics.begin(), published->metrics.end(), h.name) !=
           published->metrics.end();
  }
  std::string unit(const Headline& h) const { return in_percent(h) ? "%" : h.unit; }
};

/// Headlines that some run has a figure for, or all where none has.
std::vector<Headline> shown(const ExperimentFigures& all) {
  std::vector<Headline> some;
  for (const auto& h : all.headlines)
    if (std::any_of(all.cases.begin(), all.cases.end(),
                    [&](const auto& one) { return one.figures.contains(h.name); }))
      some.push_back(h);
  return some.empty() ? all.headlines : some;
}

/// Mean ± standard deviation over seeds; of a single run its value with the standard error from its examples.
std::string cell(const Figure& figure, double scale) {
  if (figure.values.empty()) return "";
  if (figure.values.size() > 1) return with_uncertainty(figure.mean() * scale, figure.deviation() * scale);
  const bool has_error = std::isfinite(figure.standard_error) && figure.standard_error > 0;
  return with_uncertainty(figure.mean() * scale, figure.standard_error * scale) + (has_error ? " (se)" : "");
}

std::string state_words(const CaseFigures& one) {
  std::string words;
  for (const auto& [status, count] : one.statuses)
    if (status != "done") words += fmt::format("{}{} {}", words.empty() ? "" : ", ", count, status);
  if (one.limit > 0) words += fmt::format("{}first {} examples only", words.empty() ? "" : "; ", one.limit);
  return words;
}

std::string csv_number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

Figure figure_of(const CaseFigures& one, const std::string& name) {
  const auto found = one.figures.find(name);
  return found == one.figures.end() ? Figure{} : found->second;
}

std::vector<std::string> header(const Layout& layout) {
  std::vector<std::string> names{"case", layout.csv ? "runs_done" : "runs"};
  if (layout.csv) names.emplace_back("runs_total");
  for (const auto& h : layout.headlines) {
    if (layout.csv) {
      names.insert(names.end(), {h.name, h.name + "_sd", h.name + "_se"});
    } else {
      const std::string unit = layout.unit(h);
      names.push_back(unit.empty() || unit == "1" ? h.name : h.name + " [" + unit + "]");
    }
  }
  if (layout.published)
    for (const auto& metric : layout.published->metrics)
      names.push_back((layout.csv ? "published_" : "published ") + metric);
  names.emplace_back(layout.csv ? "notes" : "not done");
  if (layout.csv) names.insert(names.end(), {"run_ids", "git_commit", "git_dirty", "cpu", "gpu", "threads"});
  return names;
}

std::vector<std::string> figures_row(const Layout& layout, const CaseFigures& one) {
  std::vector<std::string> row;
  for (const auto& h : layout.headlines) {
    const Figure figure = figure_of(one, h.name);
    const double scale = layout.scale(h);
    if (layout.csv)
      row.insert(row.end(), {csv_number(figure.mean() * scale), csv_number(figure.deviation() * scale),
                             figure.values.empty() ? "" : csv_number(figure.standard_error * scale)});
    else
      row.push_back(cell(figure, scale));
  }
  return row;
}

/// What the rows of the paper that are about this case say; `used` remembers them.
std::string published_cell(const Layout& layout, const CaseFigures& one, const std::string& metric,
                           std::set<const PublishedRow*>& used) {
  std::string words;
  std::size_t count = 0;
  for (const auto& row : layout.published->rows) {
    const auto found = row.figures.find(metric);
    if (!matches(row, one.options)) continue;
    used.insert(&row);
    if (found == row.figures.end()) continue;
    words += fmt::format("{}{} ({})", count++ ? "; " : "", number(found->second), row.name);
  }
  return words;
}

std::vector<std::string> case_row(const Layout& layout, const std::string& experiment, const CaseFigures& one,
                                  std::set<const PublishedRow*>& used) {
  const auto done = one.statuses.find("done");
  const int64_t count = done == one.statuses.end() ? 0 : done->second;
  std::vector<std::string> row{one.label.empty() ? experiment : one.label};
  if (layout.csv)
    row.insert(row.end(), {std::to_string(count), std::to_string(one.runs())});
  else
    row.push_back(fmt::format("{}/{}", count, one.runs()));
  for (auto& text : figures_row(layout, one)) row.push_back(std::move(text));
  if (layout.published)
    for (const auto& metric : layout.published->metrics)
      row.push_back(published_cell(layout, one, metric, used));
  row.push_back(state_words(one));
  if (!layout.csv) return row;
  std::string ids;
  for (const auto& id : one.ids) {
    if (!ids.empty()) ids += ' ';
    ids += id;
  }
  row.push_back(ids);
  for (const char* name : {"git_commit", "git_dirty", "cpu", "gpu", "threads"}) {
    const auto found = one.origin.find(name);
    row.push_back(found == one.origin.end() ? "" : found->second);
  }
  return row;
}

std::vector<std::string> published_row(const Layout& layout, const PublishedRow& published,
                                       std::size_t width) {
  std::vector<std::string> row(width);
  row[0] = published.name + " (published only)";
  const std::size_t first = 2 + (layout.csv ? 1 + 3 * layout.headlines.size() : layout.headlines.size());
  for (std::size_t m = 0; m < layout.published->metrics.size(); ++m)
    if (const auto found = published.figures.find(layout.published->metrics[m]);
        found != published.figures.end())
      row[first + m] = number(found->second);
  return row;
}

std::string notes(const Layout& layout, const std::string& format) {
  if (layout.csv) return "";
  const std::string mark = format == "latex" ? "% " : "";
  std::string text = "\n" + mark +
                     "Values: mean ± standard deviation over runs that are done; (se): the standard "
                     "error of a single run, from its examples.\n";
  if (layout.published)
    text += (format == "markdown" ? "\n" : "") + mark + "Published: " + layout.published->source + "\n";
  return text;
}

}  // namespace

int table_command(const Target& target, const std::string& format) {
  const Plan plan = plan_experiment(target.config, target.overrides);
  const ExperimentFigures figures = collect_figures(plan);
  Layout layout{shown(figures), std::nullopt, format == "csv"};
  if (!plan.published.empty()) layout.published = read_published(plan.published);
  TextTable table{header(layout), {}};
  std::set<const PublishedRow*> used;
  for (const auto& one : figures.cases) table.rows.push_back(case_row(layout, plan.experiment, one, used));
  if (layout.published)
    for (const auto& row : layout.published->rows)
      if (!used.contains(&row)) table.rows.push_back(published_row(layout, row, table.header.size()));
  std::fputs((render(table, format) + notes(layout, format)).c_str(), stdout);
  return 0;
}

}  // namespace attnlab
