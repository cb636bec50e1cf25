#include "config/run_id.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "config/flatten.h"
#include "config/former_words.h"
#include "config/tree.h"
#include "core/files.h"

namespace attnlab {
namespace {

/// Ends of the paths of options whose default has changed since runs were recorded under it: an id names
/// their value also where it is the default, so that those runs keep ids of their own and all others keep
/// theirs.
constexpr std::string_view changed_defaults[] = {"policy.pooling"};

bool has_changed_default(std::string_view path) {
  return std::ranges::any_of(changed_defaults, [&](std::string_view end) { return path.ends_with(end); });
}

}  // namespace

std::string id_lines(const std::function<void(Fields&)>& visit,
                     const std::function<void(Fields&)>& defaults) {
  std::map<std::string, std::string> default_values;
  std::vector<FlatField> as_constructed;
  Flattener all_defaults(as_constructed, nullptr, true);
  defaults(all_defaults);
  for (const FlatField& f : as_constructed) default_values[f.path] = f.value;
  std::vector<FlatField> fields;
  Flattener flattener(fields, &default_values);
  visit(flattener);

  // Sorted by path, so that the order in which a struct names its fields does not matter.
  std::map<std::string, std::string> differing;
  for (const FlatField& f : fields)
    if (f.in_id && (default_values[f.path] != f.value || has_changed_default(f.path)))
      differing[f.path] = former_word(split_path(f.path).back(), f.value);  // as runs were recorded
  std::string lines = "defaults_version=" + std::to_string(defaults_version) + "\n";
  for (const auto& [path, value] : differing) lines += path + "=" + value + "\n";
  return lines;
}

std::string id_of_lines(const std::string& lines) {
  constexpr std::size_t digits = 10;
  return sha256(lines).substr(0, digits);
}

}  // namespace attnlab
