#include "tables/recorded_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "core/json_text.h"

namespace attnlab {
namespace {

using nlohmann::ordered_json;

ordered_json texts(const std::vector<Compare::Word>& words) {
  ordered_json list = ordered_json::array();
  for (const auto& word : words) list.push_back(word.text);
  return list;
}

std::vector<Compare::Word> words_from(const ordered_json& list) {
  std::vector<Compare::Word> words;
  for (const auto& text : list) words.push_back({text.get<std::string>(), {}});
  return words;
}

PublishedRow row_from(const ordered_json& told) {
  PublishedRow row;
  row.name = told.at("name").get<std::string>();
  const ordered_json match = told.value("match", ordered_json::object());
  for (const auto& [path, value] : match.items()) row.match.emplace_back(path, value.get<std::string>());
  const ordered_json written = told.value("written", ordered_json::object());
  for (const auto& [metric, value] : told.at("figures").items()) {
    row.figures[metric] = value.get<double>();
    row.written[metric] = written.value(metric, fmt::format("{}", value.get<double>()));
  }
  return row;
}

/// What `read` makes of the text; a fresh T where the text is not of that form, which no run of ours wrote.
template <class T>
T read_or_nothing(const std::string& text, const std::function<T(const ordered_json&)>& read) {
  try {
    return text.empty() ? T{} : read(ordered_json::parse(text));
  } catch (const nlohmann::json::exception&) {
    return {};
  }
}

}  // namespace

std::string recorded_json(const Published& published, const std::vector<std::size_t>& about) {
  ordered_json rows = ordered_json::array();
  for (std::size_t i = 0; i < published.rows.size(); ++i) {
    const PublishedRow& row = published.rows[i];
    ordered_json match = ordered_json::object();
    for (const auto& [path, value] : row.match) match[path] = value;
    rows.push_back({{"name", row.name},
                    {"figures", row.figures},
                    {"written", row.written},
                    {"match", match},
                    {"this_case", std::find(about.begin(), about.end(), i) != about.end()}});
  }
  return json_text(ordered_json{{"source", published.source},
                                {"unit", published.unit},
                                {"metrics", published.metrics},
                                {"rows", rows}});
}

std::string recorded_json(const Compare& compare) {
  ordered_json to = ordered_json::object();
  for (const auto& reference : compare.to) to[reference.name] = reference.label;
  return json_text(ordered_json{{"to", to},
                                {"speedup", texts(compare.speedup)},
                                {"fraction", texts(compare.fraction)},
                                {"difference", texts(compare.difference)}});
}

RecordedPublished published_from(const std::string& json) {
  return read_or_nothing<RecordedPublished>(json, [](const ordered_json& told) {
    RecordedPublished read;
    read.published.source = told.at("source").get<std::string>();
    read.published.unit = told.at("unit").get<std::string>();
    read.published.metrics = told.at("metrics").get<std::vector<std::string>>();
    for (const auto& row : told.at("rows")) {
      if (row.at("this_case").get<bool>()) read.about.push_back(read.published.rows.size());
      read.published.rows.push_back(row_from(row));
    }
    return read;
  });
}

Compare compare_from(const std::string& json) {
  return read_or_nothing<Compare>(json, [](const ordered_json& told) {
    Compare compare;
    for (const auto& [name, label] : told.at("to").items())
      compare.to.push_back({name, label.get<std::string>()});
    compare.speedup = words_from(told.at("speedup"));
    compare.fraction = words_from(told.at("fraction"));
    if (told.contains("difference")) compare.difference = words_from(told["difference"]);
    return compare;
  });
}

}  // namespace attnlab
