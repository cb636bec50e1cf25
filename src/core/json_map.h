// JSON files of somebody else's making.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

namespace attnlab {

/// The map that a file holds. Throws UserError where it cannot be read, has brackets nested beyond
/// deepest_json, holds something else than a map, or is no JSON, which is said in the words given behind the
/// name: "is not valid JSON".
nlohmann::json read_json_map(const std::filesystem::path& path, const char* if_no_json);

/// What a text holds; discarded where it is no JSON, or nested beyond deepest_json.
nlohmann::json json_or_discarded(std::string_view text);

}  // namespace attnlab
