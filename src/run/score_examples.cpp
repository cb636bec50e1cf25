#include "run/score_examples.h"

#include <algorithm>
#include <unordered_map>

#include "core/error.h"
#include "metrics/python/text.h"
#include "metrics/python/words.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

struct TextFile {
  std::string name;
  std::vector<ScoredLine> lines;
};

TextFile read_predictions(const fs::path& path, TextRules rules, TextFormat format) {
  TextFile file{path.string(), read_scored_lines(path, TextRole::prediction, rules, format)};
  for (const ScoredLine& line : file.lines)
    if (line.texts.size() != 1)
      user_error("{} has {} predictions where one was expected", line.origin, line.texts.size());
  if (file.lines.empty()) user_error("{} holds no prediction", file.name);
  return file;
}

/// The first key that every line of all files has; empty where there is none.
std::string common_key(const std::vector<TextFile>& files) {
  const auto has = [](const std::string& key) {
    return [&key](const TextFile& file) {
      return std::all_of(file.lines.begin(), file.lines.end(),
                         [&](const ScoredLine& line) { return line.ids.contains(key); });
    };
  };
  for (const std::string& key : id_keys)
    if (std::all_of(files.begin(), files.end(), has(key))) return key;
  return "";
}

bool same_order(const std::vector<TextFile>& files, const std::string& key) {
  const auto same = [&](const ScoredLine& a, const ScoredLine& b) { return a.ids.at(key) == b.ids.at(key); };
  return std::all_of(files.begin() + 1, files.end(), [&](const TextFile& file) {
    return std::ranges::equal(file.lines, files.front().lines, same);
  });
}

void append(std::vector<std::string>& all, const std::vector<std::string>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

/// `files`: of predictions, then of references.
std::vector<ScoredExample> joined_by_line(const std::vector<TextFile>& files, const std::string& key) {
  const TextFile& predictions = files.front();
  std::vector<ScoredExample> all;
  for (const ScoredLine& line : predictions.lines)
    all.push_back({key.empty() ? "" : line.ids.at(key), line.texts.front(), {}});
  for (auto file = files.begin() + 1; file != files.end(); ++file) {
    if (file->lines.size() != all.size())
      user_error("{} has {} lines and {} has {}: each prediction needs its own", predictions.name, all.size(),
                 file->name, file->lines.size());
    for (std::size_t i = 0; i < all.size(); ++i) append(all[i].references, file->lines[i].texts);
  }
  return all;
}

using ById = std::unordered_map<std::string, const ScoredLine*>;

ById by_id(const TextFile& file, const std::string& key) {
  ById lines;
  for (const ScoredLine& line : file.lines)
    if (const auto [there, is_new] = lines.emplace(line.ids.at(key), &line); !is_new)
      user_error("{}: the {} '{}' is there twice, in {} too", line.origin, key, line.ids.at(key),
                 there->second->origin);
  return lines;
}

/// The lines of all files but that of the predictions, which have to have the same ids.
std::vector<ScoredExample> joined_references(const std::vector<TextFile>& files,
                                             const std::vector<ById>& lines, const std::string& key) {
  std::vector<ScoredExample> all;
  for (const ScoredLine& line : files[1].lines) {
    all.push_back({line.ids.at(key), "", line.texts});
    for (std::size_t f = 2; f < files.size(); ++f) {
      const auto found = lines[f].find(all.back().id);
      if (found == lines[f].end() || files[f].lines.size() != files[1].lines.size())
        user_error("{} and {} are not of the same {}", files[1].name, files[f].name, key);
      append(all.back().references, found->second->texts);
    }
  }
  return all;
}

ScoredExamples joined_by_id(const std::vector<TextFile>& files, const std::string& key, TextRules rules) {
  std::vector<ById> lines;
  for (const TextFile& file : files) lines.push_back(by_id(file, key));
  ScoredExamples joined{joined_references(files, lines, key), key};
  for (ScoredExample& example : joined.all) {
    const auto found = lines.front().find(example.id);
    if (found != lines.front().end())
      example.prediction = found->second->texts.front();
    else if (rules == TextRules::translations)
      user_error("{} has no prediction for the {} '{}'", files.front().name, key, example.id);
    else
      ++joined.missing;
  }
  const auto predicted = static_cast<int64_t>(joined.all.size()) - joined.missing;
  if (predicted == 0) user_error("{} and {} have no {} in common", files[0].name, files[1].name, key);
  joined.unreferenced = static_cast<int64_t>(files.front().lines.size()) - predicted;
  return joined;
}

/// sacreBLEU counts a reference that is empty, or of blanks alone, as none.
void drop_empty_references(std::vector<ScoredExample>& all) {
  for (ScoredExample& example : all)
    std::erase_if(example.references, [](const std::string& reference) {
      return python::right_stripped(python::decoded(reference)).empty();
    });
}

void require_references(const std::vector<ScoredExample>& all, TextRules rules) {
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].references.empty())
      user_error("the prediction of {} has no reference{}",
                 all[i].id.empty() ? fmt::format("line {}", i + 1) : "'" + all[i].id + "'",
                 rules == TextRules::translations ? "; an empty one counts as none, as in sacreBLEU" : "");
}

}  // namespace

nlohmann::ordered_json ScoredExamples::told() const {
  if (id_key.empty()) return nlohmann::ordered_json::object();
  nlohmann::ordered_json told{{"joined_by", id_key}, {"missing_predictions", missing}};
  if (unreferenced > 0) told["predictions_without_reference"] = unreferenced;
  return told;
}

ScoredExamples read_examples(const fs::path& predictions, const std::vector<fs::path>& references,
                             TextRules rules, TextFormat format) {
  std::vector<TextFile> files{read_predictions(predictions, rules, format)};
  for (const fs::path& path : references)
    files.push_back({path.string(), read_scored_lines(path, TextRole::references, rules, format)});
  const std::string key = common_key(files);
  ScoredExamples examples = key.empty() || same_order(files, key)
                                ? ScoredExamples{joined_by_line(files, key), key}
                                : joined_by_id(files, key, rules);
  if (rules == TextRules::translations) drop_empty_references(examples.all);
  require_references(examples.all, rules);
  return examples;
}

nlohmann::ordered_json place_of(const ScoredExample& example, std::size_t i) {
  nlohmann::ordered_json place{{"line", i + 1}};
  if (!example.id.empty()) place["id"] = example.id;
  return place;
}

}  // namespace attnlab
