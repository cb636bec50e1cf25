// What can be configured, in words: keys, types, defaults, bounds, meaning.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/options.h"

namespace attnlab {

struct Described;

/// A component that can be chosen, with its keys.
struct DescribedComponent {
  std::string name;
  std::string meaning;
  std::vector<Described> fields;
};

/// One key. A section has `fields`; a choice has `components`.
struct Described {
  std::string name;
  std::string path;  ///< from the root; keys of a component under the path of its choice
  std::string type;  ///< "whole number", "one of a, b", "section", "component"
  std::string bounds;
  std::string default_value;
  std::string meaning;
  bool in_id = true;
  std::vector<Described> fields;
  std::vector<DescribedComponent> components;
  std::string family;   ///< the same for every choice among the same components
  bool spread = false;  ///< keys of the component stand beside this one
};

/// Everything below an options struct, with each component of each choice; a family of components inside
/// itself is entered once.
std::vector<Described> describe_fields(const std::function<void(Fields&)>& visit);

template <class Options>
std::vector<Described> describe(Options&& options) {
  return describe_fields([&](Fields& f) { options.visit(f); });
}

/// Paths of the keys that cannot change a result.
std::set<std::string> paths_without_effect(const std::vector<Described>& all);

/// Text for a terminal. `what`: empty for an overview, a dotted path ("model.attention"), the last part of
/// one
/// ("train"), or a component's name ("luna"). Throws UserError naming the nearest when there is nothing of
/// that name.
std::string explain(const std::vector<Described>& all, std::string_view what = "");

/// The reference page of the documentation: a table for each section and component.
std::string reference_page(const std::vector<Described>& all);

/// A part at the end of that page, for a section outside configuration files: a table of its keys.
std::string reference_part(const Described& section);

}  // namespace attnlab
