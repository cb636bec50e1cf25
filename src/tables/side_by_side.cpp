#include "tables/side_by_side.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "tables/numbers.h"
#include "tables/recorded_row.h"
#include "tables/single_values.h"

namespace attnlab {
namespace {

constexpr const char* kNone = "–";

/// What no two runs have in common, or what the options say better.
const std::set<std::string> kEachRunsOwn{"argv",     "case",    "compare",   "config",   "error",
                                         "finished", "label",   "published", "run_id",   "seconds",
                                         "sessions", "started", "status",    "cpu_clock"};

template <class Map>
std::set<std::string> keys_of(const Map& a, const Map& b) {
  std::set<std::string> keys;
  for (const Map* map : {&a, &b})
    for (const auto& [key, value] : *map) keys.insert(key);
  return keys;
}

std::string attribute_text(const RunRecord& record, const std::string& name) {
  const auto found = record.attributes.find(name);
  return found == record.attributes.end() ? kNone : text_of(found->second);
}

std::string option_text(const RecordedOptions& options, const std::string& path) {
  const auto found = options.find(path);
  return found == options.end() ? kNone : found->second;
}

const Summary* figure_of(const RunRecord& record, const std::string& name) {
  const auto found = record.summaries.find(name);
  return found == record.summaries.end() ? nullptr : &found->second;
}

std::string figure_text(const Summary* figure) {
  if (!figure) return kNone;
  const double factor = for_people(figure->unit).factor;
  return with_uncertainty(figure->value * factor, figure->standard_error * factor);
}

bool lie_apart(const Summary& a, const Summary& b) {
  const double error = std::hypot(a.standard_error, b.standard_error);
  return std::isfinite(error) && error > 0 && std::abs(b.value - a.value) > 2 * error;
}

/// Nothing where they have no single values of the same things.
void add_pair(const std::string& name, const SingleValues& ours, const SingleValues& theirs,
              TextTable& table) {
  const DifferenceOfValues found = paired_difference(ours, theirs);
  if (found.things() == 0) return;
  const double value = ours.logarithms ? std::exp(found.mean) : found.mean;
  const double error = ours.logarithms ? value * found.standard_error : found.standard_error;
  const bool verdicts = ours.verdicts && theirs.verdicts;
  table.rows.push_back({name, ours.logarithms ? "ratio" : "difference", with_uncertainty(value, error),
                        fmt::format("{} {}", found.things(), ours.things),
                        fmt::format("{} / {} / {}", found.higher, found.lower, found.equal),
                        verdicts ? significant(paired_verdicts(ours, theirs).p_value(), 2) : ""});
}

}  // namespace

TextTable differences(const RunRecord& a, const RunRecord& b) {
  TextTable table{{"differs", "a", "b"}, {}};
  const auto add = [&](const std::string& name, const std::string& of_a, const std::string& of_b) {
    if (of_a != of_b) table.rows.push_back({name, of_a, of_b});
  };
  const RecordedOptions options_a = recorded_options(a), options_b = recorded_options(b);
  for (const auto& path : keys_of(options_a, options_b))
    add(path, option_text(options_a, path), option_text(options_b, path));
  for (const auto& name : keys_of(a.attributes, b.attributes))
    if (!kEachRunsOwn.contains(name) && !options_a.contains(name))
      add(name, attribute_text(a, name), attribute_text(b, name));
  return table;
}

TextTable paired(const std::filesystem::path& record_a, const std::filesystem::path& record_b) {
  TextTable table{{"figure", "of", "value", "over", "higher / lower / equal", "McNemar's p"}, {}};
  for (const std::string& figure : figures_of_single_values(record_a))
    add_pair(figure + ": b, a", single_values(record_b, figure), single_values(record_a, figure), table);
  for (const auto& [name, record] : {std::pair("a", &record_a), std::pair("b", &record_b)})
    add_pair(fmt::format("accuracy: {}, its byte counts", name), single_values(*record, "accuracy"),
             single_values(*record, "accuracy_byte_counts"), table);
  return table;
}

TextTable figures_beside(const RunRecord& a, const RunRecord& b) {
  TextTable table{{"figure", "a", "b", "b / a", ""}, {}, {false, true, true, true, false}};
  for (const auto& name : keys_of(a.summaries, b.summaries)) {
    const Summary *of_a = figure_of(a, name), *of_b = figure_of(b, name);
    const std::string unit = for_people((of_a ? of_a : of_b)->unit).unit;
    const bool both = of_a && of_b;
    table.rows.push_back({unit.empty() || unit == "1" ? name : fmt::format("{} [{}]", name, unit),
                          figure_text(of_a), figure_text(of_b),
                          both && of_a->value != 0 ? significant(of_b->value / of_a->value, 3) : "",
                          both && lie_apart(*of_a, *of_b) ? "*" : ""});
  }
  return table;
}

}  // namespace attnlab
