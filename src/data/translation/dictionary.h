// dict.txt: a dictionary of fairseq.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace attnlab {

/// "symbol count" a line, in the order of ids from 4 on; <s>, <pad>, </s> and <unk>, ids 0 to 3, are in no
/// file.
class Dictionary {
 public:
  /// Throws UserError, naming file and line, for a line of another form and a symbol that was there before,
  /// unless it is marked "#fairseq:overwrite".
  static Dictionary read(const std::filesystem::path& file);
  /// Of symbols without counts; a symbol that was there before, or is one of the four, is left out.
  static Dictionary of(const std::vector<std::string>& symbols);

  int64_t size() const { return static_cast<int64_t>(symbols_.size()); }
  /// Of a symbol of a text: that of <unk> for what is none, and for "<s>", "<pad>" and "</s>", which no text
  /// can mean.
  int64_t id_of(std::string_view symbol) const;
  const std::string& symbol(int64_t id) const { return symbols_[static_cast<std::size_t>(id)]; }
  const std::string& text() const { return text_; }  ///< the file

 private:
  Dictionary();
  void add_line(std::string_view line, const std::string& origin);
  bool add(std::string_view symbol, bool again);

  std::vector<std::string> symbols_;
  std::unordered_map<std::string, int64_t> ids_;
  std::string text_;
};

}  // namespace attnlab
