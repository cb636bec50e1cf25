#include "config/problems.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "core/error.h"

namespace attnlab {
namespace {

/// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  const std::size_t columns = b.size() + 1;
  std::vector<std::size_t> d((a.size() + 1) * columns);
  for (std::size_t i = 0; i <= a.size(); ++i)
    for (std::size_t j = 0; j <= b.size(); ++j) {
      std::size_t& here = d[i * columns + j];
      if (i == 0 || j == 0) {
        here = i + j;
        continue;
      }
      const std::size_t up = d[(i - 1) * columns + j], left = d[i * columns + j - 1];
      const std::size_t diagonal = d[(i - 1) * columns + j - 1];
      here = std::min({up + 1, left + 1, diagonal + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        here = std::min(here, d[(i - 2) * columns + j - 2] + 1);
    }
  return d.back();
}

}  // namespace

std::string problem_line(const Mark& mark, std::string_view path, std::string_view sentence) {
  if (path.empty()) return fmt::format("{}: {}", where(mark), sentence);
  return fmt::format("{}: {}: {}", where(mark), path, sentence);
}

void throw_if_any(const std::vector<std::string>& problems) {
  std::set<std::string> told;
  std::string all;
  for (const auto& problem : problems) {
    std::istringstream lines(problem);
    for (std::string line; std::getline(lines, line);)
      if (told.insert(line).second) all.append(all.empty() ? "" : "\n").append(line);
  }
  if (!all.empty()) throw UserError(all);
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t longest_word = 100;  // nobody means a key by more, and the distance is quadratic
  if (word.size() > longest_word) return "";
  std::string best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto& candidate : candidates)
    if (const std::size_t distance = edit_distance(word, candidate); distance < least) {
      least = distance;
      best = candidate;
    }
  if (!best.empty()) return best;
  // An abbreviation or a longer form: `lr_warmup` for `warmup`, `projection` for `projection_length`.
  constexpr std::size_t shortest_part = 3;
  for (const auto& candidate : candidates) {
    const bool long_enough = std::min(word.size(), candidate.size()) >= shortest_part;
    if (long_enough &&
        (candidate.find(word) != std::string::npos || word.find(candidate) != std::string::npos))
      return candidate;
  }
  return "";
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  if (const std::string close = nearest(word, candidates); !close.empty())
    return fmt::format("; did you mean '{}'?", close);
  return candidates.empty() ? "" : "; choose from " + listed(candidates);
}

std::string listed(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace attnlab
