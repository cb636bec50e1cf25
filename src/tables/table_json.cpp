#include "tables/table_json.h"

#include <fmt/format.h>

#include <string_view>

#include "core/json_text.h"
#include "results/events.h"

namespace attnlab {
namespace {

using Json = nlohmann::ordered_json;
using Kind = TableColumn::Kind;

// Numbers that are not finite come out as null: so the library writes them.

/// file:///…, with every byte that is not plain as %E9: JSON has no place for a name that is not UTF-8.
std::string file_uri(const std::filesystem::path& path) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
  std::string uri = "file://";
  for (const char c : std::filesystem::absolute(path).lexically_normal().string())
    uri += plain.find(c) != std::string_view::npos ? std::string(1, c)
                                                   : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return uri;
}

Json headline_json(const Headline& h) {
  return {{"name", h.name},           {"unit", h.unit},         {"meaning", h.meaning},
          {"better", word(h.better)}, {"floor_of", h.floor_of}, {"row", h.row}};
}

Json column_json(const TableColumn& c) {
  Json told{{"name", c.name}, {"kind", "headline"}, {"unit", c.unit}};
  if (c.kind != Kind::headline) {
    told["kind"] = c.kind == Kind::speedup ? "speedup" : c.kind == Kind::fraction ? "fraction" : "difference";
    told["metric"] = c.metric;
    told["reference"] = c.reference;
  }
  told["ours"] = c.ours;
  told["published"] = c.published;
  told["in_percent"] = c.in_percent;
  told["timed"] = c.timed;
  return told;
}

Json estimates_json(const std::map<std::string, Estimate>& figures) {
  Json all = Json::object();
  for (const auto& [name, e] : figures)
    all[name] = {{"value", e.value},
                 {"deviation", e.deviation},
                 {"standard_error", e.standard_error},
                 {"runs", e.runs},
                 {"least", e.least},
                 {"most", e.most},
                 {"lower_quartile", e.lower_quartile},
                 {"median", e.median},
                 {"upper_quartile", e.upper_quartile}};
  return all;
}

Json published_json(const TableRow& row) {
  Json all = Json::object();
  for (const auto& [metric, figures] : row.published)
    for (const auto& theirs : figures)
      all[metric].push_back(
          {{"value", theirs.value}, {"written", theirs.written}, {"row", theirs.row}, {"name", theirs.name}});
  return all;
}

Json row_json(const TableRow& row) {
  if (row.kind == TableRow::Kind::published)
    return {{"kind", "published"}, {"name", row.name}, {"published", published_json(row)}};
  if (row.kind == TableRow::Kind::floor)
    return {{"kind", "floor"},
            {"name", row.name},
            {"row", row.floor},
            {"of", row.figures.begin()->first},
            {"condition", row.condition},
            {"figures", estimates_json(row.figures)}};
  return {{"kind", "ours"},
          {"name", row.name},
          {"label", row.label},
          {"condition", row.condition},
          {"done", row.done},
          {"total", row.total},
          {"figures", estimates_json(row.figures)},
          {"published", published_json(row)},
          {"missing_seeds", row.missing_seeds},
          {"notes", row.notes},
          {"runs", row.members},
          {"origin", row.origin}};
}

Json figure_json(const Summary& figure) {
  return {{"value", figure.value},
          {"standard_error", figure.standard_error},
          {"n", figure.n},
          {"unit", figure.unit},
          {"meaning", figure.meaning},
          {"better", word(figure.better)},
          {"floor_of", figure.floor_of},
          {"row", figure.row}};
}

Json run_json(const TableRun& run) {
  Json figures = Json::object();
  if (run.state.record)
    for (const auto& [name, figure] : run.state.record->summaries) figures[name] = figure_json(figure);
  return {{"record", file_uri(run.record)},
          {"id", run.id},
          {"name", run.name},
          {"row", run.row},
          {"status", run.state.status},
          {"error", run.state.error},
          {"seed", run.seed},
          {"figures", figures}};
}

Json experiment_json(const ExperimentRuns& runs, const std::vector<std::string>& wanted) {
  const ExperimentTable table = experiment_table(runs, wanted);
  Json told{{"experiment", runs.experiment},
            {"description", runs.description},
            {"departures", runs.departures},
            {"published", nullptr}};
  if (runs.published)
    told["published"] = {{"source", runs.published->source},
                         {"unit", runs.published->unit},
                         {"metrics", runs.published->metrics}};
  for (const char* list : {"references", "figures", "columns", "rows", "runs"}) told[list] = Json::array();
  for (const auto& to : table.references)
    told["references"].push_back({{"name", to.name}, {"label", to.label}});
  for (const Headline& h : runs.headlines) told["figures"].push_back(headline_json(h));
  for (const TableColumn& c : table.columns) told["columns"].push_back(column_json(c));
  for (const TableRow& row : table.rows) told["rows"].push_back(row_json(row));
  for (const TableRun& run : runs.runs) told["runs"].push_back(run_json(run));
  for (const TableRun& run : runs.unreadable) told["runs"].push_back(run_json(run));
  return told;
}

}  // namespace

std::string tables_json(const std::vector<ExperimentRuns>& experiments,
                        const std::vector<std::string>& wanted) {
  Json all{{"experiments", Json::array()}};
  for (const ExperimentRuns& runs : experiments) all["experiments"].push_back(experiment_json(runs, wanted));
  return json_text(all, 1) + "\n";
}

}  // namespace attnlab
