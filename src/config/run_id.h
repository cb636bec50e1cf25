// A run's id: a short hash over the options that can change a result and differ from their defaults. A new
// option with a default, or a change of paths, threads or logging, leaves the ids of old runs as they were.
#pragma once

#include <functional>
#include <string>
#include <type_traits>

#include "core/options.h"

namespace attnlab {

/// Raise this when the default of an option that can change a result changes: runs made with the old default
/// then keep ids of their own, and so do all others. Where few runs can have the option, `changed_defaults`
/// in run_id.cpp spares the rest.
inline constexpr int defaults_version = 1;

/// What the id is a hash of: lines "path=value", after a line with the version. `defaults` visits options as
/// constructed.
std::string id_lines(const std::function<void(Fields&)>& visit, const std::function<void(Fields&)>& defaults);

/// The first ten hexadecimal digits of the lines' SHA-256.
std::string id_of_lines(const std::string& lines);

template <class Options>
std::string run_id(Options&& options) {
  std::remove_cvref_t<Options> defaults;
  return id_of_lines(id_lines([&](Fields& f) { options.visit(f); }, [&](Fields& f) { defaults.visit(f); }));
}

}  // namespace attnlab
