// A JSON file of somebody else's making: typed access, with a sentence for everything that can be wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace attnlab {

class JsonFile {
 public:
  /// Throws UserError where the file is missing, no JSON, or no map.
  explicit JsonFile(const std::filesystem::path& path);
  /// A map inside this one.
  JsonFile inside(const std::string& key) const;

  /// Whether the key is there and is not null.
  bool has(const std::string& key) const;
  const nlohmann::json& at(const std::string& key) const { return map_.at(key); }
  const nlohmann::json& map() const { return map_; }

  // Each throws UserError where the value is of another kind or out of bounds; the first form also where it
  // is absent.
  int64_t count(const std::string& key, int64_t low) const;
  int64_t count(const std::string& key, int64_t low, int64_t otherwise) const;
  double number(const std::string& key, double otherwise) const;
  bool flag(const std::string& key, bool otherwise) const;
  std::string text(const std::string& key) const;
  std::string text(const std::string& key, const std::string& otherwise) const;
  /// A token id, a list of them, or null (none).
  std::vector<int64_t> ids(const std::string& key) const;

  const std::string& path() const { return path_; }

 private:
  JsonFile(std::string path, nlohmann::json map) : path_(std::move(path)), map_(std::move(map)) {}
  [[noreturn]] void refuse(const std::string& key, const char* expected) const;
  void needs(const std::string& key) const;

  std::string path_;
  nlohmann::json map_;
};

}  // namespace attnlab
