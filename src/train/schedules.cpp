#include "train/schedules.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace attnlab {
namespace {

constexpr Range updates_range{0, 1e9};
constexpr Range fraction_range{0, 1};

}  // namespace

double WarmupScheduleOptions::rate(double peak, int64_t done, int64_t total) const {
  if (done < warmup) return peak * static_cast<double>(done + 1) / static_cast<double>(warmup);
  const auto after = static_cast<double>(std::max<int64_t>(1, total - warmup));
  return peak * tail(std::min(1.0, static_cast<double>(done - warmup) / after));
}

void WarmupScheduleOptions::visit(Fields& f) {
  f("warmup", warmup, updates_range, "updates of linear warm-up; 0: none");
}

double LinearScheduleOptions::tail(double progress) const { return 1.0 - (1.0 - final_fraction) * progress; }

void LinearScheduleOptions::visit(Fields& f) {
  WarmupScheduleOptions::visit(f);
  f("final_fraction", final_fraction, fraction_range, "fraction of the peak that the decay ends at");
}

double CosineScheduleOptions::tail(double progress) const {
  return final_fraction + (1.0 - final_fraction) * 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
}

void CosineScheduleOptions::visit(Fields& f) {
  WarmupScheduleOptions::visit(f);
  f("final_fraction", final_fraction, fraction_range, "fraction of the peak that the decay ends at");
}

double InverseSqrtScheduleOptions::rate(double peak, int64_t done, int64_t) const {
  const auto d = static_cast<double>(done), w = static_cast<double>(warmup);
  if (done < warmup) return initial + (peak - initial) * d / w;
  return peak * std::sqrt(std::max(1.0, w)) / std::sqrt(std::max(1.0, d));
}

void InverseSqrtScheduleOptions::visit(Fields& f) {
  f("warmup", warmup, updates_range,
    "updates of linear warm-up, and the scale of the decay (fairseq warmup_updates)");
  f("initial", initial, Range{0, 1e3}, "learning rate of the first update (fairseq warmup_init_lr)");
}

double GoogleRsqrtScheduleOptions::rate(double peak, int64_t done, int64_t) const {
  const auto d = static_cast<double>(done), w = static_cast<double>(warmup);
  return peak * std::min(1.0, d / w) / std::sqrt(std::max(d, w));
}

void GoogleRsqrtScheduleOptions::visit(Fields& f) {
  f("warmup", warmup, Range{1, 1e9}, "updates of linear warm-up (Long Range Arena warmup_steps)");
}

double MilestonesScheduleOptions::rate(double peak, int64_t done, int64_t) const {
  if (done < warmup)
    return initial + (peak - initial) * static_cast<double>(done) / static_cast<double>(warmup);
  const auto passed = std::ranges::count_if(milestones, [&](int64_t m) { return warmup < m && m <= done; });
  return peak * std::pow(gamma, static_cast<double>(passed));
}

void MilestonesScheduleOptions::visit(Fields& f) {
  f("warmup", warmup, updates_range, "updates of linear warm-up; 0: none");
  f("initial", initial, Range{0, 1e3}, "learning rate of the first update of the warm-up");
  f("milestones", milestones, Range{1, 1e9}, "updates done when the rate is multiplied by gamma");
  f("gamma", gamma, Range{0, 1}, "factor of the rate at each milestone");
}

template <>
const std::vector<Entry<ScheduleOptions>>& registry<ScheduleOptions>() {
  static const std::vector<Entry<ScheduleOptions>> table{
      entry<ScheduleOptions, ConstantScheduleOptions>("constant", "the peak throughout"),
      entry<ScheduleOptions, LinearScheduleOptions>("linear", "linear decay over the planned updates"),
      entry<ScheduleOptions, CosineScheduleOptions>("cosine", "half a cosine over the planned updates"),
      entry<ScheduleOptions, InverseSqrtScheduleOptions>("inverse_sqrt", "fairseq's inverse square root"),
      entry<ScheduleOptions, GoogleRsqrtScheduleOptions>("google_rsqrt", "Google's Long Range Arena"),
      entry<ScheduleOptions, MilestonesScheduleOptions>("milestones", "steps down at given updates"),
  };
  return table;
}

}  // namespace attnlab
