// Values of fields as YAML, the same in dumps, ids and explanations.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace attnlab {

std::string yaml_value(bool value);
std::string yaml_value(int64_t value);
std::string yaml_value(double value);
std::string yaml_value(const std::string& value);
std::string yaml_value(const std::vector<int64_t>& values);
std::string yaml_value(const std::vector<double>& values);
std::string yaml_value(const std::vector<std::string>& values);

}  // namespace attnlab
