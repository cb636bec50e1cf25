#include "tables/recorded_row.h"

#include <algorithm>

#include "config/tree.h"
#include "config/yaml_source.h"
#include "core/error.h"

namespace attnlab {
namespace {

void flatten(const Tree& tree, const std::string& path, RecordedOptions& options) {
  if (tree.kind != Tree::Kind::map) {
    options[path] = to_line(tree);
    return;
  }
  for (const Tree& member : tree.children) flatten(member, joined_path(path, member.key), options);
}

/// "dim", "encoder.dim", "encoder" and "model.encoder" name the option at "model.encoder.dim" or what it is
/// in.
bool names_an_option(const std::string& key, const RecordedOptions& options) {
  return std::any_of(options.begin(), options.end(), [&](const auto& option) {
    return ("." + option.first + ".").find("." + key + ".") != std::string::npos;
  });
}

/// Where each "key=" begins that is an assignment: at the start or behind a blank.
struct Start {
  std::size_t at, equals;
};
std::vector<Start> assignments_in(const std::string& text, const RecordedOptions& options) {
  std::vector<Start> starts;
  for (std::size_t equals = text.find('='); equals != std::string::npos;
       equals = text.find('=', equals + 1)) {
    const std::size_t blank = text.rfind(' ', equals);
    const std::size_t at = blank == std::string::npos ? 0 : blank + 1;
    if (names_an_option(text.substr(at, equals - at), options)) starts.push_back({at, equals});
  }
  return starts;
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(", "), last = text.find_last_not_of(", ");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

}  // namespace

std::string RecordedRow::name() const {
  std::string text = label;
  for (const auto& [key, value] : assignments) text += (text.empty() ? "" : " ") + key + "=" + value;
  return text;
}

RecordedOptions recorded_options(const RunRecord& record) {
  RecordedOptions options;
  try {
    flatten(parse_yaml(record.attribute<std::string>("config"), "config").tree, "", options);
  } catch (const UserError&) {  // cut short, or of somebody else's making
  }
  return options;
}

RecordedRow recorded_row(const RunRecord& record, const RecordedOptions& options) {
  auto text = record.attribute<std::string>("label");
  if (text.empty()) text = record.attribute<std::string>("case");
  const std::vector<Start> starts = assignments_in(text, options);
  RecordedRow row;
  row.label = trimmed(text.substr(0, starts.empty() ? text.size() : starts.front().at));
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t end = i + 1 < starts.size() ? starts[i + 1].at : text.size();
    const auto [at, equals] = starts[i];
    const std::string key = text.substr(at, equals - at);
    if (key != "seed") row.assignments.emplace_back(key, trimmed(text.substr(equals + 1, end - equals - 1)));
  }
  return row;
}

}  // namespace attnlab
