// Whether what a finished run rests on is still there as it was.
#pragma once

#include <map>
#include <string>

#include "run/folder.h"
#include "run/plan.h"

namespace attnlab {

/// What comparing with now says; both empty where nothing has changed.
struct InputChange {
  std::string changed;  ///< "the model in FOLDER has changed"
  std::string
      unreadable;  ///< why an input cannot be compared: it is not here, as on another machine, or not usable
};

/// Compares recorded checksums with those of now. Each input is read once, however many runs rest on it.
/// Inputs of which the record knows no checksum are not compared.
class InputCheck {
 public:
  InputChange compare(const PlannedRun& run, const RunRecord& record);

 private:
  struct Now {
    std::string checksum, error;
  };
  const Now& now(const Input& input);
  std::map<std::string, Now> known_;
};

/// As state_of the folder, but a run that is done, and whose inputs have changed since, is `stale`, and
/// `error` says what changed.
RunState state_of(const PlannedRun& run, InputCheck& check);

}  // namespace attnlab
