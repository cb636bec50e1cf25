// Which run of a sweep starts next, and which cannot fit this machine: longest first, because a long run that
// starts last leaves the other processes idle; and never more at a time than memory holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "run/plan.h"

namespace attnlab {

/// Memory of the host and of the GPU, in bytes.
struct Room {
  static constexpr int64_t unknown = -1;
  int64_t host = unknown;
  int64_t gpu = unknown;
};

/// What a run asks of the machine, as its task estimates it.
struct Demand {
  double work = 0;    ///< floating-point operations; 0: unknown
  int64_t bytes = 0;  ///< 0: unknown
  bool on_gpu = false;
};

struct Waiting {
  const PlannedRun* run;
  Demand demand;
  bool regardless = false;  ///< to be tried although it seems not to fit
};

/// device auto counts as the GPU where the driver knows one.
Demand demand_of(const PlannedRun& run, bool gpu_here);

/// What is free now on the host; of the GPU, all its memory.
Room room_now();
/// What is left of `room` beside a run. Unknown stays unknown.
Room beside(Room room, const Demand& running);

/// What is not known on either side fits.
bool fits(const Demand& demand, const Room& room);
/// "needs about 97.1 GiB of memory, and 20.9 GiB are available".
std::string why_not(const Demand& demand, const Room& room);

/// Removes those that cannot fit even alone, and returns them. One that is to be tried regardless stays, and
/// asks for all there is.
std::vector<Waiting> take_unfitting(std::vector<Waiting>& waiting, const Room& room);

/// Equal ones stay in order.
void longest_first(std::vector<Waiting>& runs);
/// The first in order that fits; nothing where all have to wait.
std::optional<std::size_t> next_to_start(const std::vector<Waiting>& waiting, const Room& left);

}  // namespace attnlab
