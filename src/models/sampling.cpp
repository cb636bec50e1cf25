#include "models/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace attnlab {
namespace {

/// Ids by falling logit, equal ones by id; only the first `count` of them.
std::vector<int64_t> largest(std::span<const float> logits, int64_t count) {
  std::vector<int64_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  std::partial_sort(ids.begin(), ids.begin() + count, ids.end(), [&](int64_t a, int64_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  });
  ids.resize(static_cast<std::size_t>(count));
  return ids;
}

void rescale(std::vector<Candidate>& all) {
  double sum = 0;
  for (const Candidate& c : all) sum += c.probability;
  for (Candidate& c : all) c.probability /= sum;
}

}  // namespace

void SamplingOptions::visit(Fields& f) {
  f("temperature", temperature, Range{0, 100}, "logits are divided by it; 0: always the most probable token");
  f("top_k", top_k, Range{0, 1 << 24},
    "only the so many most probable tokens; 0: all (temperature 0: no effect)");
  f("top_p", top_p, Range{1e-9, 1},
    "only the fewest tokens with at least this probability together (Holtzman et al. 2020)");
}

std::vector<Candidate> candidates(std::span<const float> logits, const SamplingOptions& options) {
  ensure(!logits.empty() && options.temperature > 0, "logits and a temperature above 0");
  const auto size = static_cast<int64_t>(logits.size());
  const std::vector<int64_t> ids = largest(logits, options.top_k > 0 ? std::min(options.top_k, size) : size);
  const double highest = logits[ids.front()];
  std::vector<Candidate> all;
  for (const int64_t id : ids)
    all.push_back({id, std::exp((static_cast<double>(logits[id]) - highest) / options.temperature)});
  rescale(all);
  std::size_t kept = 0;
  for (double sum = 0; kept < all.size() && (kept == 0 || sum < options.top_p); ++kept)
    sum += all[kept].probability;
  all.resize(kept);
  rescale(all);
  return all;
}

int64_t choose_token(std::span<const float> logits, const SamplingOptions& options, double uniform) {
  if (options.temperature == 0) return std::max_element(logits.begin(), logits.end()) - logits.begin();
  const std::vector<Candidate> all = candidates(logits, options);
  for (const Candidate& c : all) {
    uniform -= c.probability;
    if (uniform < 0) return c.id;
  }
  return all.back().id;  // rounding left a little over
}

double surprisal_of(std::span<const float> logits, int64_t id) {
  const double highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - highest);
  return highest + std::log(sum) - static_cast<double>(logits[id]);
}

}  // namespace attnlab
