#include "tables/floors.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>

namespace attnlab {
namespace {

using Cases = std::vector<const CaseFigures*>;

/// Cases by what decides their floors, in the order in which they come.
struct Group {
  std::string key;
  Cases cases;
};

bool same(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b)); }

/// Cases have the same floor where some run of one and some run of the other say so: the runs that are done
/// may have different seeds, and a floor may depend on the seed.
bool agree(const Cases& cases, const std::string& floor) {
  const auto& first = cases.front()->figures.at(floor).values;
  return std::all_of(cases.begin(), cases.end(), [&](const CaseFigures* one) {
    const auto& values = one->figures.at(floor).values;
    return std::any_of(values.begin(), values.end(), [&](double v) {
      return std::any_of(first.begin(), first.end(), [&](double f) { return same(f, v); });
    });
  });
}

/// All runs together, of a seed what they agree on once; one value where all say the same.
Figure pooled(const Cases& cases, const std::string& floor) {
  Figure all;
  std::set<int64_t> seeds;
  for (const auto* one : cases) {
    const Figure& f = one->figures.at(floor);
    for (std::size_t i = 0; i < f.values.size(); ++i) {
      if (i < f.seeds.size() && !seeds.insert(f.seeds[i]).second) continue;
      all.values.push_back(f.values[i]);
      all.standard_errors.push_back(f.standard_errors[i]);
    }
  }
  const double first = all.values.front();
  if (std::all_of(all.values.begin(), all.values.end(), [&](double v) { return same(v, first); }))
    return {{first}, {all.standard_errors.front()}};
  return all;
}

std::vector<Group> grouped(const Cases& cases, const std::function<std::string(const CaseFigures&)>& key_of) {
  std::vector<Group> groups;
  for (const auto* one : cases) {
    const std::string key = key_of(*one);
    auto found = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.key == key; });
    if (found == groups.end()) found = groups.insert(groups.end(), {key, {}});
    found->cases.push_back(one);
  }
  return groups;
}

std::string value_of(const CaseFigures& one, const std::string& path) {
  const auto found = one.condition.find(path);
  return found == one.condition.end() ? "" : found->second;
}

/// The swept key whose values decide the floor; nothing where no key alone does.
std::optional<std::string> deciding_key(const Cases& cases, const std::string& floor) {
  std::set<std::string> paths;
  for (const auto* one : cases)
    for (const auto& [path, value] : one->condition) paths.insert(path);
  for (const auto& path : paths) {
    const auto groups = grouped(cases, [&](const CaseFigures& one) { return value_of(one, path); });
    if (std::all_of(groups.begin(), groups.end(), [&](const Group& g) { return agree(g.cases, floor); }))
      return path;
  }
  return std::nullopt;
}

void add_floor(const ExperimentFigures& all, const Headline& h, std::vector<Floor>& floors) {
  Cases cases;
  for (const auto& one : all.cases)
    if (one.figures.contains(h.name)) cases.push_back(&one);
  if (cases.empty()) return;
  if (agree(cases, h.name)) {
    floors.push_back({h.row, h.row, h.floor_of, {}, pooled(cases, h.name)});
    return;
  }
  const auto path = deciding_key(cases, h.name);
  const auto groups =
      grouped(cases, [&](const CaseFigures& one) { return path ? value_of(one, *path) : one.row; });
  for (const Group& group : groups) {
    const std::string words = !path ? group.key : group.key.empty() ? "" : *path + "=" + group.key;
    Floor floor{
        h.row + (words.empty() ? "" : ", " + words), h.row, h.floor_of, {}, pooled(group.cases, h.name)};
    if (path && !group.key.empty()) floor.condition[*path] = group.key;
    floors.push_back(std::move(floor));
  }
}

}  // namespace

std::vector<Floor> floors_of(const ExperimentFigures& all) {
  std::vector<Floor> floors;
  for (const Headline& h : all.headlines)
    if (!h.floor_of.empty()) add_floor(all, h, floors);
  return floors;
}

}  // namespace attnlab
