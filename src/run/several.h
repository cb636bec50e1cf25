// A run that several processes do together: what holds outside of training (train/ranks.h).
#pragma once

#include <functional>

#include "run/plan.h"
#include "train/ranks.h"

namespace attnlab {

/// Does `work` as one of the processes that were started together, and takes leave of the others. Returns the
/// highest exit status of all. What one of them throws is thrown by the first where that failed too, and is
/// else a sentence of its own; the others are then ended within seconds, whatever they wait for.
int as_one_of_several(const std::function<int(Ranks&)>& work);

/// Throws UserError where the processes were given different runs, programs of different commits, or a run
/// whose task they cannot share.
void refuse_disagreement(const PlannedRun& run, Ranks& ranks);

/// Where the first ends before its training begins: tells the others, which wait in `follow`, to leave.
class Following {
 public:
  explicit Following(Ranks& ranks) : ranks_(ranks) {}
  Following(const Following&) = delete;
  ~Following() { ranks_.release(false); }

 private:
  Ranks& ranks_;
};

/// What all but the first do: its part of the training, into no folder and no record. Returns the exit
/// status.
int follow(const PlannedRun& run, Ranks& ranks);

}  // namespace attnlab
