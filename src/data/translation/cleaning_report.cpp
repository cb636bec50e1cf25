#include "data/translation/cleaning_report.h"

#include <fmt/format.h>

#include <array>
#include <sstream>

namespace attnlab {
namespace {

struct Count {
  const char* name;
  int64_t CleaningReport::*value;
};
constexpr std::array<Count, 8> counted{{
    {"read", &CleaningReport::read},
    {"kept", &CleaningReport::kept},
    {"empty", &CleaningReport::empty},
    {"control", &CleaningReport::control},
    {"duplicate", &CleaningReport::duplicate},
    {"too_short", &CleaningReport::too_short},
    {"too_long", &CleaningReport::too_long},
    {"ratio", &CleaningReport::ratio},
}};

}  // namespace

std::vector<std::pair<std::string, int64_t>> CleaningReport::counts() const {
  std::vector<std::pair<std::string, int64_t>> all;
  for (const Count& one : counted) all.emplace_back(one.name, this->*one.value);
  return all;
}

std::string CleaningReport::sentence() const {
  return fmt::format(
      "{} pairs read, {} kept; dropped: {} with an empty side, {} with control characters, {} that were "
      "there "
      "before, {} too short, {} too long, {} of too unequal lengths",
      read, kept, empty, control, duplicate, too_short, too_long, ratio);
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
