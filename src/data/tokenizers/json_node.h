// A value in a JSON file of somebody else's making, and where in it: typed access, with a sentence for all
// that can be wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace attnlab {

inline constexpr int64_t largest_token_id = (1 << 24) - 1;  // as a decoder's vocabulary

class JsonNode {
 public:
  JsonNode(const nlohmann::json& value, std::string file, std::string where = "")
      : value_(&value), file_(std::move(file)), where_(std::move(where)) {}

  /// Whether the key is there and not null.
  bool has(const std::string& key) const;
  // Each throws UserError where the value is absent or of another kind.
  JsonNode at(const std::string& key) const;
  std::vector<JsonNode> elements() const;
  std::string text() const;
  int64_t token_id() const;
  std::string text(const std::string& key) const { return at(key).text(); }
  bool flag(const std::string& key, bool otherwise) const;

  const nlohmann::json& value() const { return *value_; }
  const std::string& file() const { return file_; }
  const std::string& where() const { return where_; }
  /// Throws UserError: "FILE: 'where' is VALUE where EXPECTED was expected".
  [[noreturn]] void refuse(const std::string& expected) const;
  /// Throws UserError: "FILE: 'where' has WHAT, which is not implemented".
  [[noreturn]] void not_implemented(const std::string& what) const;

 private:
  const nlohmann::json* value_;  ///< of a document that outlives this
  std::string file_, where_;
};

/// What read_json_map says here of a file that is no JSON.
inline constexpr const char* no_json = "is no valid JSON: cut short or damaged";

}  // namespace attnlab
