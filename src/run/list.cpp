// attnlab list: a line a run, with the command that does just it.
#include <algorithm>

#include "core/output.h"
#include "run/attributes.h"
#include "run/commands.h"
#include "run/inputs.h"
#include "run/plan.h"
#include "tables/text_table.h"

namespace attnlab {
namespace {

std::string command_of(const Target& target, const Plan& plan, const PlannedRun& run) {
  std::vector<std::string> words{"attnlab", "run", target.config.string()};
  if (plan.runs.size() > 1) {
    words.emplace_back("--index");
    words.push_back(std::to_string(run.index));
  }
  words.insert(words.end(), target.overrides.begin(), target.overrides.end());
  return shell_line(words);
}

bool sweeps_seeds(const Plan& plan) {
  return std::any_of(plan.runs.begin(), plan.runs.end(),
                     [](const PlannedRun& run) { return run.name != run.row; });
}

}  // namespace

int list_command(const Target& target) {
  const Plan plan = plan_experiment(target.config, target.overrides);
  const bool seeds = sweeps_seeds(plan);
  TextTable table{{"index", "id", "status", "case"}, {}};
  if (seeds) table.header.emplace_back("seed");
  table.header.emplace_back("command");
  InputCheck check;
  for (const auto& run : plan.runs) {
    table.rows.push_back(
        {std::to_string(run.index), run.id, state_of(run, check).status, run.row.empty() ? "-" : run.row});
    if (seeds) table.rows.back().push_back(std::to_string(run.options.seed));
    table.rows.back().push_back(command_of(target, plan, run));
  }
  print_output(render(table, "text"));
  return 0;
}

}  // namespace attnlab
