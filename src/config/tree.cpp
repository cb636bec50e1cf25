#include "config/tree.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/scalars.h"

namespace attnlab {
namespace {

using Kind = Tree::Kind;

Tree* member(Tree& map, std::string_view name) {
  if (map.kind != Kind::map) return nullptr;
  for (Tree& child : map.children)
    if (child.key == name) return &child;
  return nullptr;
}

/// The word under `type:`, or the scalar that stands for it; "" where there is none.
std::string type_of(const Tree& tree) {
  if (tree.kind == Kind::scalar) return tree.text;
  const Tree* type = tree.find("type");
  return type && type->kind == Kind::scalar ? type->text : "";
}

/// Whether keys can be added: `luna` becomes `{type: luna}`, but `none` is the absence of what has keys.
bool is_component_word(const Tree& tree) { return tree.kind == Kind::scalar && tree.text != "none"; }

/// `{type: luna}` from `luna`, under the same key.
Tree as_component(const Tree& word) {
  Tree map;
  map.mark = word.mark;
  map.key = word.key;
  map.key_mark = word.key_mark;
  set_member(map, "type", word.key_mark, word);
  return map;
}

Tree empty_map(const Mark& mark) {
  Tree map;
  map.mark = mark;
  return map;
}

/// How early an assignment is made: `x` and `x.type` alike, before the keys of x.
std::size_t depth(const Assignment& a) {
  const auto parts = split_path(a.path);
  return parts.size() - (parts.size() > 1 && parts.back() == "type" ? 1 : 0);
}

}  // namespace

Mark command_line_mark() { return {"command line", 0, 0}; }

std::string where(const Mark& mark) {
  return mark.line > 0 ? fmt::format("{}:{}", mark.file, mark.line) : mark.file;
}

const Tree* Tree::find(std::string_view name) const {
  if (kind != Kind::map) return nullptr;
  for (const Tree& child : children)
    if (child.key == name) return &child;
  return nullptr;
}

void set_member(Tree& map, const std::string& key, const Mark& key_mark, Tree value) {
  value.key = key;
  value.key_mark = key_mark;
  if (Tree* old = member(map, key))
    *old = std::move(value);
  else
    map.children.push_back(std::move(value));
}

Tree take_member(Tree& map, std::string_view key) {
  Tree taken;
  taken.kind = Kind::null;
  if (Tree* found = member(map, key)) {
    taken = std::move(*found);
    map.children.erase(map.children.begin() + (found - map.children.data()));
  }
  return taken;
}

Tree merged(const Tree& earlier, const Tree& later) {
  if (later.kind != Kind::map) return later;
  if (is_component_word(earlier)) return merged(as_component(earlier), later);
  if (earlier.kind != Kind::map) return later;
  const std::string before = type_of(earlier), after = type_of(later);
  if (!before.empty() && !after.empty() && before != after) return later;
  Tree result = earlier;
  result.mark = later.mark;
  result.key = later.key;
  result.key_mark = later.key_mark;
  for (const Tree& child : later.children) {
    const Tree* old = earlier.find(child.key);
    set_member(result, child.key, child.key_mark, old ? merged(*old, child) : child);
  }
  return result;
}

void assign(Tree& root, const Assignment& assignment) {
  const auto parts = split_path(assignment.path);
  Tree* here = &root;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (!member(*here, parts[i])) set_member(*here, parts[i], assignment.mark, empty_map(assignment.mark));
    here = member(*here, parts[i]);
    if (here->kind == Kind::map) continue;
    Tree map = is_component_word(*here) ? as_component(*here) : empty_map(assignment.mark);
    map.key = here->key;
    map.key_mark = here->key_mark;
    *here = std::move(map);
  }
  const bool other_type = parts.back() == "type" && parts.size() > 1 && !type_of(*here).empty() &&
                          type_of(*here) != type_of(assignment.value);
  if (other_type) here->children.clear();
  set_member(*here, parts.back(), assignment.mark, assignment.value);
}

void assign_all(Tree& root, const std::vector<Assignment>& assignments) {
  std::vector<Assignment> ordered = assignments;
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const Assignment& a, const Assignment& b) { return depth(a) < depth(b); });
  for (const Assignment& a : ordered) assign(root, a);
}

bool is_beneath(std::string_view path, std::string_view ancestor) {
  constexpr std::string_view type = ".type";
  if (path == ancestor) return true;
  if (ancestor.ends_with(type)) ancestor.remove_suffix(type.size());
  return path == ancestor ||
         (path.size() > ancestor.size() && path.starts_with(ancestor) && path[ancestor.size()] == '.');
}

std::string joined_path(std::string_view parent, std::string_view key) {
  return parent.empty() ? std::string(key) : fmt::format("{}.{}", parent, key);
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  for (;;) {
    const auto dot = path.find('.');
    parts.emplace_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    path.remove_prefix(dot + 1);
  }
}

std::string to_line(const Tree& tree) {
  if (tree.kind == Kind::null) return "null";
  if (tree.kind == Kind::scalar) return tree.quoted ? quoted_if_needed(tree.text) : tree.text;
  std::string inside;
  for (const Tree& child : tree.children) {
    if (!inside.empty()) inside += ", ";
    if (tree.kind == Kind::map) inside += quoted_if_needed(child.key) + ": ";
    inside += to_line(child);
  }
  return tree.kind == Kind::map ? "{" + inside + "}" : "[" + inside + "]";
}

}  // namespace attnlab
