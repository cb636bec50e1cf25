#include "data/tokenizers/byte_text.h"

#include "core/utf8.h"

namespace attnlab {
namespace {

/// How many bytes at the beginning a character can begin with, of those that are none.
std::size_t begun_character(std::string_view bytes) {
  static constexpr std::string_view endings[] = {"\x80",     "\xBF",         "\x80\x80",
                                                 "\xBF\x80", "\x80\x80\x80", "\xBF\x80\x80"};
  std::size_t begun = 0;
  for (std::size_t size = 1; size <= 3 && size <= bytes.size(); ++size)
    for (const std::string_view ending : endings)
      if (utf8_character(std::string(bytes.substr(0, size)) + std::string(ending)) == size + ending.size())
        begun = size;
  return begun;
}

}  // namespace

void ByteText::put_stray(std::size_t bytes, std::string& out) {
  for (std::size_t i = 0; i < (rule_ == StrayBytesRule::one_a_byte ? bytes : 1); ++i) out += "\uFFFD";
}

std::string ByteText::settle(bool all) {
  std::string out;
  std::string_view rest = held_;
  while (!rest.empty()) {
    const std::size_t good = first_stray_byte(rest);
    out += rest.substr(0, good);
    rest.remove_prefix(good);
    if (rest.empty()) break;
    const std::size_t begun = begun_character(rest);
    if (begun == rest.size() && !all) break;  // the next byte may finish it
    const std::size_t stray = begun == 0 ? 1 : begun;
    put_stray(stray, out);
    rest.remove_prefix(stray);
  }
  held_.erase(0, held_.size() - rest.size());
  return out;
}

std::string ByteText::push(std::string_view bytes) {
  held_ += bytes;
  return settle(false);
}

std::string ByteText::finish() { return settle(true); }

}  // namespace attnlab
