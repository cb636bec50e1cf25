#include "run/plan.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "config/run_id.h"
#include "config/scalars.h"
#include "config/trained_keys.h"
#include "config/writer.h"
#include "core/error.h"
#include "run/trained_model.h"
#include "tables/recorded_json.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// Name, description and departures first, so that the printed configuration stands for the same experiment
/// when read back.
std::string resolved_yaml(const Experiment& experiment, RunOptions& options) {
  std::string text = "name: " + quoted_if_needed(experiment.name) + "\n";
  if (!experiment.description.empty())
    text += "description: " + quoted_if_needed(experiment.description) + "\n";
  if (!experiment.departures.empty()) text += "departures:\n";
  for (const std::string& sentence : experiment.departures)
    text += "  - " + quoted_if_needed(sentence) + "\n";
  return text + dump(options);
}

/// What published rows match: the resolved options of a run, path → value, and the label of its case as
/// `label`.
std::map<std::string, std::string> values_of(RunOptions options, const std::string& label) {
  std::map<std::string, std::string> values;
  for (const auto& field : flatten(options)) values[field.path] = field.value;
  values["label"] = label;
  return values;
}

/// As if results were in their usual place: where they are changes no result of what starts from another run.
std::string id_wherever_results_are(const RunOptions& options) {
  std::string lines = id_lines([copy = options](Fields& f) mutable { copy.visit(f); },
                               [defaults = RunOptions()](Fields& f) mutable { defaults.visit(f); });
  for (const std::string key : trained_keys) {
    const std::string here = "\n" + key + "=" + (options.results() / "").string();
    if (const std::size_t at = lines.find(here); at != std::string::npos)
      lines.replace(at, here.size(), "\n" + key + "=results/");
  }
  return id_of_lines(lines);
}

PlannedRun planned(const Experiment& experiment, const std::optional<Published>& published, const Case& one,
                   RunOptions options) {
  PlannedRun run;
  run.index = one.index;
  run.id = id_wherever_results_are(options);
  run.experiment = experiment.name;
  run.description = experiment.description;
  run.departures = experiment.departures;
  run.sets = one.sets;
  run.name = one.name();
  run.row = one.row();
  run.yaml = resolved_yaml(experiment, options);
  run.folder = options.results() / experiment.name / run.id;
  if (published) {
    run.published_rows = rows_about(*published, values_of(options, run.sets.label));
    run.published = recorded_json(*published, run.published_rows);
  }
  if (!experiment.compare.empty()) run.compare = recorded_json(experiment.compare);
  run.options = std::move(options);
  return run;
}

std::optional<Published> published_of(const Experiment& experiment) {
  if (experiment.published.empty()) return std::nullopt;
  return read_published(experiment.published);
}

/// A figure can be compared where some task has it and says in which direction it is better.
void refuse_unknown_metrics(const Compare& compare, const std::vector<Headline>& headlines) {
  std::vector<std::string> names, problems;
  for (const Headline& h : headlines) names.push_back(h.name);
  for (const Comparison& c : compare.each()) {
    const bool speedup = c.kind == Comparison::Kind::speedup;
    const std::string key = fmt::format("compare.{}", word_of(c.kind));
    const auto found = std::find(names.begin(), names.end(), c.metric);
    if (found == names.end())
      problems.push_back(problem_line(c.mark, key,
                                      "no task of this experiment has the headline figure '" + c.metric +
                                          "'" + suggestion(c.metric, names)));
    else if (speedup &&
             headlines[static_cast<std::size_t>(found - names.begin())].better == Summary::Better::neither)
      problems.push_back(
          problem_line(c.mark, key, "'" + c.metric + "' has no better direction; list it under fraction"));
  }
  throw_if_any(problems);
}

/// Of a configuration that may still have mistakes.
std::string seed_of(const Config& config) {
  const Tree* seed = config.tree.find("seed");
  return seed && seed->kind == Tree::Kind::scalar ? seed->text : std::to_string(RunOptions{}.seed);
}

/// Of the runs of one row: the one of this seed, or the only one, of whatever seed.
Case& of_seed(std::vector<Case>& runs, const std::string& seed, const std::string& name) {
  std::vector<std::string> seeds;
  for (Case& one : runs) {
    seeds.push_back(seed_of(one.config));
    if (seeds.back() == seed) return one;
  }
  if (runs.size() > 1)
    user_error("{} has runs of seeds {}, none of seed {}", name, fmt::join(seeds, ", "), seed);
  return runs.front();
}

/// The folder of an experiment's run in this row, by `of_seed`. What it starts from may be named so in its
/// turn; `on_the_way`: all that led here. Throws UserError where it has no such row, or names itself.
fs::path folder_of_row(const fs::path& file, const std::string& row, const std::string& seed,
                       const std::vector<std::string>& overrides, std::vector<std::string> on_the_way = {}) {
  const std::string name = file.string() + "#" + row;
  on_the_way.push_back(fs::weakly_canonical(file).string() + "#" + row);
  if (std::count(on_the_way.begin(), on_the_way.end(), on_the_way.back()) > 1)
    user_error("{} starts from itself", name);
  std::vector<std::string> place, rows;
  for (const std::string& one : overrides)
    if (one.starts_with("results_folder=")) place.push_back(one);
  const Experiment experiment = load_experiment(file);
  std::vector<Case> found;
  for (Case& one : expand(experiment, place)) {
    rows.push_back(one.row());
    if (rows.back() == row) found.push_back(std::move(one));
  }
  if (found.empty()) user_error("{} has no run '{}'{}", file.string(), row, suggestion(row, rows));
  Case& one = of_seed(found, seed, name);
  name_trained_model(one.config, [&](const fs::path& before, const std::string& its_row) {
    return folder_of_row(before, its_row, seed_of(one.config), overrides, on_the_way);
  });
  return planned(experiment, {}, one, read_options<RunOptions>(one.config)).folder;
}

void refuse_equal_runs(const Plan& plan) {
  std::map<std::string, const PlannedRun*> seen;
  for (const auto& run : plan.runs)
    if (const auto [first, fresh] = seen.emplace(run.id, &run); !fresh)
      user_error(
          "runs {} ({}) and {} ({}) of {} are the same: they differ in nothing that can change a result",
          first->second->index, first->second->name, run.index, run.name, plan.experiment);
}

/// Cases whose runs are not yet planned; a `model:` or `init_from: EXPERIMENT.yaml#ROW` in them stands for
/// the folder of that run, wherever this command keeps results.
std::vector<Case> expanded(const Experiment& experiment, const std::vector<std::string>& overrides) {
  std::vector<Case> cases = expand(experiment, overrides);
  for (Case& one : cases)
    name_trained_model(one.config, [&](const fs::path& file, const std::string& row) {
      return folder_of_row(file, row, seed_of(one.config), overrides);
    });
  return cases;
}

}  // namespace

Plan plan_experiment(const std::filesystem::path& config, const std::vector<std::string>& overrides) {
  const Experiment experiment = load_experiment(config);
  const std::vector<Case> cases = expanded(experiment, overrides);
  std::vector<RunOptions> options = read_cases<RunOptions>(cases);
  Plan plan{experiment.name,          experiment.description, experiment.departures,
            published_of(experiment), experiment.compare,     {}};
  for (std::size_t i = 0; i < cases.size(); ++i)
    plan.runs.push_back(planned(experiment, plan.published, cases[i], std::move(options[i])));
  refuse_equal_runs(plan);
  refuse_unknown_metrics(plan.compare, headlines_of(plan.runs));
  return plan;
}

PlannedRun plan_run(const std::filesystem::path& config, const std::vector<std::string>& overrides,
                    std::optional<int64_t> index) {
  const Experiment experiment = load_experiment(config);
  const std::vector<Case> cases = expanded(experiment, overrides);
  const int64_t count = static_cast<int64_t>(cases.size());
  if (!index && count > 1)
    user_error(
        "{} describes {} runs: `attnlab sweep {}` does all of them, --index 0 to {} names one (see `attnlab "
        "list {}`)",
        config.string(), count, config.string(), count - 1, config.string());
  if (index && (*index < 0 || *index >= count))
    user_error("--index {}: {} has {}", *index, config.string(),
               count == 1 ? "one run, with index 0"
                          : fmt::format("{} runs, with indices 0 to {}", count, count - 1));
  const Case& one = cases[static_cast<std::size_t>(index.value_or(0))];
  return planned(experiment, published_of(experiment), one, read_options<RunOptions>(one.config));
}

PlannedRun planned_from_folder(const std::filesystem::path& folder,
                               const std::vector<std::string>& overrides) {
  const auto file = folder / "config.yaml";
  if (!std::filesystem::exists(file))
    user_error("{} is not the folder of a run: it holds no config.yaml", folder.string());
  PlannedRun run = plan_run(file, overrides, std::nullopt);
  run.folder = folder;
  return run;
}

std::vector<Headline> headlines_of(const std::vector<PlannedRun>& runs) {
  std::vector<Headline> all;
  for (const auto& run : runs)
    for (const auto& headline : run.options.task->headlines())
      if (std::none_of(all.begin(), all.end(), [&](const auto& h) { return h.name == headline.name; }))
        all.push_back(headline);
  return all;
}

RunContext context_of(const PlannedRun& run, torch::Device device) {
  const RunOptions& o = run.options;
  RunContext context;
  context.folder = run.folder;
  context.data = o.data_place();
  context.seed = static_cast<uint64_t>(o.seed);
  context.device = device;
  context.limit = o.limit;
  context.init_from = o.init_from;
  return context;
}

}  // namespace attnlab
