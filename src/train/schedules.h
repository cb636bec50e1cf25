// Learning-rate schedules: pure functions of how many updates are done.
#pragma once

#include <cstdint>
#include <vector>

#include "core/options.h"

namespace attnlab {

/// A schedule chosen by name.
struct ScheduleOptions : Component {
  /// The rate of the update that follows `done` updates (0 for the first), of `total` planned ones. `peak` is
  /// train.learning_rate.
  virtual double rate(double peak, int64_t done, int64_t total) const = 0;
};

/// Warm-up that no update wastes: the k-th of `warmup` updates runs at peak·k/warmup. Then a tail between 1
/// and `final_fraction` of the peak.
struct WarmupScheduleOptions : ScheduleOptions {
  int64_t warmup = 0;
  double rate(double peak, int64_t done, int64_t total) const override;
  void visit(Fields& f) override;

 protected:
  /// Fraction of the peak where `progress` of the updates after the warm-up are done, in [0, 1).
  virtual double tail(double progress) const = 0;
};

struct ConstantScheduleOptions : WarmupScheduleOptions {
 protected:
  double tail(double) const override { return 1.0; }
};

struct LinearScheduleOptions : WarmupScheduleOptions {
  double final_fraction = 0.0;
  void visit(Fields& f) override;

 protected:
  double tail(double progress) const override;
};

/// Half a cosine (Loshchilov & Hutter 2017, without restarts).
struct CosineScheduleOptions : WarmupScheduleOptions {
  double final_fraction = 0.0;
  void visit(Fields& f) override;

 protected:
  double tail(double progress) const override;
};

/// fairseq's inverse_sqrt: linear from `initial` to the peak, then peak·√(warmup / done). Luna's recipes use
/// it.
struct InverseSqrtScheduleOptions : ScheduleOptions {
  int64_t warmup = 4000;
  double initial = 1e-7;
  double rate(double peak, int64_t done, int64_t total) const override;
  void visit(Fields& f) override;
};

/// Google's Long Range Arena, "constant * linear_warmup * rsqrt_decay": peak·min(1, done/warmup)/√max(done,
/// warmup). The first update therefore runs at rate 0, and the largest rate is peak/√warmup.
struct GoogleRsqrtScheduleOptions : ScheduleOptions {
  int64_t warmup = 8000;
  double rate(double peak, int64_t done, int64_t total) const override;
  void visit(Fields& f) override;
};

/// Apollo's authors' "milestone": linear from `initial`, the peak at `warmup` updates done, then ×`gamma` at
/// each milestone after it.
struct MilestonesScheduleOptions : ScheduleOptions {
  int64_t warmup = 1000;
  double initial = 1e-5;
  std::vector<int64_t> milestones;
  double gamma = 0.1;
  double rate(double peak, int64_t done, int64_t total) const override;
  void visit(Fields& f) override;
};

template <>
const std::vector<Entry<ScheduleOptions>>& registry<ScheduleOptions>();

}  // namespace attnlab
