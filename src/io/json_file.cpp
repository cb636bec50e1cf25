#include "io/json_file.h"

#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/json_map.h"
#include "core/json_text.h"

namespace attnlab {
namespace {

constexpr int64_t largest_count = 1LL << 31;  // keeps products of two sizes within 2^63

}  // namespace

JsonFile::JsonFile(const std::filesystem::path& path)
    : path_(path.string()), map_(read_json_map(path, "is not valid JSON")) {}

JsonFile JsonFile::inside(const std::string& key) const {
  if (!map_.at(key).is_object()) refuse(key, "a map");
  return {fmt::format("{}, in '{}'", path_, key), map_.at(key)};
}

bool JsonFile::has(const std::string& key) const { return map_.contains(key) && !map_.at(key).is_null(); }

void JsonFile::refuse(const std::string& key, const char* expected) const {
  const std::string found = json_text(map_.at(key));
  user_error("{}: '{}' is {} where {} was expected", path_, key, found.substr(0, 80), expected);
}

void JsonFile::needs(const std::string& key) const {
  if (!has(key)) user_error("{} lacks the key '{}'", path_, key);
}

int64_t JsonFile::count(const std::string& key, int64_t low) const {
  needs(key);
  return count(key, low, 0);
}

int64_t JsonFile::count(const std::string& key, int64_t low, int64_t otherwise) const {
  if (!has(key)) return otherwise;
  const nlohmann::json& value = map_.at(key);
  const bool whole = value.is_number_unsigned() && value.get<uint64_t>() <= largest_count;
  if (!whole || value.get<int64_t>() < low)
    refuse(key, low > 0 ? "a whole number above 0" : "a whole number of at least 0");
  return value.get<int64_t>();
}

double JsonFile::number(const std::string& key, double otherwise) const {
  if (!has(key)) return otherwise;
  if (!map_.at(key).is_number() || !std::isfinite(map_.at(key).get<double>())) refuse(key, "a number");
  return map_.at(key).get<double>();
}

bool JsonFile::flag(const std::string& key, bool otherwise) const {
  if (!has(key)) return otherwise;
  if (!map_.at(key).is_boolean()) refuse(key, "true or false");
  return map_.at(key).get<bool>();
}

std::string JsonFile::text(const std::string& key) const {
  needs(key);
  return text(key, "");
}

std::string JsonFile::text(const std::string& key, const std::string& otherwise) const {
  if (!has(key)) return otherwise;
  if (!map_.at(key).is_string()) refuse(key, "a text");
  return map_.at(key).get<std::string>();
}

std::vector<int64_t> JsonFile::ids(const std::string& key) const {
  if (!has(key)) return {};
  const nlohmann::json& value = map_.at(key);
  const nlohmann::json all = value.is_array() ? value : nlohmann::json::array({value});
  std::vector<int64_t> ids;
  for (const nlohmann::json& id : all) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() > largest_count)
      refuse(key, "a token id or a list of them");
    ids.push_back(id.get<int64_t>());
  }
  return ids;
}

}  // namespace attnlab
