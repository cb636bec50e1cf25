// The life of one run: folder, lock, record, task, exit status.
#pragma once

#include <string>
#include <vector>

#include "run/plan.h"
#include "train/ranks.h"

namespace attnlab {

struct LifeOptions {
  bool fresh = false;             ///< start over rather than resume or leave a finished run alone
  std::vector<std::string> argv;  ///< recorded with the run
};

/// Does the run, or resumes it, or says that it is done. Returns the exit status of the process: 0 done, 1
/// failed, 2 the user's mistake, 128 + signal interrupted. Whatever happens to the task ends in the record's
/// `status`. Throws UserError, with nothing written, for what can be refused before the start: another
/// process works on the folder, a record of a newer schema, a device that is absent.
/// Where several processes do the run together (train/ranks.h) all call this; folder, lock and record are the
/// first's, and the status is that of them all. Throws UserError where they were given different runs, or one
/// that cannot be shared.
int live(const PlannedRun& run, const LifeOptions& options, Ranks& ranks = join_ranks());

}  // namespace attnlab
