// attnlab table: our figures beside the published ones.
#include <cstdio>

#include "run/commands.h"
#include "run/experiment_table.h"
#include "run/table_layout.h"

namespace attnlab {
namespace {

std::string legend_in(const ExperimentTable& table, const std::string& format) {
  if (format == "csv") return "";
  if (format == "latex") return legend(table, "% ", "\n");
  if (format == "markdown") return legend(table, "", "\n\n");
  return legend(table, "", "\n");
}

}  // namespace

int table_command(const Target& target, const TableOptions& options) {
  const Plan plan = plan_experiment(target.config, target.overrides);
  const ExperimentTable table = experiment_table(plan, options.columns);
  const TextTable cells = options.format == "csv" ? layout_for_csv(table) : layout_for_people(table);
  std::fputs((render(cells, options.format) + legend_in(table, options.format)).c_str(), stdout);
  return 0;
}

}  // namespace attnlab
