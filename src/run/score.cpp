// attnlab score: predictions of anybody's making against references, with the protocol beside the figures.
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_map.h"
#include "core/json_text.h"
#include "core/plain_text.h"
#include "metrics/rouge.h"
#include "metrics/statistics.h"
#include "metrics/token_f1.h"
#include "run/commands.h"
#include "run/exit.h"
#include "run/version.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array prediction_keys{"prediction", "text", "output"};
constexpr std::array reference_keys{"references", "reference", "answers", "answer"};

/// A line and where it stands: "FILE, line 3".
struct Line {
  std::string text, origin;
};

std::vector<Line> lines_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (fs::is_directory(path) || !file) user_error("cannot read {}", path.string());
  TextLines lines(file, path.string());
  std::vector<Line> all;
  for (std::string line; lines.next(line);)
    all.push_back({line, fmt::format("{}, line {}", path.string(), lines.number())});
  return all;
}

/// Whether a file holds JSON lines: its first line is a map, a list or a string of JSON.
bool holds_json(const std::vector<Line>& lines) {
  if (lines.empty()) return false;
  const json first = json_or_discarded(lines.front().text);
  return first.is_object() || first.is_array() || first.is_string();
}

std::vector<std::string> texts_in(const json& value, const std::string& origin) {
  if (value.is_string()) return {value.get<std::string>()};
  if (!value.is_array()) user_error("{}: {} is neither a text nor a list of texts", origin, json_text(value));
  std::vector<std::string> texts;
  for (const json& text : value) {
    if (!text.is_string()) user_error("{}: {} is no text", origin, json_text(text));
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

template <std::size_t N>
std::vector<std::string> texts_of(const Line& line, bool is_json, const std::array<const char*, N>& keys) {
  if (!is_json) return {line.text};
  const json value = json_or_discarded(line.text);
  if (value.is_discarded()) user_error("{} is no JSON, and the lines before it are", line.origin);
  if (!value.is_object()) return texts_in(value, line.origin);
  for (const char* key : keys)
    if (const auto found = value.find(key); found != value.end()) return texts_in(*found, line.origin);
  user_error("{} has none of the keys {}", line.origin, fmt::join(keys, ", "));
}

template <std::size_t N>
std::vector<std::vector<std::string>> read_texts(const fs::path& path,
                                                 const std::array<const char*, N>& keys) {
  const std::vector<Line> lines = lines_of(path);
  const bool is_json = holds_json(lines);
  std::vector<std::vector<std::string>> all;
  for (const Line& line : lines) all.push_back(texts_of(line, is_json, keys));
  return all;
}

struct Example {
  std::string prediction;
  std::vector<std::string> references;
};

std::vector<Example> examples_of(const ScoreOptions& options) {
  std::vector<Example> all;
  for (const auto& texts : read_texts(options.predictions, prediction_keys)) {
    if (texts.size() != 1)
      user_error("{}, line {} has {} predictions where one was expected", options.predictions.string(),
                 all.size() + 1, texts.size());
    all.push_back({texts.front(), {}});
  }
  if (all.empty()) user_error("{} holds no prediction", options.predictions.string());
  for (const fs::path& path : options.references) {
    const auto references = read_texts(path, reference_keys);
    if (references.size() != all.size())
      user_error("{} has {} lines and {} has {}: each prediction needs its own", options.predictions.string(),
                 all.size(), path.string(), references.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i].references.insert(all[i].references.end(), references[i].begin(), references[i].end());
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].references.empty()) user_error("the prediction of line {} has no reference", i + 1);
  return all;
}

ordered_json told(const RougeScore& s) {
  return {{"f", s.f}, {"precision", s.precision}, {"recall", s.recall}};
}

/// Means over examples, and over the F of rouge1, rouge2 and rougeL the geometric mean that ZeroSCROLLS and
/// TOVA print.
ordered_json summary_of(const std::vector<RougeScores>& scores) {
  ordered_json all;
  double product = 1;
  for (std::size_t i = 0; i < rouge_names.size(); ++i) {
    RougeScore mean;
    std::vector<double> f;
    for (const RougeScores& one : scores) {
      const auto n = static_cast<double>(scores.size());
      mean.precision += one[i].precision / n;
      mean.recall += one[i].recall / n;
      f.push_back(one[i].f);
    }
    const Spread over = spread(f);
    mean.f = over.mean;
    all[rouge_names[i]] = told(mean);
    if (std::isfinite(over.standard_error)) all[rouge_names[i]]["f_standard_error"] = over.standard_error;
    if (i <= static_cast<std::size_t>(Rouge::l)) product *= mean.f;
  }
  all["geometric_mean"] = std::cbrt(product);
  return all;
}

ordered_json each_of(const RougeScores& scores) {
  ordered_json line;
  for (std::size_t i = 0; i < rouge_names.size(); ++i) line[rouge_names[i]] = told(scores[i]);
  return line;
}

ordered_json summary_of(const std::vector<double>& f1) {
  const Spread over = spread(f1);
  ordered_json all{{"f1", over.mean}};
  if (std::isfinite(over.standard_error)) all["f1_standard_error"] = over.standard_error;
  return all;
}

ordered_json each_of(double f1) { return {{"f1", f1}}; }

/// Scores every example, prints what was asked for, and returns the summary.
template <class Score>
ordered_json scored(const std::vector<Example>& examples, bool each, const Score& score) {
  std::vector<decltype(score(examples.front()))> scores;
  for (const Example& example : examples) {
    scores.push_back(score(example));
    if (!each) continue;
    ordered_json line{{"line", scores.size()}};
    line.update(each_of(scores.back()));
    std::cout << json_text(line) << '\n';
  }
  return summary_of(scores);
}

std::string signature(const char* rules) {
  return fmt::format("{}|mean over examples|attnlab {}", rules, versions().front().second);
}

}  // namespace

int score_command(const ScoreOptions& options) {
  const bool is_rouge = options.metric == "rouge";
  if (options.stemmer && !is_rouge) user_error("--stemmer goes with rouge; {} has none", options.metric);
  const std::vector<Example> examples = examples_of(options);
  ordered_json all{{"metric", options.metric}, {"n", examples.size()}};
  if (is_rouge) {
    all.update(scored(examples, options.each, [&](const Example& e) {
      return best_rouge(e.references, e.prediction, options.stemmer);
    }));
    all["signature"] = signature(
        options.stemmer ? "rouge|stemmer:Porter as NLTK|tokens:a-z0-9|references:best F of each kind"
                        : "rouge|stemmer:no|tokens:a-z0-9|references:best F of each kind");
  } else {
    all.update(scored(examples, options.each,
                      [](const Example& e) { return best_token_f1(e.prediction, e.references); }));
    all["signature"] = signature("token_f1|words:SQuAD|references:largest");
  }
  std::cout << json_text(all, options.each ? -1 : 2) << std::endl;
  return exit_done;
}

}  // namespace attnlab
