// Files of somebody else's making that hold something a line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "data/tokenizers/json_node.h"

namespace attnlab {

/// Calls `take` with each line that is not blank, and its number from 1. Throws UserError as plain_text does.
void for_each_line(const std::filesystem::path& file,
                   const std::function<void(std::string_view line, int64_t number)>& take);

/// Calls `take` with the map of each line that is not blank; its file() is "FILE:LINE". Throws UserError
/// where a line is no map, is no JSON (in Latin-1, say: refuse_json) or has brackets nested beyond
/// deepest_json.
void for_each_json_line(const std::filesystem::path& file,
                        const std::function<void(const JsonNode& line)>& take);

}  // namespace attnlab
