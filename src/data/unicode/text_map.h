// Where the bytes of a changed text stood in the original.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attnlab {

/// Pairs of offsets that belong together, in ascending order. Between two of them bytes correspond one to one
/// as far as the original goes.
class TextMap {
 public:
  void add(std::size_t changed, std::size_t original) { anchors_.push_back({changed, original}); }
  /// Replaces offsets in the changed text, which never fall, by those in the original.
  void to_original(std::span<int64_t> offsets) const;

 private:
  struct Anchor {
    std::size_t changed, original;
  };
  std::vector<Anchor> anchors_;
};

/// A text made from another one.
struct ChangedText {
  std::string text;
  TextMap map;

  /// Goes on with a part of the original as it is.
  void keep(std::string_view part) { text += part; }
  /// Puts `instead` in the place of the original's bytes from begin to end.
  void put(std::string_view instead, std::size_t begin, std::size_t end) {
    map.add(text.size(), begin);
    text += instead;
    map.add(text.size(), end);
  }
};

/// `text` with every byte that is not UTF-8 as U+FFFD.
ChangedText well_formed(std::string_view text);

}  // namespace attnlab
