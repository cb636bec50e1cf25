#include "data/unicode/characters.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace attnlab {
namespace {

struct ClassRun {
  char32_t first;
  uint16_t classes;
};

constexpr ClassRun class_runs[] = {
#include "data/unicode/classes.inc"
};

std::vector<uint16_t> spread_out() {
  std::vector<uint16_t> all(0x110000);
  for (const ClassRun* run = class_runs; run != std::end(class_runs); ++run) {
    const char32_t end = run + 1 == std::end(class_runs) ? 0x110000 : run[1].first;
    std::fill(all.begin() + run->first, all.begin() + end, run->classes);
  }
  return all;
}

}  // namespace

uint16_t character_classes(char32_t code) {
  static const std::vector<uint16_t> all = spread_out();
  return all[code];
}

}  // namespace attnlab
