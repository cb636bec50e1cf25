// JSON that any reader takes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace attnlab {

/// The value as text, on one line unless indented. Bytes that are not UTF-8 become U+FFFD: JSON has no place
/// for them, and an odd name or prompt must not end what it is told of.
template <class Json>
std::string json_text(const Json& value, int indent = -1) {
  return value.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace attnlab
