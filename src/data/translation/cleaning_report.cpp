#include "data/translation/cleaning_report.h"

#include <fmt/format.h>

#include <array>
#include <sstream>

namespace attnlab {
namespace {

struct Count {
  const char* name;
  int64_t CleaningReport::*value;
  const char* in_words = "";  ///< behind the count, of what was dropped
};
constexpr std::array<Count, 8> counted{{
    {"read", &CleaningReport::read},
    {"kept", &CleaningReport::kept},
    {"empty", &CleaningReport::empty, "with an empty side"},
    {"control", &CleaningReport::control, "with control characters"},
    {"duplicate", &CleaningReport::duplicate, "that were there before"},
    {"too_short", &CleaningReport::too_short, "too short"},
    {"too_long", &CleaningReport::too_long, "too long"},
    {"ratio", &CleaningReport::ratio, "of too unequal lengths"},
}};

}  // namespace

std::vector<std::pair<std::string, int64_t>> CleaningReport::counts() const {
  std::vector<std::pair<std::string, int64_t>> all;
  for (const Count& one : counted) all.emplace_back(one.name, this->*one.value);
  return all;
}

std::string CleaningReport::sentence() const {
  std::string dropped;
  for (const Count& one : counted)
    if (*one.in_words && this->*one.value > 0)
      dropped += fmt::format("{}{} {}", dropped.empty() ? "" : ", ", this->*one.value, one.in_words);
  return fmt::format("{} pairs read, {} kept; dropped: {}", read, kept, dropped.empty() ? "none" : dropped);
}

std::string CleaningReport::text() const {
  std::string lines;
  for (const auto& [name, count] : counts()) lines += fmt::format("{} {}\n", name, count);
  return lines;
}

CleaningReport CleaningReport::parse(std::string_view text) {
  CleaningReport report;
  std::istringstream in{std::string(text)};
  std::string name;
  for (int64_t count = 0; in >> name >> count;)
    for (const Count& one : counted)
      if (name == one.name) report.*one.value = count;
  return report;
}

}  // namespace attnlab
