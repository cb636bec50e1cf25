#include "tables/records.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <sstream>

#include "config/trained_keys.h"
#include "core/quantiles.h"
#include "tables/natural_order.h"
#include "tables/record_places.h"
#include "tables/recorded_json.h"
#include "tables/recorded_row.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// A record with what tells it from others of its row.
struct Found {
  TableRun run;
  std::string experiment;
  RecordedOptions options;
  RecordedRow row;
  RecordedPublished published;
};

/// Before records named their floors, these two were written.
void name_older_floors(RunRecord& record, const RecordedOptions& options) {
  const auto type = options.find("data.type");
  const std::string symbol = type != options.end() && type->second == "imdb" ? "byte" : "symbol";
  for (const auto& [name, row] : std::map<std::string, std::string>{
           {"accuracy_majority", "majority class"},
           {"accuracy_byte_counts", "logistic regression on " + symbol + " counts"}}) {
    const auto figure = record.summaries.find(name);
    if (figure == record.summaries.end() || !figure->second.floor_of.empty()) continue;
    figure->second.floor_of = "accuracy";
    figure->second.row = row;
  }
}

std::string or_else(std::string text, const fs::path& otherwise) {
  return text.empty() ? otherwise.filename().string() : text;
}

Found look_at(const fs::path& path, bool alone) {
  Found found;
  const fs::path folder = fs::absolute(path).parent_path();
  found.run.record = path;
  found.run.state = state_of_record(path);
  if (alone && !found.run.state.record) read_run(path);  // says again why, as an error
  if (!found.run.state.record) found.run.state.record.emplace();
  RunRecord& record = *found.run.state.record;
  found.run.id = or_else(record.attribute<std::string>("run_id"), folder);
  found.experiment = or_else(record.attribute<std::string>("experiment"), folder.parent_path());
  found.run.name = record.attribute<std::string>("case");
  found.run.seed = record.attribute<int64_t>("seed");
  found.run.limit = record.attribute<int64_t>("limit");
  found.options = recorded_options(record);
  found.row = recorded_row(record, found.options);
  found.published = published_from(record.attribute<std::string>("published"));
  name_older_floors(record, found.options);
  return found;
}

/// The folder of a run is named by its id.
bool is_run_folder(const fs::path& folder) {
  const std::string id = folder.filename().string();
  return id.size() == 10 && id.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Whether each seed's runs read a model of their own, one of those that an experiment trained over seeds.
bool is_each_seeds_own(const std::vector<Found*>& runs, const std::string& path) {
  if (std::ranges::find(trained_keys, path) == std::end(trained_keys)) return false;
  std::map<int64_t, std::string> of_seed;
  std::set<fs::path> experiments;
  for (const Found* run : runs) {
    const auto value = run->options.find(path);
    if (value == run->options.end() || !is_run_folder(value->second)) return false;
    if (of_seed.try_emplace(run->run.seed, value->second).first->second != value->second) return false;
    experiments.insert(fs::path(value->second).parent_path());
  }
  return experiments.size() == 1;
}

/// The options in which runs of one row differ although none of them is its seed.
std::set<std::string> differing(const std::vector<Found*>& runs,
                                const std::set<std::string>& without_effect) {
  std::set<std::string> paths;
  for (const Found* run : runs)
    for (const auto& [path, value] : run->options) {
      if (path == "seed" || path == "name" || path == "description" || path == "departures" ||
          without_effect.contains(path))
        continue;
      const bool equal = std::all_of(runs.begin(), runs.end(), [&](const Found* other) {
        const auto found = other->options.find(path);
        return found == other->options.end() || found->second == value;
      });
      if (!equal && !is_each_seeds_own(runs, path)) paths.insert(path);
    }
  return paths;
}

/// Gives every run its row and condition; a sweep repeated with overrides is not taken for more seeds.
void place(std::vector<Found*>& runs, const std::set<std::string>& without_effect) {
  std::map<std::string, std::vector<Found*>> rows;
  for (Found* run : runs) rows[run->row.name()].push_back(run);
  for (auto& [name, members] : rows)
    for (const auto& path : differing(members, without_effect))
      for (Found* run : members)
        if (const auto value = run->options.find(path); value != run->options.end())
          run->row.assignments.emplace_back(path, value->second);
  for (Found* run : runs) {
    run->run.row = run->row.name();
    run->run.label = run->row.label;
    run->run.condition = {run->row.assignments.begin(), run->row.assignments.end()};
    run->run.settings = {run->options.begin(), run->options.end()};
  }
}

/// The published rows of all runs, each once, and which of them are about each run.
std::optional<Published> published_of(const std::vector<Found*>& runs) {
  std::optional<Published> all;
  for (Found* run : runs) {
    const Published& told = run->published.published;
    if (told.rows.empty()) continue;
    if (!all) all = Published{told.source, told.unit, told.metrics, {}};
    std::vector<std::size_t> places;
    for (const PublishedRow& row : told.rows) {
      const auto same = std::find_if(all->rows.begin(), all->rows.end(), [&](const PublishedRow& other) {
        return other.name == row.name && other.figures == row.figures;
      });
      places.push_back(static_cast<std::size_t>(same - all->rows.begin()));
      if (same == all->rows.end()) all->rows.push_back(row);
    }
    for (const std::size_t i : run->published.about) run->run.published.push_back(places[i]);
  }
  return all;
}

std::vector<Headline> headlines_of(const std::vector<Found*>& runs) {
  std::map<std::string, Headline> all;
  for (const Found* run : runs)
    for (const auto& [name, s] : run->run.state.record->summaries)
      all.emplace(name, Headline{name, s.unit, s.meaning, s.better, s.floor_of, s.row});
  std::vector<Headline> listed;
  const auto is_quartile = [&](const std::string& name) {  // it stands in the cell of its median
    return std::ranges::any_of(std::array{first_quartile_of, third_quartile_of}, [&](std::string_view end) {
      return name.ends_with(end) && all.contains(name.substr(0, name.size() - end.size()));
    });
  };
  for (const auto& [name, headline] : all)
    if (!is_quartile(name)) listed.push_back(headline);
  return listed;
}

std::vector<std::string> lines_in(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

void order(std::vector<TableRun>& runs, const Compare& compare) {
  const auto rank = [&](const TableRun& run) {
    const auto found = std::find_if(compare.to.begin(), compare.to.end(),
                                    [&](const Compare::Reference& r) { return r.label == run.label; });
    return found - compare.to.begin();
  };
  std::stable_sort(runs.begin(), runs.end(), [&](const TableRun& a, const TableRun& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    if (a.row != b.row) return naturally_before(a.row, b.row);
    return a.seed < b.seed;
  });
}

ExperimentRuns experiment_of(const std::string& name, std::vector<Found>& found,
                             const std::set<std::string>& without_effect) {
  ExperimentRuns all{name, "", {}, {}, {}, {}};
  all.complete = false;
  std::vector<Found*> runs;
  for (Found& one : found) {
    if (one.experiment != name) continue;
    if (one.run.state.status == "unreadable")
      all.unreadable.push_back(one.run);
    else
      runs.push_back(&one);
  }
  place(runs, without_effect);
  all.headlines = headlines_of(runs);
  all.published = published_of(runs);
  for (const Found* run : runs) {
    const RunRecord& record = *run->run.state.record;
    if (all.description.empty()) all.description = record.attribute<std::string>("description");
    for (const std::string& sentence : lines_in(record.attribute<std::string>("departures")))
      if (std::find(all.departures.begin(), all.departures.end(), sentence) == all.departures.end())
        all.departures.push_back(sentence);
    if (all.compare.empty()) all.compare = compare_from(record.attribute<std::string>("compare"));
    all.runs.push_back(run->run);
  }
  order(all.runs, all.compare);
  return all;
}

}  // namespace

std::vector<ExperimentRuns> recorded_runs(const std::vector<fs::path>& places,
                                          const std::set<std::string>& without_effect) {
  std::vector<fs::path> records;
  std::set<fs::path> known;  // a place may be named twice, or lie in another
  for (const auto& place : places)
    for (auto& record : records_in(place))
      if (known.insert(fs::weakly_canonical(record)).second) records.push_back(std::move(record));
  std::vector<Found> found;
  std::set<std::string> names;
  for (const auto& record : records) {
    found.push_back(look_at(record, records.size() == 1));
    names.insert(found.back().experiment);
  }
  std::vector<ExperimentRuns> all;
  for (const auto& name : names) all.push_back(experiment_of(name, found, without_effect));
  return all;
}

}  // namespace attnlab
