// Loops say when a step begins, so that a profiler can watch some of them without the loop knowing of
// profilers.
#pragma once

#include <cstdint>
#include <functional>

namespace attnlab {

/// Called before each step with its number, counted from 1. One observer at a time; an empty one ends it.
void observe_steps(std::function<void(int64_t)> observer);

/// A loop is about to do this step.
void step_begins(int64_t step);

}  // namespace attnlab
