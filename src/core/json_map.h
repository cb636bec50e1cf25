// JSON files of somebody else's making.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace attnlab {

/// The map that a file holds. Throws UserError where it cannot be read, has brackets nested beyond
/// deepest_json, holds something else than a map, or is no JSON, which is said as refuse_json does, in the
/// words given behind the name: "is not valid JSON".
nlohmann::json read_json_map(const std::filesystem::path& path, const char* if_no_json);

/// Throws UserError of a text that was discarded: `origin` with where the first byte stands that is not
/// UTF-8, which JSON has to be, or with the words given.
[[noreturn]] void refuse_json(std::string_view text, const std::string& origin, const char* if_no_json);

/// What a text holds; discarded where it is no JSON, or nested beyond deepest_json.
nlohmann::json json_or_discarded(std::string_view text);

}  // namespace attnlab
