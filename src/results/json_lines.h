// metrics.jsonl: one JSON object a line, only ever appended to, whole lines only.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace attnlab {

class JsonLines {
 public:
  /// Starts a new file, or goes on after the last whole line of an old one (a kill may have cut the last).
  JsonLines(std::filesystem::path path, bool resume);
  JsonLines(const JsonLines&) = delete;
  ~JsonLines();

  /// Keeps the line until write(). NaN and infinities become null.
  void add(const nlohmann::ordered_json& line);
  bool empty() const { return kept_.empty(); }
  /// Appends the kept lines, all or none. Throws RunError naming the path and the reason; the lines stay
  /// kept.
  void write();

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  int64_t size_ = 0;
  std::string kept_;
};

}  // namespace attnlab
