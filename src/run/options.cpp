#include "run/options.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace attnlab {
namespace {

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::filesystem::path folder(const std::string& key, const char* variable, const char* otherwise) {
  if (!key.empty()) return key;
  const char* value = std::getenv(variable);
  return value && *value ? value : otherwise;
}

}  // namespace

std::optional<std::pair<int64_t, int64_t>> ProfileOptions::range() const {
  const std::size_t dash = steps.find('-');
  if (steps.empty() || dash == std::string::npos) return std::nullopt;
  const auto first = whole_number(std::string_view(steps).substr(0, dash));
  const auto last = whole_number(std::string_view(steps).substr(dash + 1));
  if (!first || !last || *first < 1 || *last < *first) return std::nullopt;
  return std::pair(*first, *last);
}

void ProfileOptions::visit(Fields& f) {
  f("steps", steps, OneOf{},
    no_effect(
        "training steps A-B (both included, counted from 1) to trace into trace.json in the run's folder, "
        "which Perfetto and chrome://tracing open; empty: none"));
  f.require(steps.empty() || range().has_value(), "steps",
            "must be two steps A-B with 1 <= A <= B, such as 5-10");
}

void RunOptions::visit(Fields& f) {
  f("seed", seed, Range{0, 9007199254740992.0}, "everything random in the run derives from it");
  f("device", device, OneOf{{"auto", "cpu", "cuda"}},
    "auto: CUDA where there is a device that works, else the CPU");
  f("threads", threads, Range{0, 4096}, no_effect("threads on the CPU; 0: all cores"));
  f("limit", limit, Range{0, 1e15},
    "evaluate on the first N examples only, and say so in the results; 0: all");
  f("init_from", init_from, OneOf{},
    "a run's folder or a safetensors file whose weights to start from, or EXPERIMENT.yaml#ROW, the run in "
    "that row as `attnlab list` shows it, of the same seed where there is one; empty: none");
  f("results_folder", results_folder, OneOf{},
    no_effect("where the folders of runs are; empty: $ATTNLAB_RESULTS, else results"));
  f("data_folder", data_folder, OneOf{},
    no_effect("where the data sets are; empty: $ATTNLAB_DATA, else .data"));
  f("profile", profile, no_effect("a trace of some training steps"));
  f.spread("task", task, required("what the run does; its keys stand beside this one"));
  f.require(!task->only_evaluates() || !init_from.empty(), "train",
            "none only evaluates, and needs init_from, the weights to evaluate");
}

std::filesystem::path RunOptions::results() const {
  return folder(results_folder, "ATTNLAB_RESULTS", "results");
}
std::filesystem::path RunOptions::data() const { return folder(data_folder, "ATTNLAB_DATA", ".data"); }
DataPlace RunOptions::data_place() const { return {data(), data() / "prepared"}; }

}  // namespace attnlab
