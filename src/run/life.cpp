#include "run/life.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <set>

#include "cache/cache_options.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "kernels/causal_luna.h"
#include "kernels/sdpa.h"
#include "results/reader.h"
#include "results/record_file.h"
#include "run/attributes.h"
#include "run/device.h"
#include "run/exit.h"
#include "run/folder.h"
#include "run/gpu.h"
#include "run/inputs.h"
#include "run/machine.h"
#include "run/previous.h"
#include "run/profile.h"
#include "run/several.h"
#include "tables/numbers.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// What an earlier session left.
struct Before {
  bool recorded = false;
  std::string status;
  double seconds = 0;
  int64_t sessions = 0;
  RunRecord record;
};

/// Of a list "a, b".
std::set<std::string> names_in(const std::string& list) {
  std::set<std::string> names;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(", ", begin), list.size());
    names.insert(list.substr(begin, end - begin));
    begin = end + 2;
  }
  return names;
}

Before look_back(const RunFolder& folder) {
  Before before;
  if (!fs::exists(folder.record())) return before;
  before.record = read_run(folder.record());
  before.status = before.record.status();
  before.recorded = before.status != "skipped";  // by a sweep, before any start
  before.seconds = before.record.attribute("seconds", 0.0);
  before.sessions = before.record.attribute<int64_t>("sessions");
  return before;
}

/// Stops where what is there already, a result or a checkpoint, rests on inputs that have changed since. Says
/// which of a result's cannot be compared.
void refuse_changed_inputs(const PlannedRun& run, const Before& before) {
  const bool done = before.status == "done";
  if (!before.recorded || !(done || fs::exists(RunFolder{run.folder}.checkpoint()))) return;
  const auto [changed, unreadable] = InputCheck().compare(run, before.record);
  if (done && !unreadable.empty())
    log_info("what run {} rests on cannot be compared: {}", run.id, unreadable);
  if (changed.empty()) return;
  user_error("{} since run {} {} ({}); --fresh {}", changed, run.id, done ? "was done" : "began",
             run.folder.string(), done ? "does it again" : "starts it over");
}

/// The lowest folder above a run that exists now; what lies between is removed again where the start is
/// refused.
fs::path existing_parent(fs::path path) {
  path = fs::absolute(path);
  while (!fs::exists(path)) path = path.parent_path();
  return path;
}

void warn_of_unfinished(const fs::path& init_from) {
  const RunFolder folder{init_from};
  if (!fs::is_directory(init_from) || !fs::exists(folder.record())) return;
  if (const std::string status = state_of(folder).status; status != "done")
    log_info("warning: init_from: the run in {} is {}: its weights are not those of a finished run",
             init_from.string(), status);
}

void announce(const PlannedRun& run, const Before& before) {
  const std::string what = run.name.empty() ? run.experiment : run.experiment + " (" + run.name + ")";
  if (!before.recorded)
    log_info("{}: run {} in {}", what, run.id, run.folder.string());
  else
    log_info("{}: resuming run {}, which was {}, in {}", what, run.id,
             before.status == "running" ? "killed" : before.status, run.folder.string());
}

/// One session of a run, from the record's first attribute to its last.
class Session {
 public:
  Session(const PlannedRun& run, const Before& before, const LifeOptions& options)
      : run_(run), before_(before), argv_(options.argv), folder_{run.folder} {}

  /// Records everything known before the start.
  void begin(torch::Device device, int threads, int processes) {
    write_atomically(folder_.config(), run_.yaml);
    record_ = open_record(run_.folder);
    if (before_.sessions == 0) record_->attribute("started", iso_now());
    write_attributes(*record_, run_, argv_, device, threads);
    record_->attribute("processes", int64_t{processes});
    record_->attribute("sessions", before_.sessions + 1);
    on_gpu_ = device.is_cuda();
    record_->attribute("status", std::string("running"));
    record_->attribute("error", std::string());
    for (const Table& table : run_.options.task->tables()) record_->define(table);
    record_->flush();
  }

  void work(torch::Device device) {
    const StepProfiler profiler(run_.options.profile, device.is_cuda(), folder_.trace());
    run_.options.task->run(context_of(run_, device), *record_);
  }

  /// Records the end. Throws what the disk throws.
  void end(const std::string& status, const std::string& error) {
    if (!record_) return;
    // At once: a GPU that has nothing to do lowers its clocks within seconds.
    record_->attribute("gpu_state_end", on_gpu_ ? gpu_state().words() : "");
    record_->attribute("finished", iso_now());
    with_earlier_sessions("states", kinds_of_states_made());
    with_earlier_sessions("causal_luna", causal_luna_forms_run());
    with_earlier_sessions("sdpa", sdpa_forms_run());
    record_->attribute("seconds", before_.seconds + seconds());
    record_->attribute("error", error);
    record_->attribute("status", status);
    record_->flush();
  }

  /// Closes the record, so that its folder can be removed.
  void abandon() { record_.reset(); }

  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  /// Records names that this process has gathered, "a, b", beside those of the sessions before, which made
  /// the rest of the run's figures.
  void with_earlier_sessions(const std::string& name, const std::string& now) {
    std::set<std::string> all;
    for (const std::string& names : {before_.record.attribute<std::string>(name), now})
      all.merge(names_in(names));
    record_->attribute(name, fmt::format("{}", fmt::join(all, ", ")));
  }

  const PlannedRun& run_;
  const Before& before_;
  const std::vector<std::string>& argv_;
  RunFolder folder_;
  bool on_gpu_ = false;
  Clock::time_point start_ = Clock::now();
  std::unique_ptr<RecordSink> record_;
};

/// The headline figures of a run that is done.
void tell_figures(const PlannedRun& run) {
  const RunRecord record = read_run(run.folder / "run.h5");
  for (const Headline& h : run.options.task->headlines()) {
    const auto found = record.summaries.find(h.name);
    if (found == record.summaries.end()) continue;
    const Summary& figure = found->second;
    log_info("  {} {}{} (n {}): {}", h.name, with_uncertainty(figure.value, figure.standard_error),
             h.unit == "1" ? "" : " " + h.unit, figure.n, h.meaning);
  }
}

/// Says how it ended. The record comes first, because the words may be all that a full disk leaves room for.
void tell(const PlannedRun& run, const Outcome& outcome, double seconds) {
  if (outcome.status == "done") {
    tell_figures(run);
    log_info("done in {:.1f} s: {}", seconds, run.folder.string());
  } else if (outcome.status == "interrupted") {
    log_info("{}; the same command resumes it", outcome.error);
  } else {
    log_error("{}: {}", outcome.status == "diverged" ? "diverged" : "error", outcome.error);
  }
}

/// A mistake of the user found by the task before it had done anything: leaves no trace.
void undo_start(const RunFolder& folder, const fs::path& existing) {
  if (fs::exists(folder.previous()))  // also where an earlier fresh start was killed
    put_back(folder);
  else
    remove_folder(folder, existing);
}

int finish(Session& session, const PlannedRun& run, const Before& before, const Outcome& outcome) {
  // A mistake of the user leaves an interrupted run as resumable as it was.
  const bool mistake = outcome.exit_status == exit_user;
  const bool resumable =
      mistake && before.recorded && (before.status == "running" || before.status == "interrupted");
  try {
    session.end(resumable ? "interrupted" : outcome.status, outcome.error);
  } catch (const std::exception& e) {
    log_error("error: the run's status could not be recorded: {}", e.what());
    if (outcome.exit_status == exit_done) return exit_failed;
  }
  tell(run, outcome, session.seconds());
  return outcome.exit_status;
}

}  // namespace

int live(const PlannedRun& run, const LifeOptions& options, Ranks& ranks) {
  refuse_disagreement(run, ranks);
  if (ranks.rank() > 0) return follow(run, ranks);
  const Following others(ranks);
  const torch::Device device = choose_device(run.options.device);
  const int threads = set_threads(run.options.threads, ranks.local_size());
  const RunFolder folder{run.folder};
  const fs::path existing = existing_parent(run.folder);
  const FileLock lock = lock_folder(folder);
  repair(folder);

  if (options.fresh) set_aside(folder);
  const Before before = look_back(folder);
  refuse_changed_inputs(run, before);
  if (before.status == "done") {
    log_info("run {} is done already: {} (--fresh does it again)", run.id, run.folder.string());
    return exit_done;
  }
  log_to(folder.log());
  announce(run, before);
  warn_of_unfinished(run.options.init_from);

  Session session(run, before, options);
  std::exception_ptr error;
  try {
    session.begin(device, threads, ranks.size());
    session.work(device);
  } catch (...) {
    error = std::current_exception();
  }
  const Outcome outcome = outcome_of(error);
  if (outcome.exit_status == exit_user && !before.recorded && !fs::exists(folder.checkpoint())) {
    session.abandon();
    undo_start(folder, existing);
    std::rethrow_exception(error);
  }
  const int status = finish(session, run, before, outcome);
  if (outcome.status == "done") forget_previous(folder);
  return status;
}

}  // namespace attnlab
