#include "run/inputs.h"

#include "core/error.h"

namespace attnlab {
namespace {

/// Before schema version 2 the checksum of large weights was of samples.
constexpr int64_t first_comparable_schema = 2;

bool is_comparable(const RunRecord& record) {
  return record.attribute<int64_t>("schema_version") >= first_comparable_schema;
}

}  // namespace

const InputCheck::Now& InputCheck::now(const Input& input) {
  const auto [place, fresh] = known_.emplace(input.name + " " + input.key, Now{});
  if (!fresh) return place->second;
  try {
    place->second.checksum = input.checksum();
  } catch (const UserError& e) {
    place->second.error = e.what();
  } catch (const RunError& e) {
    place->second.error = e.what();
  }
  return place->second;
}

InputChange InputCheck::compare(const PlannedRun& run, const RunRecord& record) {
  InputChange change;
  if (!is_comparable(record)) return change;
  std::vector<Input> inputs;
  try {
    inputs = run.options.task->inputs(context_of(run, torch::kCPU));
  } catch (const UserError& e) {
    change.unreadable = e.what();
  }
  bool several = false;
  for (const Input& input : inputs) {
    const auto before = record.attribute<std::string>(input.name + "_checksum");
    if (before.empty()) continue;
    const Now& found = now(input);
    if (!found.error.empty()) change.unreadable = found.error;
    if (!found.error.empty() || found.checksum == before) continue;
    several = !change.changed.empty() || input.name.ends_with('s') || input.name == "data";
    change.changed +=
        fmt::format("{}the {} in {}", change.changed.empty() ? "" : " and ", input.name, input.place);
  }
  if (!change.changed.empty()) change.changed += several ? " have changed" : " has changed";
  return change;
}

RunState state_of(const PlannedRun& run, InputCheck& check) {
  RunState state = state_of(RunFolder{run.folder});
  if (state.status != "done" || !state.record) return state;
  const std::string changed = check.compare(run, *state.record).changed;
  if (changed.empty()) return state;
  state.status = "stale";
  state.error = changed + " since this run was done; --fresh does it again";
  return state;
}

}  // namespace attnlab
