#include "metrics/bootstrap.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"
#include "metrics/statistics.h"

namespace attnlab {

std::string Resampling::signature() const { return fmt::format("bs:{}|seed:{}", resamples, seed); }

PairedDifference paired_difference(double score_a, double score_b, std::span<const double> resampled_a,
                                   std::span<const double> resampled_b) {
  ensure(resampled_a.size() == resampled_b.size(), "resamples in pairs");
  std::vector<double> sizes;
  std::vector<double> differences;
  for (std::size_t i = 0; i < resampled_a.size(); ++i) {
    differences.push_back(resampled_b[i] - resampled_a[i]);
    sizes.push_back(std::abs(differences.back()));
  }
  const double found = std::abs(score_b - score_a), mean = spread(sizes).mean;
  int64_t larger = 0;
  for (const double size : sizes) larger += size - mean > found;
  return {score_b - score_a, spread(differences).standard_deviation,
          static_cast<double>(larger + 1) / static_cast<double>(sizes.size() + 1)};
}

}  // namespace attnlab
