// Whether what a finished run rests on is still there as it was.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "run/folder.h"
#include "run/plan.h"

namespace attnlab {

/// Compares recorded checksums with those of now. Each input is read once, however many runs rest on it.
class InputCheck {
 public:
  /// "", or what has changed, in words: "the model in FOLDER has changed". Inputs that cannot be read now, as
  /// on another machine, and those of which the record knows no checksum are taken for unchanged.
  std::string changed(const PlannedRun& run, const RunRecord& record);

 private:
  std::optional<std::string> checksum_now(const Input& input);
  std::map<std::string, std::optional<std::string>> known_;
};

/// As state_of the folder, but a run that is done, and whose inputs have changed since, is `stale`, and
/// `error` says what changed.
RunState state_of(const PlannedRun& run, InputCheck& check);

}  // namespace attnlab
