#include "config/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/problems.h"
#include "core/error.h"

namespace attnlab {
namespace {

std::string spaces(std::size_t n) { return std::string(n, ' '); }

/// "whole number, between 1 and 16", and whether the id takes no notice.
std::string kind_of(const Described& d) {
  std::string kind = d.type;
  if (!d.bounds.empty())
    kind += (d.type.ends_with("word") || d.type.ends_with("words") ? ": " : ", ") + d.bounds;
  if (!d.in_id) kind += "; cannot change a result";
  return kind;
}

void print_component(std::string& out, const DescribedComponent& component, std::size_t indent);

/// One key with what is beneath it. Components of a choice are named; their keys follow where
/// `with_components` asks.
void print_field(std::string& out, const Described& d, std::size_t indent, bool with_components) {
  out += spaces(indent) + d.name;
  if (!d.default_value.empty()) out += " = " + d.default_value;
  out += "  (" + kind_of(d) + ")\n";
  out += spaces(indent + 4) + d.meaning + "\n";
  for (const Described& inner : d.fields) print_field(out, inner, indent + 2, with_components);
  if (with_components) {
    for (const DescribedComponent& c : d.components) print_component(out, c, indent + 4);
  } else {
    std::size_t width = 0;
    for (const DescribedComponent& c : d.components) width = std::max(width, c.name.size());
    for (const DescribedComponent& c : d.components)
      out += spaces(indent + 4) + fmt::format("{:<{}}  {}\n", c.name, width, c.meaning);
  }
}

void print_component(std::string& out, const DescribedComponent& component, std::size_t indent) {
  out += spaces(indent) + component.name + ": " + component.meaning + "\n";
  for (const Described& inner : component.fields) print_field(out, inner, indent + 2, false);
  if (component.fields.empty()) out += spaces(indent + 2) + "(no keys of its own)\n";
}

/// What can be asked for: fields and components, wherever they are.
struct Found {
  std::vector<const Described*> by_path, by_name;
  std::vector<std::pair<const Described*, const DescribedComponent*>> components;
};

struct Query {
  std::string_view what;
  Found found;
  std::set<std::pair<std::string, std::string>>
      seen;  ///< (family, component): one that is used twice is told once
  std::set<std::string> all_names;

  void search(const std::vector<Described>& fields) {
    for (const Described& d : fields) {
      all_names.insert({d.name, d.path});
      if (d.path == what) found.by_path.push_back(&d);
      if (d.name == what) found.by_name.push_back(&d);
      search(d.fields);
      for (const DescribedComponent& c : d.components) {
        all_names.insert(c.name);
        if (c.name == what && seen.emplace(d.family, c.name).second) found.components.emplace_back(&d, &c);
        search(c.fields);
      }
    }
  }
};

std::string explain_field(const Described& d) {
  std::string out = d.path + "\n";
  print_field(out, d, 2, true);
  return out;
}

std::string overview(const std::vector<Described>& all) {
  std::string out;
  for (const Described& d : all) {
    print_field(out, d, 0, false);
    if (!d.spread) continue;
    for (const DescribedComponent& c : d.components) {
      out += fmt::format("\nKeys of {} {}:\n", d.name, c.name);
      for (const Described& inner : c.fields) print_field(out, inner, 2, false);
      out += "\n";
    }
  }
  return out + "\n`attnlab explain NAME` tells more about a component, a key or a path of keys.\n";
}

}  // namespace

std::string explain(const std::vector<Described>& all, std::string_view what) {
  if (what.empty()) return overview(all);
  Query query{what, {}, {}, {}};
  query.search(all);
  const Found& found = query.found;
  std::string out;
  for (const auto& [choice, component] : found.components) {
    out.append(out.empty() ? "" : "\n").append(fmt::format("{}: {}\n", choice->path, component->name));
    print_component(out, *component, 2);
  }
  const auto& fields = found.by_path.empty() ? found.by_name : found.by_path;
  std::set<std::string> told;
  for (const Described* d : fields)
    if (told.insert(d->path).second) out.append(out.empty() ? "" : "\n").append(explain_field(*d));
  if (out.empty())
    user_error("there is no key or component '{}'{}", what, [&] {
      const std::string close = nearest(what, {query.all_names.begin(), query.all_names.end()});
      return close.empty() ? std::string("; `attnlab explain` lists all")
                           : fmt::format("; did you mean '{}'?", close);
    }());
  return out;
}

}  // namespace attnlab
