#include "tables/single_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "core/error.h"
#include "results/reader.h"
#include "tables/figures.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using RecordedTable = std::map<std::string, std::vector<Value>>;

/// Nothing where the record, or a file that is none, has no such table.
RecordedTable table_of(const fs::path& record, const std::string& path) {
  try {
    return read_table(record, path);
  } catch (const UserError&) {
    return {};
  }
}

std::string text_in(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return text_of(value);
}

double number_in(const Value& value) {
  if (const auto* whole = std::get_if<int64_t>(&value)) return static_cast<double>(*whole);
  const auto* real = std::get_if<double>(&value);
  return real ? *real : std::numeric_limits<double>::quiet_NaN();
}

std::map<std::string, double> column_by(const RecordedTable& table, const std::string& name,
                                        const std::string& column) {
  std::map<std::string, double> values;
  const auto names = table.find(name), numbers = table.find(column);
  if (names == table.end() || numbers == table.end()) return values;
  for (std::size_t i = 0; i < names->second.size(); ++i)
    if (const double v = number_in(numbers->second[i]); std::isfinite(v))
      values[text_in(names->second[i])] = v;
  return values;
}

/// The table of an accuracy's verdicts: "accuracy" → "/eval/test", "accuracy_shuffled_words" →
/// "/eval/test_words".
std::optional<std::string> verdicts_of(const std::string& figure) {
  constexpr std::string_view shuffled = "accuracy_shuffled_";
  if (figure == "accuracy") return "/eval/test";
  if (figure == "accuracy_byte_counts") return "/eval/test_byte_counts";
  if (figure.starts_with(shuffled)) return "/eval/test_" + figure.substr(shuffled.size());
  return std::nullopt;
}

/// Of rows of one name their sum: texts that stand in a file in several lines may share an id.
std::map<std::string, double> sums_by(const RecordedTable& table, const std::string& name,
                                      const std::string& column) {
  std::map<std::string, double> sums;
  const auto names = table.find(name), numbers = table.find(column);
  if (names == table.end() || numbers == table.end()) return sums;
  for (std::size_t i = 0; i < names->second.size(); ++i)
    sums[text_in(names->second[i])] += number_in(numbers->second[i]);
  return sums;
}

std::map<std::string, double> log_perplexities(const RecordedTable& table) {
  std::map<std::string, double> sums = sums_by(table, "id", "nll"), values;
  for (const auto& [id, tokens] : sums_by(table, "id", "tokens"))
    if (const auto sum = sums.find(id); sum != sums.end() && tokens > 0) values[id] = sum->second / tokens;
  return values;
}

/// Of each document the mean loss at positions from `first` on, where a range of the record begins there.
std::map<std::string, double> losses_from(const RecordedTable& table, int64_t first) {
  struct Sums {
    double nll = 0, tokens = 0;
  };
  std::map<std::string, Sums> sums;
  bool begins = false;
  for (std::size_t i = 0; !table.empty() && i < table.at("id").size(); ++i) {
    const double position = number_in(table.at("first")[i]);
    begins = begins || position == static_cast<double>(first);
    if (position < static_cast<double>(first)) continue;
    Sums& sum = sums[text_in(table.at("id")[i])];
    sum.nll += number_in(table.at("nll")[i]);
    sum.tokens += number_in(table.at("tokens")[i]);
  }
  std::map<std::string, double> values;
  if (begins)
    for (const auto& [id, sum] : sums) values[id] = sum.nll / sum.tokens;
  return values;
}

/// "perplexity_beyond_512" → 512.
std::optional<int64_t> position_beyond(const std::string& figure) {
  constexpr std::string_view beyond = "perplexity_beyond_";
  if (!figure.starts_with(beyond)) return std::nullopt;
  int64_t position = 0;
  const char* end = figure.data() + figure.size();
  const auto [stopped, error] = std::from_chars(figure.data() + beyond.size(), end, position);
  return error == std::errc() && stopped == end ? std::optional(position) : std::nullopt;
}

}  // namespace

SingleValues single_values(const fs::path& record, const std::string& figure) {
  if (auto shares = column_by(table_of(record, "/shares"), "question", figure); !shares.empty())
    return {std::move(shares), "questions"};
  if (figure == "perplexity" || figure == "perplexity_answers") {
    const RecordedTable documents = table_of(record, figure == "perplexity" ? "/eval/test" : "/eval/answers");
    return {log_perplexities(documents), "documents", true, false, sums_by(documents, "id", "tokens")};
  }
  if (const auto first = position_beyond(figure))
    return {losses_from(table_of(record, "/eval/test_position"), *first), "documents", true};
  if (const auto table = verdicts_of(figure))
    return {column_by(table_of(record, *table), "id", "correct"), "examples", false, true};
  return {};
}

std::vector<std::string> figures_of_single_values(const fs::path& record) {
  std::vector<std::string> figures;
  for (const auto& [name, values] : table_of(record, "/shares"))
    if (name != "question") figures.push_back(name);
  for (const char* name :
       {"accuracy", "accuracy_shuffled_words", "accuracy_shuffled_text", "perplexity", "perplexity_answers"})
    if (std::find(figures.begin(), figures.end(), name) == figures.end() &&
        !single_values(record, name).empty())
      figures.emplace_back(name);
  return figures;
}

SingleValues mean_of(const std::vector<SingleValues>& runs) {
  if (runs.size() == 1) return runs.front();
  SingleValues mean;
  if (runs.empty()) return mean;
  mean.things = runs.front().things;
  mean.logarithms = runs.front().logarithms;
  mean.tokens = runs.front().tokens;
  for (const auto& [name, first] : runs.front().by_name) {
    double sum = 0;
    std::size_t count = 0;
    for (const SingleValues& run : runs)
      if (const auto found = run.by_name.find(name); found != run.by_name.end()) {
        sum += found->second;
        ++count;
      }
    if (count == runs.size()) mean.by_name[name] = sum / static_cast<double>(count);
  }
  return mean;
}

DifferenceOfValues paired_difference(const SingleValues& ours, const SingleValues& theirs) {
  DifferenceOfValues found;
  Figure differences;
  for (const auto& [name, value] : ours.by_name) {
    const auto other = theirs.by_name.find(name);
    if (other == theirs.by_name.end()) continue;
    const double d = value - other->second;
    differences.values.push_back(d);
    ++(d > 0 ? found.higher : d < 0 ? found.lower : found.equal);
  }
  found.mean = differences.mean();
  found.standard_error = differences.deviation() / std::sqrt(static_cast<double>(found.things()));
  return found;
}

int64_t over_other_tokens(const SingleValues& ours, const SingleValues& theirs) {
  return std::ranges::count_if(ours.tokens, [&](const auto& one) {
    const auto other = theirs.tokens.find(one.first);
    return other != theirs.tokens.end() && other->second != one.second;
  });
}

PairedVerdicts paired_verdicts(const SingleValues& ours, const SingleValues& theirs) {
  PairedVerdicts verdicts;
  for (const auto& [name, value] : ours.by_name)
    if (const auto other = theirs.by_name.find(name); other != theirs.by_name.end())
      verdicts.add(other->second > 0.5, value > 0.5);
  return verdicts;
}

}  // namespace attnlab
