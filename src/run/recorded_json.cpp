#include "run/recorded_json.h"

#include "core/json_text.h"

namespace attnlab {
namespace {

using nlohmann::ordered_json;

ordered_json texts(const std::vector<Compare::Word>& words) {
  ordered_json list = ordered_json::array();
  for (const auto& word : words) list.push_back(word.text);
  return list;
}

}  // namespace

std::string recorded_json(const Published& published, const std::map<std::string, std::string>& values) {
  ordered_json rows = ordered_json::array();
  for (const PublishedRow& row : published.rows) {
    ordered_json figures = ordered_json::object();
    for (const auto& [metric, value] : row.figures) figures[metric] = value;
    rows.push_back({{"name", row.name}, {"figures", figures}, {"this_case", matches(row, values)}});
  }
  return json_text(ordered_json{{"source", published.source},
                                {"unit", published.unit},
                                {"metrics", published.metrics},
                                {"rows", rows}});
}

std::string recorded_json(const Compare& compare) {
  ordered_json to = ordered_json::object();
  for (const auto& reference : compare.to) to[reference.name] = reference.label;
  return json_text(
      ordered_json{{"to", to}, {"speedup", texts(compare.speedup)}, {"fraction", texts(compare.fraction)}});
}

}  // namespace attnlab
