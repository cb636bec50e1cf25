#include "config/published.h"

#include <algorithm>

#include "config/problems.h"
#include "config/scalars.h"
#include "config/yaml_source.h"

namespace attnlab {
namespace {

using Problems = std::vector<std::string>;

void refuse_others(const Tree& map, const std::string& path, const std::vector<std::string>& known,
                   Problems& problems) {
  for (const Tree& member : map.children)
    if (std::find(known.begin(), known.end(), member.key) == known.end())
      problems.push_back(problem_line(member.key_mark, joined_path(path, member.key),
                                      "unknown key" + suggestion(member.key, known)));
}

std::string text_at(const Tree& map, const char* key, Problems& problems) {
  const Tree* value = map.find(key);
  if (!value) return "";
  if (value->kind != Tree::Kind::scalar)
    problems.push_back(problem_line(value->mark, key, "expected a text, got " + in_words(*value)));
  return value->text;
}

std::vector<std::string> metrics_of(const Tree& root, Problems& problems) {
  const Tree* value = root.find("metric");
  if (!value) {
    problems.push_back(problem_line(root.mark, "metric", "missing: the name of the headline figure"));
    return {};
  }
  std::vector<std::string> names;
  if (value->kind == Tree::Kind::scalar) names.push_back(value->text);
  for (const Tree& item : value->children) names.push_back(item.text);
  return names;
}

PublishedRow read_row(const Tree& tree, const std::string& path, const std::vector<std::string>& metrics,
                      Problems& problems) {
  PublishedRow row;
  std::vector<std::string> known = metrics;
  known.insert(known.end(), {"name", "match", "note"});
  refuse_others(tree, path, known, problems);
  row.name = text_at(tree, "name", problems);
  if (row.name.empty()) problems.push_back(problem_line(tree.mark, joined_path(path, "name"), "missing"));
  if (const Tree* match = tree.find("match"))
    for (const Tree& member : match->children)
      row.match.emplace_back(member.key, member.key == "label" ? member.text : to_line(member));
  for (const auto& metric : metrics) {
    const Tree* value = tree.find(metric);
    if (!value) continue;
    if (const auto number = to_double(*value)) {
      row.figures[metric] = *number;
      row.written[metric] = value->text;
    } else {
      problems.push_back(
          problem_line(value->mark, joined_path(path, metric), "expected a number, got " + in_words(*value)));
    }
  }
  return row;
}

bool same_value(const std::string& a, const std::string& b) {
  if (a == b) return true;
  Tree left, right;  // 16 and 16.0 are the same length
  left.kind = right.kind = Tree::Kind::scalar;
  left.text = a;
  right.text = b;
  const auto x = to_double(left), y = to_double(right);
  return x && y && *x == *y;
}

}  // namespace

Published read_published(const std::filesystem::path& file) {
  const Config config = load_yaml(file);
  Problems problems = config.problems;
  const Tree& root = config.tree;
  refuse_others(root, "", {"source", "metric", "unit", "note", "rows"}, problems);
  Published published;
  published.source = text_at(root, "source", problems);
  published.unit = text_at(root, "unit", problems);
  published.metrics = metrics_of(root, problems);
  if (published.source.empty())
    problems.push_back(problem_line(root.mark, "source", "missing: where it was published"));
  const Tree* rows = root.find("rows");
  if (!rows || rows->kind != Tree::Kind::list)
    problems.push_back(problem_line(root.mark, "rows", "expected a list of rows"));
  else
    for (std::size_t i = 0; i < rows->children.size(); ++i)
      published.rows.push_back(
          read_row(rows->children[i], "rows[" + std::to_string(i) + "]", published.metrics, problems));
  throw_if_any(problems);
  return published;
}

bool matches(const PublishedRow& row, const std::map<std::string, std::string>& values) {
  if (row.match.empty()) return false;
  for (const auto& [path, value] : row.match) {
    auto found = values.find(path);
    if (found == values.end()) found = values.find(path + ".type");  // `model.encoder.attention: luna`
    if (found == values.end() || !same_value(found->second, value)) return false;
  }
  return true;
}

std::vector<std::size_t> rows_about(const Published& published,
                                    const std::map<std::string, std::string>& values) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < published.rows.size(); ++i)
    if (matches(published.rows[i], values)) rows.push_back(i);
  return rows;
}

}  // namespace attnlab
