#include "config/sweep.h"

#include <algorithm>
#include <map>
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

std::string label_of(const Tree& label, const std::string& path, std::vector<std::string>& problems) {
  if (label.kind == Kind::scalar && !label.text.empty()) return label.text;
  problems.push_back(
      problem_line(label.key_mark, path, "expected a name for the case, got " + in_words(label)));
  return "";
}

SweepCase read_case(const Tree& one, const std::string& path, std::vector<std::string>& problems) {
  SweepCase made{"", one.mark, {}};
  for (const Tree& value : one.children) {
    if (value.key == "label") {
      made.label = label_of(value, joined_path(path, "label"), problems);
      made.mark = value.key_mark;
    } else {
      made.assignments.push_back({value.key, value.key_mark, value});
    }
  }
  return made;
}

/// What a case sets, whatever the order.
std::string fingerprint(const SweepCase& one) {
  std::set<std::string> lines;
  for (const Assignment& a : one.assignments) lines.insert(a.path + "=" + to_line(a.value) + "\n");
  std::string text = one.label + "\n";
  for (const auto& line : lines) text += line;
  return text;
}

void refuse_equal_labels(const Sweep& sweep, std::vector<std::string>& problems) {
  std::map<std::string, const SweepCase*> seen;
  for (std::size_t i = 0; i < sweep.cases.size(); ++i) {
    const SweepCase& one = sweep.cases[i];
    if (one.label.empty()) continue;
    if (const auto [first, fresh] = seen.emplace(fingerprint(one), &one); !fresh)
      problems.push_back(problem_line(
          one.mark, "sweep.cases[" + std::to_string(i) + "].label",
          "'" + one.label + "' names a case with the same keys at " + where(first->second->mark)));
  }
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
    sweep.cases.push_back(read_case(one, "sweep.cases[" + std::to_string(i) + "]", problems));
  }
  refuse_equal_labels(sweep, problems);
}

bool sets(const Assignments& all, const std::string& path) {
  return std::any_of(all.begin(), all.end(), [&](const Assignment& a) { return a.path == path; });
}

/// Whether one of `fixed` sets this path or lies above it.
bool is_fixed(const std::string& path, const Assignments& fixed) {
  return std::any_of(fixed.begin(), fixed.end(),
                     [&](const Assignment& f) { return is_beneath(path, f.path); });
}

/// Whether a value that a case sets says something else of a key beneath its path: another value, or that
/// there are no keys.
bool contradicts(const Assignment& above, const Assignment& beneath) {
  const Tree* at = &above.value;
  for (const std::string& key : split_path(beneath.path.substr(above.path.size() + 1))) {
    if (at->kind != Kind::map) return true;
    at = at->find(key);
    if (!at) return false;
  }
  return to_line(*at) != to_line(beneath.value);
}

/// The overrides that a case says otherwise, as they are written: without them its label would lie. A seed is
/// no part of what a label names.
std::string contradictions(const SweepCase& one, const Assignments& fixed) {
  std::string all;
  for (const Assignment& f : fixed) {
    const auto differs = [&](const Assignment& a) {
      if (is_beneath(a.path, f.path)) return a.path != f.path || to_line(a.value) != to_line(f.value);
      return f.path.starts_with(a.path + ".") && contradicts(a, f);
    };
    if (f.path != "seed" && std::any_of(one.assignments.begin(), one.assignments.end(), differs))
      all += " " + f.path + "=" + to_line(f.value);
  }
  return all;
}

/// Each case once, the first time that it comes; values are compared as written.
std::vector<SweepCase> each_once(const std::vector<SweepCase>& all) {
  std::set<std::string> seen;
  std::vector<SweepCase> once;
  for (const SweepCase& one : all)
    if (seen.insert(fingerprint(one)).second) once.push_back(one);
  return once;
}

bool has(const Assignments& all, const Assignment& wanted) {
  return std::any_of(all.begin(), all.end(), [&](const Assignment& a) {
    return a.path == wanted.path && to_line(a.value) == to_line(wanted.value);
  });
}

/// The assignments of a case that its label does not stand for: those that another case of the label lacks.
Assignments beside_label(const Sweep& sweep, const SweepCase& one) {
  if (one.label.empty()) return one.assignments;
  Assignments shown;
  for (const Assignment& a : one.assignments)
    if (std::any_of(sweep.cases.begin(), sweep.cases.end(), [&](const SweepCase& other) {
          return other.label == one.label && !has(other.assignments, a);
        }))
      shown.push_back(a);
  return shown;
}

std::vector<Combination> cases_alone(const Sweep& sweep) {
  if (sweep.cases.empty()) return {{}};
  std::vector<Combination> all;
  for (const SweepCase& one : sweep.cases)
    all.push_back({one.label, one.assignments, beside_label(sweep, one)});
  return all;
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
  for (SweepCase& one : sweep.cases) {
    if (!one.label.empty()) one.label += contradictions(one, fixed);
    std::erase_if(one.assignments, [&](const Assignment& a) { return is_fixed(a.path, fixed); });
  }
  sweep.cases = each_once(sweep.cases);
  return sweep;
}

std::vector<Combination> combinations(const Sweep& sweep) {
  std::vector<Combination> all = cases_alone(sweep);
  for (const Axis& axis : sweep.grid) {
    if (all.size() * axis.values.size() > most_runs)
      throw UserError(
          problem_line(axis.mark, "sweep.grid." + axis.path, "the sweep has more than 100,000 runs"));
    std::vector<Combination> longer;
    for (const Combination& one : all) {
      if (sets(one.assignments, axis.path)) {  // a case's own value: it is not swept over this key
        longer.push_back(one);
        continue;
      }
      for (const Tree& value : axis.values) {
        longer.push_back(one);
        longer.back().assignments.push_back({axis.path, axis.mark, value});
        longer.back().shown.push_back({axis.path, axis.mark, value});
      }
    }
    all = std::move(longer);
  }
  return all;
}

}  // namespace attnlab
