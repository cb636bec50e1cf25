// Options of one run: everything that stands in a configuration file. The chosen task's own keys stand beside
// these.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "core/options.h"
#include "tasks/task.h"

namespace attnlab {

/// `profile: {steps: A-B}`.
struct ProfileOptions {
  std::string steps;  ///< "A-B", both included; "": no trace

  void visit(Fields& f);
  /// First and last training step to trace; nothing when no trace is asked for.
  std::optional<std::pair<int64_t, int64_t>> range() const;
};

struct RunOptions {
  int64_t seed = 1;
  std::string device = "auto";
  int64_t threads = 0;
  int64_t limit = 0;
  std::string init_from;
  std::string results_folder;
  std::string data_folder;
  ProfileOptions profile;
  Choice<TaskOptions> task;

  void visit(Fields& f);

  /// Where runs are kept: the key, else $ATTNLAB_RESULTS, else `results`.
  std::filesystem::path results() const;
  /// Where data sets are: the key, else $ATTNLAB_DATA, else `.data`.
  std::filesystem::path data() const;
  /// The places of the data sets under data().
  DataPlace data_place() const;
};

}  // namespace attnlab
