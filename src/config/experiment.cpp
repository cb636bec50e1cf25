#include "config/experiment.h"

#include <algorithm>

#include "config/scalars.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using Kind = Tree::Kind;

/// Takes a text out of the top level. Absent: "".
Tree take_text(Config& config, const std::string& key) {
  Tree taken = take_member(config.tree, key);
  const bool absent = taken.key.empty();
  if (!absent && taken.kind != Kind::scalar)
    config.problems.push_back(
        problem_line(taken.key_mark, key,
                     taken.kind == Kind::null ? "has no value" : "expected text, got " + in_words(taken)));
  if (taken.kind != Kind::scalar) taken.text.clear();
  return taken;
}

/// Takes a list of sentences out of the top level.
std::vector<std::string> take_sentences(Config& config, const std::string& key) {
  const Tree taken = take_member(config.tree, key);
  std::vector<std::string> sentences;
  if (taken.key.empty()) return sentences;
  for (const Tree& item : taken.children)
    if (item.kind == Kind::scalar) sentences.push_back(item.text);
  if (taken.kind != Kind::list || sentences.size() != taken.children.size())
    config.problems.push_back(
        problem_line(taken.key_mark, key,
                     "expected a list of sentences, got " +
                         (taken.kind == Kind::list ? "other things" : in_words(taken))));
  return sentences;
}

/// The name of a folder of results: no separators, nothing hidden.
void check_name(const Experiment& experiment, const Tree& name, std::vector<std::string>& problems) {
  const bool is_folder_name =
      !experiment.name.empty() && experiment.name[0] != '.' && experiment.name.find('/') == std::string::npos;
  if (!is_folder_name)
    problems.push_back(
        problem_line(name.mark, "name", "'" + experiment.name + "' cannot be the name of a folder"));
}

/// Whether every part of a dotted path is there: "a.b", not "a..b" or "".
bool is_path(const std::string& path) {
  const auto parts = split_path(path);
  return std::none_of(parts.begin(), parts.end(), [](const std::string& part) { return part.empty(); });
}

Assignment parse_override(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    user_error("command line: '{}' is not of the form key.path=value", text);
  const std::string path = text.substr(0, equals);
  if (!is_path(path)) user_error("command line: '{}' is no path of keys", path);
  return {path, command_line_mark(), parse_value(text.substr(equals + 1), path)};
}

/// Parses all before it complains about any.
std::vector<Assignment> parse_overrides(const std::vector<std::string>& overrides) {
  std::vector<Assignment> parsed;
  std::vector<std::string> problems;
  for (const auto& text : overrides) try {
      parsed.push_back(parse_override(text));
    } catch (const UserError& e) {
      problems.emplace_back(e.what());
    }
  throw_if_any(problems);
  return parsed;
}

/// `train=none train.updates=5` contradicts itself, whatever the order; made one after the other, the second
/// would switch training on again.
void report_keys_of_none(const std::vector<Assignment>& all, std::vector<std::string>& problems) {
  for (const Assignment& a : all)
    for (const Assignment& b : all)
      if (a.value.kind == Kind::scalar && a.value.text == "none" && b.path.starts_with(a.path + "."))
        problems.push_back(problem_line(b.mark, b.path, fmt::format("cannot be set beside {}=none", a.path)));
}

/// Assignments whose path is none are reported, the others made.
Config assigned(Config config, const std::vector<Assignment>& assignments) {
  std::vector<Assignment> sound;
  for (const Assignment& a : assignments) {
    if (is_path(a.path))
      sound.push_back(a);
    else
      config.problems.push_back(problem_line(a.mark, a.path, "is no path of keys"));
  }
  report_keys_of_none(sound, config.problems);
  assign_all(config.tree, sound);
  return config;
}

std::string short_form(const Assignment& a) {
  const Tree* type = a.value.find("type");
  if (!type) return a.path + "=" + to_line(a.value);
  std::string text = a.path + "=" + to_line(*type);
  for (const Tree& child : a.value.children)
    if (child.key != "type") text += " " + child.key + "=" + to_line(child);
  return text;
}

std::string named(const Combination& sets, bool with_seed) {
  std::string all = sets.label;
  for (const Assignment& a : sets.shown)
    if (with_seed || a.path != "seed") all.append(all.empty() ? "" : " ").append(short_form(a));
  return all;
}

}  // namespace

std::string Case::name() const { return named(sets, true); }
std::string Case::row() const { return named(sets, false); }

Experiment load_experiment(const fs::path& path) {
  Experiment experiment;
  experiment.source = path;
  experiment.config = load_yaml(path);
  Config& config = experiment.config;
  if (config.tree.children.empty() && config.problems.empty())
    user_error("{} holds no keys: there is nothing to run", path.string());
  const Tree name = take_text(config, "name");
  const Tree description = take_text(config, "description");
  const Tree published = take_text(config, "published");
  experiment.departures = take_sentences(config, "departures");
  const bool own_name = !name.text.empty() && name.mark.file == path.string();
  experiment.name = own_name ? name.text : path.stem().string();
  if (own_name) check_name(experiment, name, config.problems);
  if (description.mark.file == path.string()) experiment.description = description.text;
  if (!published.text.empty())
    experiment.published = (fs::path(published.mark.file).parent_path() / published.text).lexically_normal();
  experiment.sweep = read_sweep(take_member(config.tree, "sweep"), config.problems);
  experiment.compare = read_compare(take_member(config.tree, "compare"), experiment.sweep, config.problems);
  return experiment;
}

Config with_overrides(Config config, const std::vector<std::string>& overrides) {
  return assigned(std::move(config), parse_overrides(overrides));
}

std::vector<Case> expand(const Experiment& experiment, const std::vector<std::string>& overrides) {
  const auto fixed = parse_overrides(overrides);
  const Sweep sweep = fixed.empty() ? experiment.sweep : without_fixed(experiment.sweep, fixed);
  std::vector<Case> cases;
  for (auto& sets : combinations(sweep)) {
    Config config = assigned(assigned(experiment.config, sets.assignments), fixed);
    cases.push_back({static_cast<int64_t>(cases.size()), std::move(sets), std::move(config)});
  }
  return cases;
}

}  // namespace attnlab
