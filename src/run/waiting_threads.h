// How threads wait for each other.
#pragma once

namespace attnlab {

/// Names this file's object, so that the linker takes in what runs before main: see waiting_threads.cpp.
void keep_waiting_short();

}  // namespace attnlab
