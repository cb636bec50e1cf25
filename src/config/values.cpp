#include "config/values.h"

#include "config/scalars.h"

namespace attnlab {
namespace {

template <class Item>
std::string flow_list(const std::vector<Item>& values) {
  std::string out = "[";
  for (const Item& value : values) out.append(out.size() > 1 ? ", " : "").append(yaml_value(value));
  return out + "]";
}

}  // namespace

std::string yaml_value(bool value) { return value ? "true" : "false"; }
std::string yaml_value(int64_t value) { return std::to_string(value); }
std::string yaml_value(double value) { return to_text(value); }
std::string yaml_value(const std::string& value) { return quoted_if_needed(value); }
std::string yaml_value(const std::vector<int64_t>& values) { return flow_list(values); }
std::string yaml_value(const std::vector<double>& values) { return flow_list(values); }
std::string yaml_value(const std::vector<std::string>& values) { return flow_list(values); }

}  // namespace attnlab
