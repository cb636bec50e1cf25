#include "data/translation/cleaning_report.h"

#include <fmt/format.h>

namespace attnlab {

std::vector<std::pair<std::string, int64_t>> CleaningReport::counts() const {
  return {{"read", read},           {"kept", kept},           {"empty", empty},       {"control", control},
          {"duplicate", duplicate}, {"too_short", too_short}, {"too_long", too_long}, {"ratio", ratio}};
}

std::string CleaningReport::sentence() const {
  return fmt::format(
      "{} pairs read, {} kept; dropped: {} with an empty side, {} with control characters, {} that were there "
      "before, {} too short, {} too long, {} of unequal lengths",
      read, kept, empty, control, duplicate, too_short, too_long, ratio);
}

}  // namespace attnlab
