#include "run/inputs.h"

#include <variant>

#include "core/error.h"

namespace attnlab {
namespace {

/// Before schema version 2 the checksum of large weights was of samples.
constexpr int64_t first_comparable_schema = 2;

const Value* attribute_of(const RunRecord& record, const std::string& name) {
  const auto found = record.attributes.find(name);
  return found == record.attributes.end() ? nullptr : &found->second;
}

bool is_comparable(const RunRecord& record) {
  const Value* version = attribute_of(record, "schema_version");
  const int64_t* number = version ? std::get_if<int64_t>(version) : nullptr;
  return number && *number >= first_comparable_schema;
}

/// Those that the task would read now; none where that cannot be said, for want of a model's folder for one.
std::vector<Input> inputs_of(const PlannedRun& run) {
  try {
    return run.options.task->inputs(context_of(run, torch::kCPU));
  } catch (const UserError&) {
    return {};
  }
}

}  // namespace

std::optional<std::string> InputCheck::checksum_now(const Input& input) {
  const auto [place, fresh] = known_.emplace(input.name + " " + input.key, std::nullopt);
  if (!fresh) return place->second;
  try {
    place->second = input.checksum();
  } catch (const UserError&) {
  } catch (const RunError&) {
  }
  return place->second;
}

std::string InputCheck::changed(const PlannedRun& run, const RunRecord& record) {
  if (!is_comparable(record)) return "";
  std::string words;
  bool several = false;
  for (const Input& input : inputs_of(run)) {
    const Value* recorded = attribute_of(record, input.name + "_checksum");
    const auto* before = recorded ? std::get_if<std::string>(recorded) : nullptr;
    const auto now = before ? checksum_now(input) : std::nullopt;
    if (!now || *now == *before) continue;
    several = !words.empty() || input.name.ends_with('s') || input.name == "data";
    words += fmt::format("{}the {} in {}", words.empty() ? "" : " and ", input.name, input.place);
  }
  return words.empty() ? "" : words + (several ? " have changed" : " has changed");
}

RunState state_of(const PlannedRun& run, InputCheck& check) {
  RunState state = state_of(RunFolder{run.folder});
  if (state.status != "done" || !state.record) return state;
  const std::string changed = check.changed(run, *state.record);
  if (changed.empty()) return state;
  state.status = "stale";
  state.error = changed + " since this run was done; --fresh does it again";
  return state;
}

}  // namespace attnlab
