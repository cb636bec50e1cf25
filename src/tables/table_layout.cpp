#include "tables/table_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tables/numbers.h"

namespace attnlab {
namespace {

using Kind = TableColumn::Kind;

std::string heading(const TableColumn& c, const std::string& unit) {
  if (c.kind == Kind::speedup) return c.metric + " × " + c.reference;
  if (c.kind == Kind::fraction) return c.metric + " / " + c.reference;
  if (c.kind == Kind::difference)
    return c.metric + " − " + c.reference + (unit.empty() || unit == "1" ? "" : " [" + unit + "]");
  return unit.empty() || unit == "1" ? c.name : c.name + " [" + unit + "]";
}

std::string row_name(const TableRow& row) {
  if (row.kind == TableRow::Kind::floor) return row.name + " (floor)";
  return row.kind == TableRow::Kind::published ? row.name + " (published only)" : row.name;
}

/// Where a column is of times, and the runs suffice.
bool has_quartiles(const TableColumn& c, const Estimate& e) { return c.timed && std::isfinite(e.median); }

/// "1.52 [1.48, 1.61]"
std::string with_quartiles(const Estimate& e, double factor) {
  return fmt::format("{} [{}, {}]", significant(e.median * factor, 3),
                     significant(e.lower_quartile * factor, 3), significant(e.upper_quartile * factor, 3));
}

/// Mean ± standard deviation over runs, of times rather median and quartiles; of a single run its value with
/// the standard error from its examples. Times, sizes and ratios without either have three digits.
std::string cell(const TableColumn& c, const Estimate& e, const ShownUnit& unit) {
  if (std::isnan(e.value)) return "";
  if (has_quartiles(c, e)) return with_quartiles(e, unit.factor);
  const double value = e.value * unit.factor;
  if (e.deviation > 0) return with_uncertainty(value, e.deviation * unit.factor);
  if (std::isfinite(e.standard_error) && e.standard_error > 0)
    return with_uncertainty(value, e.standard_error * unit.factor) + " (se)";
  const bool measured = c.kind != Kind::headline || c.unit == "s" || unit.factor != 1.0;
  return measured && !c.in_percent ? significant(value, 3) : number(value);
}

std::string published_cell(const TableRow& row, const std::string& column) {
  const auto found = row.published.find(column);
  if (found == row.published.end()) return "";
  std::string words;
  for (const auto& theirs : found->second)
    words += fmt::format("{}{}{}", words.empty() ? "" : "; ", theirs.written,
                         theirs.name.empty() ? "" : " (" + theirs.name + ")");
  return words;
}

ShownUnit unit_of(const TableColumn& c) { return c.in_percent ? ShownUnit{"%", 100.0} : for_people(c.unit); }

Estimate figure_of(const TableRow& row, const std::string& column) {
  const auto found = row.figures.find(column);
  return found == row.figures.end() ? Estimate{} : found->second;
}

/// What the ± of our cases in a column is over; a floor's is said in its cell.
std::string spread_in(const ExperimentTable& table, const TableColumn& column) {
  bool over_runs = false, within_run = false, quartiles_over_runs = false, quartiles_within_run = false;
  for (const auto& row : table.rows) {
    if (row.kind != TableRow::Kind::ours) continue;
    const Estimate e = figure_of(row, column.name);
    if (has_quartiles(column, e)) {
      (e.runs > 1 ? quartiles_over_runs : quartiles_within_run) = true;
    } else if (e.deviation > 0) {
      over_runs = true;
    } else if (std::isfinite(e.standard_error) && e.standard_error > 0) {
      within_run = true;
    }
  }
  const std::string error = column.errors_over.empty() ? "se" : "se over " + column.errors_over;
  std::string rest = over_runs ? "± sd over runs" : within_run ? "± " + error : "";
  if (over_runs && within_run) rest += " or " + error;
  if (quartiles_within_run)
    return fmt::format(", median [quartiles] {}within a run", quartiles_over_runs ? "over runs or " : "") +
           (rest.empty() ? "" : ", else " + rest);
  if (quartiles_over_runs)
    return ", median [quartiles] over runs" + (rest.empty() ? "" : ", of fewer runs " + rest);
  return rest.empty() ? "" : ", " + rest;
}

template <class Is>
bool any_cell(const ExperimentTable& table, const Is& is) {
  return std::ranges::any_of(table.rows, [&](const TableRow& row) {
    return std::ranges::any_of(table.columns,
                               [&](const TableColumn& c) { return is(c, figure_of(row, c.name)); });
  });
}

/// Swept keys beside label and seed, in alphabetical order.
std::vector<std::string> swept_keys(const ExperimentTable& table) {
  std::vector<std::string> keys;
  for (const auto& row : table.rows)
    for (const auto& [path, value] : row.condition)
      if (std::find(keys.begin(), keys.end(), path) == keys.end()) keys.push_back(path);
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::string at(const std::map<std::string, std::string>& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? "" : found->second;
}

constexpr const char* kOrigin[] = {"git_commit", "git_dirty", "cpu",      "cpu_clock",    "memory",
                                   "gpu",        "threads",   "finished", "version_torch"};

/// Of what the figures rest on, as far as the records of some row say: model_checksum and others.
std::set<std::string> checksums_told(const ExperimentTable& table) {
  std::set<std::string> names;
  for (const TableRow& row : table.rows)
    for (const auto& [name, value] : row.origin)
      if (name.ends_with("_checksum") && !value.empty()) names.insert(name);
  return names;
}

/// Of 64 hexadecimal digits; so many tell apart all that anybody will have.
constexpr std::size_t kShownDigits = 12;

std::vector<std::string> csv_row(const ExperimentTable& table, const TableRow& row,
                                 const std::vector<std::string>& keys,
                                 const std::set<std::string>& checksums) {
  const bool ours = row.kind == TableRow::Kind::ours;
  const char* kind = ours ? "ours" : row.kind == TableRow::Kind::floor ? "floor" : "published";
  std::vector<std::string> cells{row.name, kind, row.label};
  for (const auto& key : keys) cells.push_back(at(row.condition, key));
  cells.push_back(ours ? std::to_string(row.done) : "");
  cells.push_back(ours ? std::to_string(row.total) : "");
  for (const auto& c : table.columns) {
    const Estimate e = figure_of(row, c.name);
    const double scale = c.in_percent ? 100.0 : 1.0;
    if (c.ours)
      cells.insert(cells.end(), {csv_number(e.value * scale), csv_number(e.deviation * scale),
                                 csv_number(e.standard_error * scale)});
    if (c.ours && c.timed)
      cells.insert(cells.end(), {csv_number(e.median * scale), csv_number(e.lower_quartile * scale),
                                 csv_number(e.upper_quartile * scale)});
    if (!c.published) continue;
    const auto found = row.published.find(c.name);
    cells.push_back(found == row.published.end() ? "" : csv_number(found->second.front().value));
  }
  cells.push_back(row.notes);
  std::string ids;
  for (const auto& id : row.ids) ids += (ids.empty() ? "" : " ") + id;
  cells.push_back(ids);
  for (const char* name : kOrigin) cells.push_back(at(row.origin, name));
  for (const auto& name : checksums) cells.push_back(at(row.origin, name).substr(0, kShownDigits));
  return cells;
}

}  // namespace

TextTable layout_for_people(const ExperimentTable& table) {
  TextTable cells{{"case", "runs"}, {}, {false, false}};
  for (const auto& c : table.columns) {
    const std::string name = heading(c, unit_of(c).unit) + spread_in(table, c);
    if (c.ours) cells.header.push_back(name);
    if (c.published) cells.header.push_back("published" + (c.ours ? "" : " " + name));
    cells.numbers.resize(cells.header.size(), true);
  }
  cells.header.emplace_back("notes");
  cells.numbers.push_back(false);
  for (const auto& row : table.rows) {
    const bool ours = row.kind == TableRow::Kind::ours;
    std::vector<std::string> line{row_name(row), ours ? fmt::format("{}/{}", row.done, row.total) : ""};
    for (const auto& c : table.columns) {
      if (c.ours) line.push_back(cell(c, figure_of(row, c.name), unit_of(c)));
      if (c.published) line.push_back(published_cell(row, c.name));
    }
    line.push_back(row.notes);
    cells.rows.push_back(std::move(line));
  }
  return cells;
}

TextTable layout_for_csv(const ExperimentTable& table) {
  const std::vector<std::string> keys = swept_keys(table);
  TextTable cells{{"case", "kind", "label"}, {}, {}};
  cells.header.insert(cells.header.end(), keys.begin(), keys.end());
  cells.header.insert(cells.header.end(), {"runs_done", "runs_total"});
  for (const auto& c : table.columns) {
    if (c.ours) cells.header.insert(cells.header.end(), {c.name, c.name + "_sd", c.name + "_se"});
    if (c.ours && c.timed)
      cells.header.insert(cells.header.end(), {c.name + "_median", c.name + "_q1", c.name + "_q3"});
    if (c.published) cells.header.push_back("published_" + c.name);
  }
  cells.header.insert(cells.header.end(), {"notes", "run_ids"});
  cells.header.insert(cells.header.end(), std::begin(kOrigin), std::end(kOrigin));
  const std::set<std::string> checksums = checksums_told(table);
  cells.header.insert(cells.header.end(), checksums.begin(), checksums.end());
  for (const auto& row : table.rows) cells.rows.push_back(csv_row(table, row, keys, checksums));
  return cells;
}

std::string legend(const ExperimentTable& table, const std::string& mark, const std::string& end) {
  std::vector<std::string> lines{
      "Values: mean ± standard deviation (sd) over runs that are done; (se): the standard error of a single "
      "run, over its examples, questions or documents."};
  if (any_cell(table, has_quartiles))
    lines.emplace_back(
        "Times, speeds and their ratios over five runs or more, or of a single run over five of its rounds "
        "or "
        "more: median [lower, upper quartile].");
  const bool several = std::ranges::any_of(table.rows, [](const TableRow& row) { return row.done > 1; });
  if (several && !table.references.empty())
    lines.emplace_back("Ratios of runs with the same seeds: seed by seed, as rounds of one measurement.");
  for (const auto& reference : table.references)
    lines.push_back(fmt::format(
        "× {0}: how many times better than {1}; / {0}: as a fraction of its; − {0}: less its, "
        "paired over questions or examples where they are recorded; everything else that is swept equal.",
        reference.name, reference.label));
  if (!table.source.empty()) lines.push_back("Published: " + table.source);
  for (const auto& sentence : table.departures) lines.push_back("Departs from its source: " + sentence);
  for (const auto& reason : table.unreadable) lines.push_back("Left out: " + reason);
  std::string text = "\n";
  for (std::string& line : lines) {
    std::replace(line.begin(), line.end(), '\n', ' ');
    text += mark + line + end;
  }
  return text;
}

}  // namespace attnlab
