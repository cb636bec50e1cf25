#include "config/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/problems.h"
#include "config/scalars.h"

namespace attnlab {
namespace {

using Kind = Tree::Kind;
using Problems = std::vector<std::string>;

constexpr std::array kinds{Comparison::Kind::speedup, Comparison::Kind::fraction,
                           Comparison::Kind::difference};

/// Short names become parts of column names.
bool is_short_name(const std::string& name) {
  constexpr const char* allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !name.empty() && name.find_first_not_of(allowed) == std::string::npos;
}

std::vector<std::string> labels_of(const Sweep& sweep) {
  std::vector<std::string> labels;
  for (const SweepCase& one : sweep.cases)
    if (!one.label.empty() && std::find(labels.begin(), labels.end(), one.label) == labels.end())
      labels.push_back(one.label);
  return labels;
}

void read_reference(const Tree& member, const std::vector<std::string>& labels, Compare& compare,
                    Problems& problems) {
  const std::string path = "compare.to." + member.key;
  if (!is_short_name(member.key)) {
    problems.push_back(
        problem_line(member.key_mark, path, "a short name is made of letters, digits, _ and -"));
  } else if (member.kind != Kind::scalar) {
    problems.push_back(
        problem_line(member.key_mark, path, "expected the label of a case, got " + in_words(member)));
  } else if (std::find(labels.begin(), labels.end(), member.text) == labels.end()) {
    problems.push_back(problem_line(member.mark, path,
                                    "no case of the sweep has the label '" + member.text + "'" +
                                        (labels.empty() ? "" : suggestion(member.text, labels))));
  } else {
    compare.to.push_back({member.key, member.text});
  }
}

std::vector<Compare::Word> read_metrics(const Tree& list, Problems& problems) {
  std::vector<Compare::Word> words;
  if (list.kind == Kind::list)
    for (const Tree& item : list.children)
      if (item.kind == Kind::scalar) words.push_back({item.text, item.mark});
  if (words.empty() || words.size() != list.children.size())
    problems.push_back(problem_line(list.key_mark, "compare." + list.key,
                                    "expected a list of headline figures, got " +
                                        (list.kind == Kind::list ? "other things" : in_words(list))));
  return words;
}

}  // namespace

std::string Comparison::name() const { return fmt::format("{}_{}_{}", metric, word_of(kind), reference); }

std::string_view word_of(Comparison::Kind kind) {
  switch (kind) {
    case Comparison::Kind::speedup:
      return "speedup";
    case Comparison::Kind::fraction:
      return "fraction";
    default:
      return "difference";
  }
}

const std::vector<Compare::Word>& Compare::metrics(Comparison::Kind kind) const {
  switch (kind) {
    case Comparison::Kind::speedup:
      return speedup;
    case Comparison::Kind::fraction:
      return fraction;
    default:
      return difference;
  }
}

std::vector<Comparison> Compare::each() const {
  std::vector<Comparison> all;
  for (const auto kind : kinds)
    for (const Word& metric : metrics(kind))
      for (const Reference& reference : to)
        all.push_back({kind, metric.text, reference.name, reference.label, metric.mark});
  return all;
}

Compare read_compare(const Tree& tree, const Sweep& sweep, Problems& problems) {
  Compare compare;
  if (tree.kind == Kind::null && tree.key.empty()) return compare;  // there is none
  if (tree.kind != Kind::map) {
    problems.push_back(problem_line(tree.key_mark, "compare",
                                    "expected to, speedup, fraction and difference, got " + in_words(tree)));
    return compare;
  }
  const std::vector<std::string> labels = labels_of(sweep);
  for (const Tree& part : tree.children) {
    if (part.key == "to")
      for (const Tree& member : part.children) read_reference(member, labels, compare, problems);
    else if (part.key == "speedup")
      compare.speedup = read_metrics(part, problems);
    else if (part.key == "fraction")
      compare.fraction = read_metrics(part, problems);
    else if (part.key == "difference")
      compare.difference = read_metrics(part, problems);
    else
      problems.push_back(
          problem_line(part.key_mark, "compare." + part.key,
                       "unknown key" + suggestion(part.key, {"to", "speedup", "fraction", "difference"})));
  }
  const Tree* to = tree.find("to");
  if (!to || to->kind != Kind::map || to->children.empty())
    problems.push_back(problem_line(to ? to->key_mark : tree.key_mark, "compare.to",
                                    "expected short names with the labels of the cases to compare with"));
  if (std::none_of(kinds.begin(), kinds.end(),
                   [&](auto kind) { return tree.find(std::string(word_of(kind))) != nullptr; }))
    problems.push_back(
        problem_line(tree.key_mark, "compare", "names no figure: give speedup, fraction or difference"));
  return compare;
}

}  // namespace attnlab
