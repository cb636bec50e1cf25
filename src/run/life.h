// The life of one run: folder, lock, record, task, exit status.
#pragma once

#include <string>
#include <vector>

#include "run/plan.h"

namespace attnlab {

struct LifeOptions {
  bool fresh = false;             ///< start over rather than resume or leave a finished run alone
  std::vector<std::string> argv;  ///< recorded with the run
};

/// Does the run, or resumes it, or says that it is done. Returns the exit status of the process: 0 done, 1
/// failed, 2 the user's mistake, 128 + signal interrupted. Whatever happens to the task ends in the record's
/// `status`. Throws UserError, with nothing written, for what can be refused before the start: another
/// process works on the folder, a record of a newer schema, a device that is absent.
int live(const PlannedRun& run, const LifeOptions& options);

}  // namespace attnlab
