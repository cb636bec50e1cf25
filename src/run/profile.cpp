#include "run/profile.h"

#include <torch/csrc/autograd/profiler_kineto.h>

#include <cstdlib>
#include <set>
#include <tuple>
#include <utility>

#include "core/log.h"
#include "core/steps.h"

namespace attnlab {
namespace {

namespace profiler = torch::autograd::profiler;
using torch::profiler::impl::ActivityType;
using torch::profiler::impl::ProfilerConfig;
using torch::profiler::impl::ProfilerState;

}  // namespace

StepProfiler::StepProfiler(const ProfileOptions& options, bool cuda, std::filesystem::path trace)
    : cuda_(cuda), trace_(std::move(trace)) {
  const auto range = options.range();
  if (!range) return;
  std::tie(first_, last_) = *range;
  observe_steps([this](int64_t step) { at(step); });
}

StepProfiler::~StepProfiler() {
  if (last_ < first_) return;
  observe_steps({});
  try {
    if (tracing_) stop();
  } catch (const std::exception& e) {
    log_info("the trace was not written: {}", e.what());
  }
}

void StepProfiler::at(int64_t step) {
  if (!tracing_ && step >= first_ && step <= last_) start();
  if (tracing_ && step > last_) stop();
}

void StepProfiler::start() {
  const ProfilerConfig config(ProfilerState::KINETO, /*report_input_shapes=*/true, /*profile_memory=*/true);
  std::set<ActivityType> activities{ActivityType::CPU};
  if (cuda_) activities.insert(ActivityType::CUDA);
  if (!cuda_) ::setenv("KINETO_LOG_LEVEL", "5", 0);  // it reports the absence of a CUDA device as an error
  profiler::prepareProfiler(config, activities);
  profiler::enableProfiler(config, activities);
  tracing_ = true;
}

void StepProfiler::stop() {
  tracing_ = false;
  profiler::disableProfiler()->save(trace_.string());
  log_info("steps {}-{} are traced in {}: open it at ui.perfetto.dev or in chrome://tracing", first_, last_,
           trace_.string());
}

}  // namespace attnlab
