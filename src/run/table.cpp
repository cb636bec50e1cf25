// attnlab table: our figures beside the published ones.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/explain.h"
#include "core/error.h"
#include "core/output.h"
#include "run/commands.h"
#include "run/inputs.h"
#include "run/plan.h"
#include "tables/against.h"
#include "tables/record_places.h"
#include "tables/records.h"
#include "tables/table_json.h"
#include "tables/table_layout.h"

namespace attnlab {
namespace {

TableRun table_run(const PlannedRun& run, InputCheck& check) {
  TableRun made;
  made.id = run.id;
  made.name = run.name;
  made.row = run.row;
  made.label = run.sets.label;
  for (const auto& assignment : run.sets.shown)
    if (assignment.path != "seed") made.condition[assignment.path] = to_line(assignment.value);
  for (const auto& assignment : run.sets.assignments)
    made.settings[assignment.path] = to_line(assignment.value);
  made.seed = run.options.seed;
  made.limit = run.options.limit;
  made.published = run.published_rows;
  made.record = RunFolder{run.folder}.record();
  made.state = state_of(run, check);
  return made;
}

ExperimentRuns planned_runs(const Plan& plan) {
  ExperimentRuns all{plan.experiment, plan.description, headlines_of(plan.runs),
                     plan.published,  plan.compare,     {}};
  all.departures = plan.departures;
  InputCheck check;
  for (const PlannedRun& run : plan.runs) all.runs.push_back(table_run(run, check));
  return all;
}

/// From an experiment file, or from the records at the places that are named.
std::vector<ExperimentRuns> runs_of(const Target& target) {
  if (!is_place_of_records(target.config))
    return {planned_runs(plan_experiment(target.config, target.overrides))};
  std::vector<std::filesystem::path> places{target.config};
  places.insert(places.end(), target.overrides.begin(), target.overrides.end());
  return recorded_runs(places, paths_without_effect(describe(RunOptions{})));
}

std::string legend_in(const ExperimentTable& table, const std::string& format) {
  if (format == "csv") return "";
  if (format == "latex") return legend(table, "% ", "\n");
  if (format == "markdown") return legend(table, "", "\n\n");
  return legend(table, "", "\n");
}

std::string table_in(const ExperimentRuns& runs, const TableOptions& options) {
  if (!options.against.empty()) {
    const bool csv = options.format == "csv";
    return render(against(runs, options.against, options.columns, csv), options.format) +
           (csv || options.format == "latex" ? "" : against_legend(options.against));
  }
  const ExperimentTable table = experiment_table(runs, options.columns);
  const TextTable cells = options.format == "csv" ? layout_for_csv(table) : layout_for_people(table);
  return render(cells, options.format) + legend_in(table, options.format);
}

/// Above each of several tables, in the manner of the format.
std::string heading(const std::string& experiment, const std::string& format) {
  if (format == "latex") return fmt::format("% {}\n", experiment);
  return fmt::format("{}{}\n\n", format == "markdown" ? "## " : "", experiment);
}

}  // namespace

int table_command(const Target& target, const TableOptions& options) {
  const std::vector<ExperimentRuns> experiments = runs_of(target);
  if (options.format == "json") {
    if (!options.against.empty())
      user_error("--against has no form in JSON: choose text, markdown, csv or latex");
    print_output(tables_json(experiments, options.columns));
    return 0;
  }
  const bool several = experiments.size() > 1;
  if (several && options.format == "csv")
    user_error("{} holds several experiments, whose tables differ in their columns: name one for csv",
               target.config.string());
  std::vector<std::string> parts;
  for (const ExperimentRuns& runs : experiments)
    parts.push_back((several ? heading(runs.experiment, options.format) : "") + table_in(runs, options));
  print_output(fmt::format("{}", fmt::join(parts, "\n")));
  return 0;
}

}  // namespace attnlab
