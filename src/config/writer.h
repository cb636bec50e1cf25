// From options back to YAML: complete, with every default, and readable by read_options to the same options.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"

namespace attnlab {

/// The fields that `visit` names as block YAML, lists in flow style, numbers in the fewest digits that read
/// back to the same value.
std::string dump_fields(const std::function<void(Fields&)>& visit);

/// One field, flat.
struct FlatField {
  std::string path;  ///< "model.attention.projection_length"; a component's name is at "model.attention.type"
  std::string value;  ///< as in dump
  bool in_id = true;  ///< can change a result, and so can everything around it
};

/// Every field with its path and value, in the order visited.
std::vector<FlatField> flatten_fields(const std::function<void(Fields&)>& visit);

/// `options` is an options struct or a Component; it is left as it is (visit is not const because reading
/// fills in).
template <class Options>
std::string dump(Options&& options) {
  return dump_fields([&](Fields& f) { options.visit(f); });
}

template <class Options>
std::vector<FlatField> flatten(Options&& options) {
  return flatten_fields([&](Fields& f) { options.visit(f); });
}

}  // namespace attnlab
