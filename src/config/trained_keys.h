// The keys that name what another run has trained.
#pragma once

namespace attnlab {

inline constexpr const char* trained_keys[] = {"model", "init_from", "start_from"};

}  // namespace attnlab
