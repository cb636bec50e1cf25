// The reference page: `attnlab explain` as Markdown tables.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/explain.h"
#include "config/tree.h"

namespace attnlab {
namespace {

/// A choice that stands at one or more paths, described once.
struct Family {
  const Described* choice = nullptr;
  std::vector<std::string> paths;
};

/// Families in the order in which they first come up.
struct Families {
  std::vector<std::string> order;
  std::map<std::string, Family> by_name;

  void collect(const std::vector<Described>& fields) {
    for (const Described& d : fields) {
      collect(d.fields);
      if (d.components.empty()) continue;
      Family& family = by_name[d.family];
      if (!family.choice) {
        family.choice = &d;
        order.push_back(d.family);
      }
      if (std::find(family.paths.begin(), family.paths.end(), d.path) == family.paths.end())
        family.paths.push_back(d.path);
      for (const DescribedComponent& c : d.components) collect(c.fields);
    }
  }
};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string components_of(const Described& d) {
  std::string names;
  for (const DescribedComponent& c : d.components)
    names.append(names.empty() ? "" : ", ").append("`" + c.name + "`");
  return names;
}

void rows(std::string& out, const std::vector<Described>& fields, const std::string& prefix) {
  for (const Described& d : fields) {
    const std::string key = joined_path(prefix, d.name);
    const std::string bounds = d.components.empty() ? d.bounds : components_of(d);
    const std::string type = bounds.empty() ? d.type : fmt::format("{}: {}", d.type, bounds);
    const std::string value = d.default_value.empty() ? "" : "`" + d.default_value + "`";
    const std::string meaning = d.meaning + (d.in_id ? "" : " (cannot change a result)");
    out += fmt::format("| `{}` | {} | {} | {} |\n", key, escaped(type), escaped(value), escaped(meaning));
    rows(out, d.fields, key);
  }
}

std::string table(const std::vector<Described>& fields) {
  if (fields.empty()) return "It has no keys of its own.\n";
  std::string out = "| key | type | default | meaning |\n|---|---|---|---|\n";
  rows(out, fields, "");
  return out;
}

}  // namespace

std::string reference_page(const std::vector<Described>& all) {
  std::string out =
      "# Configuration reference\n\nEvery key of a configuration file, from the same descriptions that "
      "`attnlab explain` prints.\n\n## Top level\n\n" +
      table(all);
  Families families;
  families.collect(all);
  for (const auto& name : families.order) {
    const Family& family = families.by_name.at(name);
    std::string places;
    for (const auto& path : family.paths) places.append(places.empty() ? "" : ", ").append("`" + path + "`");
    out += fmt::format("\n## {}\n\n{}\n", places, family.choice->meaning);
    for (const DescribedComponent& c : family.choice->components)
      out += fmt::format("\n### `{}`\n\n{}\n\n{}", c.name, c.meaning, table(c.fields));
  }
  return out;
}

std::string reference_part(const Described& section) {
  return fmt::format("\n## {}\n\n{}\n\n{}", section.name, section.meaning, table(section.fields));
}

}  // namespace attnlab
