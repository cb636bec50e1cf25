// What is recorded about a run before it starts: enough to repeat it and to judge its figures.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "core/record.h"
#include "run/plan.h"

namespace attnlab {

/// Root attributes of run.h5 (results/README.md lists them): configuration, source, machine, versions.
void write_attributes(RecordSink& record, const PlannedRun& run, const std::vector<std::string>& argv,
                      torch::Device device, int threads);

/// Words as one line for a shell, quoted where needed.
std::string shell_line(const std::vector<std::string>& words);

}  // namespace attnlab
