#include "data/json_lines.h"

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/json_map.h"
#include "core/plain_text.h"
#include "core/stop.h"

namespace attnlab {

void for_each_line(const std::filesystem::path& file,
                   const std::function<void(std::string_view line, int64_t number)>& take) {
  const std::string content = plain_text(read_file(file), file.string());
  std::string_view rest = content;
  for (int64_t number = 1; !rest.empty(); ++number) {
    stop_here_if_requested();
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.find_first_not_of(" \t") != std::string_view::npos) take(line, number);
  }
}

void for_each_json_line(const std::filesystem::path& file,
                        const std::function<void(const JsonNode& line)>& take) {
  for_each_line(file, [&](std::string_view line, int64_t number) {
    const std::string origin = fmt::format("{}:{}", file.string(), number);
    const nlohmann::json map = json_or_discarded(line);
    if (map.is_discarded()) refuse_json(line, origin, no_json);
    if (!map.is_object()) user_error("{} holds no map", origin);
    take(JsonNode(map, origin));
  });
}

}  // namespace attnlab
