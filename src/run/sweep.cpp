// attnlab sweep: the runs of an experiment as child processes, some at a time.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>
#include <thread>

#include "core/error.h"
#include "core/log.h"
#include "core/stop.h"
#include "results/record_file.h"
#include "run/attributes.h"
#include "run/child.h"
#include "run/commands.h"
#include "run/device.h"
#include "run/exit.h"
#include "run/folder.h"
#include "run/gpu.h"
#include "run/inputs.h"
#include "run/machine.h"
#include "run/plan.h"
#include "run/schedule.h"
#include "run/skip.h"
#include "train/ranks.h"

namespace attnlab {
namespace {

constexpr auto kLookInterval = std::chrono::milliseconds(50);

struct Running {
  const PlannedRun* run;
  Demand demand;
  Child child;
  int64_t oom_kills_before;
};

std::string title(const PlannedRun& run) {
  return fmt::format("[{}] {}{}", run.index, run.id, run.name.empty() ? "" : " " + run.name);
}

/// Processes that the kernel has killed for want of memory since the machine started.
int64_t oom_kills() {
  std::ifstream in("/proc/vmstat");
  std::string key;
  for (int64_t value = 0; in >> key >> value;)
    if (key == "oom_kill") return value;
  return 0;
}

/// Whether a sweep does this run, given what its folder says. A skipped one may fit now.
bool wanted(const RunState& state, bool retry_failed) {
  if (state.status == "not started" || state.status == "interrupted" || state.status == "skipped")
    return true;
  for (const char* left_alone : {"done", "stale", "running", "unreadable"})
    if (state.status == left_alone) return false;
  return retry_failed;
}

std::vector<std::string> child_arguments(const Target& target, const PlannedRun& run, int64_t jobs) {
  std::vector<std::string> words{"run", target.config.string(), "--index", std::to_string(run.index), "--id",
                                 run.id};
  words.insert(words.end(), target.overrides.begin(), target.overrides.end());
  if (jobs > 1 && run.options.threads == 0)
    words.push_back(fmt::format("threads={}", std::max<int64_t>(1, this_machine().cores / jobs)));
  return words;
}

/// The kernel leaves a process that it kills no time to record why, so it is done here.
void record_oom_kill(const PlannedRun& run) {
  const RunFolder folder{run.folder};
  const std::string error = "out of memory: the kernel killed the process";
  log_info("{}: {}", title(run), error);
  if (!std::filesystem::exists(folder.record())) return;
  const FileLock lock = lock_folder(folder);
  const auto record = open_record(run.folder);
  record->attribute("error", error);
  record->attribute("status", std::string("out_of_memory"));
  record->flush();
}

void conclude(Running& ended) {
  const int status = ended.child.exit_status();
  if (status == 128 + SIGKILL && oom_kills() > ended.oom_kills_before) {
    record_oom_kill(*ended.run);
    return;
  }
  const std::string last = ended.child.last_line();
  if (status == exit_done)
    log_info("{}: done", title(*ended.run));
  else
    log_info("{}: exit status {}{}", title(*ended.run), status, last.empty() ? "" : ": " + last);
}

/// The runs of a sweep, `jobs` at a time and no more than memory holds, each in a child process.
class Children {
 public:
  Children(const Target& target, std::vector<Waiting> todo, const SweepOptions& options)
      : target_(target), waiting_(std::move(todo)), jobs_(options.jobs), count_(waiting_.size()) {
    if (!options.in_order) longest_first(waiting_);
    skip(take_unfitting(waiting_, room_));
  }

  /// Runs them all, or until a stop is asked for; then every child is told, and waited for.
  void run() {
    bool told = false;
    while (!waiting_.empty() || !running_.empty()) {
      if (stop_requested() && !told) {
        for (const auto& r : running_) r.child.signal(stop_requested());
        told = true;
      }
      if (told && running_.empty()) return;
      if (!told) start_what_fits();
      conclude_ended();
      std::this_thread::sleep_for(kLookInterval);
    }
  }

 private:
  void start_what_fits() {
    if (running_.empty()) {
      room_ = room_now();
      if (!next_to_start(waiting_, room_)) skip(take_unfitting(waiting_, room_));
    }
    Room left = room_;
    for (const Running& r : running_) left = beside(left, r.demand);
    while (static_cast<int64_t>(running_.size()) < jobs_) {
      const auto next = next_to_start(waiting_, left);
      if (!next) return;
      const Waiting one = waiting_[*next];
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(*next));
      log_info("{}: starting ({} of {})", title(*one.run), ++handled_, count_);
      running_.push_back(
          {one.run, one.demand, Child(child_arguments(target_, *one.run, jobs_), jobs_ > 1), oom_kills()});
      left = beside(left, one.demand);
    }
  }

  void conclude_ended() {
    for (auto r = running_.begin(); r != running_.end();) {
      if (!r->child.ended()) {
        ++r;
        continue;
      }
      conclude(*r);
      r = running_.erase(r);
    }
  }

  void skip(const std::vector<Waiting>& unfitting) {
    for (const Waiting& w : unfitting) {
      const std::string reason = why_not(w.demand, room_);
      log_info("{}: skipped ({} of {}): {}; --retry-failed tries it nonetheless", title(*w.run), ++handled_,
               count_, reason);
      std::vector<std::string> argv{"attnlab", "sweep", target_.config.string()};
      argv.insert(argv.end(), target_.overrides.begin(), target_.overrides.end());
      record_skip(*w.run, reason, w.demand.on_gpu, argv);
    }
  }

  const Target& target_;
  std::vector<Waiting> waiting_;
  std::vector<Running> running_;
  const int64_t jobs_;
  const std::size_t count_;
  std::size_t handled_ = 0;
  Room room_ = room_now();  ///< looked at anew whenever nothing runs
};

/// Counts by status in the end, and the command to see more.
int summarise(const Target& target, const std::vector<const PlannedRun*>& runs) {
  std::map<std::string, int> counts;
  InputCheck check;
  for (const auto* run : runs) ++counts[state_of(*run, check).status];
  std::string words;
  for (const auto& [status, count] : counts)
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", count, status);
  std::vector<std::string> command = {"attnlab", "list", target.config.string()};
  command.insert(command.end(), target.overrides.begin(), target.overrides.end());
  log_info("{} runs: {}; `{}` shows them", runs.size(), words, shell_line(command));
  if (stop_requested()) return 128 + stop_requested();
  return counts["done"] == static_cast<int>(runs.size()) ? exit_done : exit_failed;
}

}  // namespace

int sweep_command(const Target& target, const SweepOptions& options) {
  if (const int started = ranks_started(); started > 1)
    user_error(
        "{} processes were started together, which can share one run and no sweep: attnlab run --index",
        started);
  std::signal(SIGCHLD, SIG_DFL);  // whoever started this may ignore it: then children cannot be waited for
  const Plan plan = plan_experiment(target.config, target.overrides);
  const int64_t count = static_cast<int64_t>(plan.runs.size());
  if (options.index && *options.index >= count)
    user_error("--index {}: {} has runs 0 to {}", *options.index, target.config.string(), count - 1);
  std::vector<const PlannedRun*> chosen;
  std::vector<Waiting> todo;
  const bool gpu_here = !gpu_name().empty() && choose_device("auto").is_cuda();
  InputCheck check;
  for (const auto& run : plan.runs)
    if (!options.index || *options.index == run.index) chosen.push_back(&run);
  for (const auto* run : chosen) {
    const RunState state = state_of(*run, check);
    if (wanted(state, options.retry_failed))
      todo.push_back({run, demand_of(*run, gpu_here), options.retry_failed && state.status == "skipped"});
    else
      log_info("{}: {}{}", title(*run), state.status, state.error.empty() ? "" : ": " + state.error);
  }
  Children(target, std::move(todo), options).run();
  return summarise(target, chosen);
}

}  // namespace attnlab
