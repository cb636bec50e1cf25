#include "core/json_map.h"

#include "core/error.h"
#include "core/files.h"
#include "core/json_nesting.h"
#include "core/plain_text.h"

namespace attnlab {
namespace {

std::string read_named_file(const std::filesystem::path& path) {
  try {
    return read_file(path);
  } catch (const RunError& failure) {
    throw UserError(failure.what());  // a file that the user named and that cannot be read
  }
}

}  // namespace

nlohmann::json read_json_map(const std::filesystem::path& path, const char* if_no_json) {
  const std::string text = read_named_file(path);
  if (nests_too_deeply(text))
    user_error("{} has brackets nested more than {} deep", path.string(), deepest_json);
  nlohmann::json map = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (map.is_discarded()) refuse_json(text, path.string(), if_no_json);
  if (!map.is_object()) user_error("{} holds no map", path.string());
  return map;
}

nlohmann::json json_or_discarded(std::string_view text) {
  using nlohmann::json;
  return nests_too_deeply(text) ? json(json::value_t::discarded) : json::parse(text, nullptr, false);
}

void refuse_json(std::string_view text, const std::string& origin, const char* if_no_json) {
  // JSON ends in ASCII: where a file ends otherwise it was cut, maybe within a character.
  const bool is_cut = !text.empty() && static_cast<unsigned char>(text.back()) >= 0x80;
  user_error("{} {}", origin, is_cut ? if_no_json : stray_byte_of(text).value_or(if_no_json));
}

}  // namespace attnlab
