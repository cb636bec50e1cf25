#include "run/schedule.h"

#include <algorithm>

#include "core/available_memory.h"
#include "run/device.h"
#include "run/gpu.h"

namespace attnlab {
namespace {

int64_t of(const Room& room, const Demand& demand) { return demand.on_gpu ? room.gpu : room.host; }

std::string in_gibibytes(int64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1 << 30));
}

}  // namespace

Demand demand_of(const PlannedRun& run, bool gpu_here) {
  const RunOptions& o = run.options;
  const bool on_gpu = o.device == "cuda" || (o.device == "auto" && gpu_here);
  return {o.task->work(), o.task->memory(on_gpu ? torch::kCUDA : torch::kCPU), on_gpu};
}

Room room_now() { return {available_memory(), gpu_memory()}; }

Room beside(Room room, const Demand& running) {
  int64_t& left = running.on_gpu ? room.gpu : room.host;
  if (left != Room::unknown) left = std::max<int64_t>(0, left - running.bytes);
  return room;
}

bool fits(const Demand& demand, const Room& room) {
  const int64_t left = of(room, demand);
  return demand.bytes == 0 || left == Room::unknown || demand.bytes <= left;
}

std::string why_not(const Demand& demand, const Room& room) {
  return fmt::format("needs about {} of {}memory, and {} are available", in_gibibytes(demand.bytes),
                     demand.on_gpu ? "GPU " : "", in_gibibytes(of(room, demand)));
}

std::vector<Waiting> take_unfitting(std::vector<Waiting>& waiting, const Room& room) {
  std::vector<Waiting> out;
  for (Waiting& w : waiting)
    if (w.regardless && !fits(w.demand, room)) w.demand.bytes = of(room, w.demand);
  const auto kept = std::stable_partition(waiting.begin(), waiting.end(),
                                          [&](const Waiting& w) { return fits(w.demand, room); });
  out.assign(kept, waiting.end());
  waiting.erase(kept, waiting.end());
  return out;
}

void longest_first(std::vector<Waiting>& runs) {
  std::stable_sort(runs.begin(), runs.end(),
                   [](const Waiting& a, const Waiting& b) { return a.demand.work > b.demand.work; });
}

std::optional<std::size_t> next_to_start(const std::vector<Waiting>& waiting, const Room& left) {
  for (std::size_t i = 0; i < waiting.size(); ++i)
    if (fits(waiting[i].demand, left)) return i;
  return std::nullopt;
}

}  // namespace attnlab
