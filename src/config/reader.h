// From a tree to options, everything checked.
#pragma once

#include <functional>

#include "config/yaml_source.h"
#include "core/options.h"

namespace attnlab {

/// Fills the fields that `visit` names from `config`; what is absent keeps its value. Throws one UserError
/// with a line for each thing that is wrong: "file:line: key.path: sentence".
void read_fields(const Config& config, const std::function<void(Fields&)>& visit);

/// Options from a configuration: defaults where it is silent. Throws like read_fields.
template <class Options>
Options read_options(const Config& config) {
  Options options;
  read_fields(config, [&](Fields& f) { options.visit(f); });
  return options;
}

}  // namespace attnlab
