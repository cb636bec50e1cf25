#include "run/several.h"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "core/error.h"
#include "core/log.h"
#include "core/shown.h"
#include "run/device.h"
#include "run/exit.h"
#include "run/version.h"

namespace attnlab {
namespace {

constexpr double patience_seconds = 3;  // with those that do not hear of a failure
constexpr double for_ever = 1e300;

/// A record of those who keep none.
class NoRecord final : public RecordSink {
 public:
  void define(const Table&) override {}
  void append(std::string_view, std::span<const Value>) override {}
  int64_t rows(std::string_view) const override { return 0; }
  void truncate(std::string_view, int64_t) override {}
  void store(const Array&) override {}
  void summarise(const Summary&) override {}
  void attribute(std::string_view, const Value&) override {}
  void flush() override {}
};

/// Ends all where some do not hear that this one has failed.
[[noreturn]] void end_all(Ranks& ranks, const std::string& error, int status) {
  if (!error.empty())
    std::fprintf(stderr, "error: process %d of %d: %s\n", ranks.rank() + 1, ranks.size(),
                 printable(error).c_str());
  std::fflush(nullptr);
  ranks.abort(status);
  std::_Exit(status);
}

}  // namespace

int as_one_of_several(const std::function<int(Ranks&)>& work) {
  Ranks& ranks = join_ranks();
  if (ranks.rank() > 0) log_errors_alone();
  std::exception_ptr error;
  int status = exit_done;
  try {
    status = work(ranks);
  } catch (...) {
    error = std::current_exception();
    status = outcome_of(error).exit_status;
  }
  const std::string said = outcome_of(error).error;
  if (!ranks.part(status, status == exit_done ? for_ever : patience_seconds)) end_all(ranks, said, status);
  if (error && ranks.rank() == 0) std::rethrow_exception(error);
  return status;
}

void refuse_disagreement(const PlannedRun& run, Ranks& ranks) {
  if (ranks.size() == 1) return;
  const std::string mine = run.yaml + git_commit();
  std::string firsts = mine;
  ranks.broadcast(firsts, 0);
  std::array<double, 1> differs{mine == firsts ? 0.0 : ranks.rank()};
  ranks.largest(differs);
  if (differs[0] > 0)
    user_error(
        "process {} of {} was given another configuration than the first, or is another build of the "
        "program: one command starts them all",
        static_cast<int>(differs[0]) + 1, ranks.size());
  if (!run.options.task->shares_training())
    user_error("task: {} is no training that {} processes can share: start one", run.options.task.name(),
               ranks.size());
}

int follow(const PlannedRun& run, Ranks& ranks) {
  if (!ranks.released()) return exit_done;
  const torch::Device device = choose_device(run.options.device, ranks.local_rank());
  set_threads(run.options.threads, ranks.local_size());
  NoRecord record;
  try {
    run.options.task->run(context_of(run, device), record);
  } catch (const Dismissed&) {
  }
  return exit_done;
}

}  // namespace attnlab
