// Starting over without losing the old result before there is a new one: it waits in previous/. A kill at any
// moment leaves either the old result whole or, once it is of no use any more, nothing of it; the next
// session repairs the rest.
#pragma once

#include "run/folder.h"

namespace attnlab {

/// Finishes or undoes what a kill interrupted in one of the functions below. Call with the lock held, before
/// anything in the folder is looked at.
void repair(const RunFolder& folder);

/// For starting over: moves what a run wrote, all but the lock, which the caller holds, into previous/, so
/// that a start that is refused can put it back. Where previous/ holds a result already, the run in the
/// folder is a fresh start that was killed: that one is removed instead. Throws UserError where the folder
/// holds something that no run writes.
void set_aside(const RunFolder& folder);
/// Undoes set_aside; what a run wrote since is removed.
void put_back(const RunFolder& folder);
/// Removes what set_aside kept.
void forget_previous(const RunFolder& folder);

}  // namespace attnlab
