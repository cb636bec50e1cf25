#include "config/sweep.h"

#include <algorithm>
#include <set>

#include "config/problems.h"
#include "config/scalars.h"
#include "core/error.h"

namespace attnlab {
namespace {

using Kind = Tree::Kind;
using Assignments = std::vector<Assignment>;

constexpr std::size_t most_runs = 100'000;

Axis read_axis(const Tree& values, std::vector<std::string>& problems) {
  Axis axis{values.key, values.key_mark, {}};
  if (values.kind != Kind::list || values.children.empty())
    problems.push_back(problem_line(
        values.key_mark, "sweep.grid." + values.key,
        "expected a list of values, got " + (values.kind == Kind::list ? "an empty one" : in_words(values))));
  else
    axis.values = values.children;
  return axis;
}

void read_grid(const Tree& grid, Sweep& sweep, std::vector<std::string>& problems) {
  if (grid.kind != Kind::map) {
    problems.push_back(problem_line(grid.key_mark, "sweep.grid",
                                    "expected lists of values under key paths, got " + in_words(grid)));
    return;
  }
  for (const Tree& values : grid.children)
    if (Axis axis = read_axis(values, problems); !axis.values.empty()) sweep.grid.push_back(std::move(axis));
}

void read_cases(const Tree& cases, Sweep& sweep, std::vector<std::string>& problems) {
  if (cases.kind != Kind::list) {
    problems.push_back(
        problem_line(cases.key_mark, "sweep.cases", "expected a list of cases, got " + in_words(cases)));
    return;
  }
  for (std::size_t i = 0; i < cases.children.size(); ++i) {
    const Tree& one = cases.children[i];
    if (one.kind != Kind::map) {
      problems.push_back(problem_line(one.mark, "sweep.cases[" + std::to_string(i) + "]",
                                      "expected values under key paths, got " + in_words(one)));
      continue;
    }
    Assignments assignments;
    for (const Tree& value : one.children) assignments.push_back({value.key, value.key_mark, value});
    sweep.cases.push_back(std::move(assignments));
  }
}

bool is_fixed(const std::string& path, const Assignments& fixed) {
  return std::any_of(fixed.begin(), fixed.end(),
                     [&](const Assignment& f) { return is_beneath(path, f.path); });
}

/// Each list once, the first time that it comes; values are compared as written.
std::vector<Assignments> each_once(const std::vector<Assignments>& all) {
  std::set<std::string> seen;
  std::vector<Assignments> once;
  for (const Assignments& one : all) {
    std::string text;
    for (const Assignment& a : one) text += a.path + "=" + to_line(a.value) + "\n";
    if (seen.insert(text).second) once.push_back(one);
  }
  return once;
}

}  // namespace

Sweep read_sweep(const Tree& tree, std::vector<std::string>& problems) {
  Sweep sweep;
  if (tree.kind == Kind::null && tree.key.empty()) return sweep;  // there is none
  if (tree.kind != Kind::map) {
    problems.push_back(problem_line(tree.key_mark, "sweep", "expected grid or cases, got " + in_words(tree)));
    return sweep;
  }
  for (const Tree& part : tree.children) {
    if (part.key == "grid")
      read_grid(part, sweep, problems);
    else if (part.key == "cases")
      read_cases(part, sweep, problems);
    else
      problems.push_back(problem_line(part.key_mark, "sweep." + part.key,
                                      "unknown key" + suggestion(part.key, {"grid", "cases"})));
  }
  return sweep;
}

Sweep without_fixed(Sweep sweep, const Assignments& fixed) {
  std::erase_if(sweep.grid, [&](const Axis& axis) { return is_fixed(axis.path, fixed); });
  for (Assignments& one : sweep.cases)
    std::erase_if(one, [&](const Assignment& a) { return is_fixed(a.path, fixed); });
  sweep.cases = each_once(sweep.cases);
  return sweep;
}

std::vector<Assignments> combinations(const Sweep& sweep) {
  std::vector<Assignments> all = sweep.cases.empty() ? std::vector<Assignments>{{}} : sweep.cases;
  for (const Axis& axis : sweep.grid) {
    if (all.size() * axis.values.size() > most_runs)
      throw UserError(
          problem_line(axis.mark, "sweep.grid." + axis.path, "the sweep has more than 100,000 runs"));
    std::vector<Assignments> longer;
    for (const Assignments& one : all)
      for (const Tree& value : axis.values) {
        longer.push_back(one);
        longer.back().push_back({axis.path, axis.mark, value});
      }
    all = std::move(longer);
  }
  return all;
}

}  // namespace attnlab
