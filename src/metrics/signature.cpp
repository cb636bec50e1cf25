#include "metrics/signature.h"

#include <fmt/format.h>

namespace attnlab {

std::string signed_by_attnlab(const std::string& signature, const char* equal_to) {
  return signature + "|attnlab " ATTNLAB_VERSION + (equal_to ? fmt::format(" ({})", equal_to) : "");
}

}  // namespace attnlab
