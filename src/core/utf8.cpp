#include "core/utf8.h"

namespace attnlab {
namespace {

/// What may follow a lead byte: how many continuation bytes, and the bounds of the first of them.
struct Form {
  int continuations;
  unsigned char low, high;
};

Form form_of(unsigned char lead) {
  if (lead < 0x80) return {0, 0, 0};
  if (lead >= 0xC2 && lead <= 0xDF) return {1, 0x80, 0xBF};
  if (lead == 0xE0) return {2, 0xA0, 0xBF};  // below: overlong
  if (lead == 0xED) return {2, 0x80, 0x9F};  // above: surrogates
  if (lead >= 0xE1 && lead <= 0xEF) return {2, 0x80, 0xBF};
  if (lead == 0xF0) return {3, 0x90, 0xBF};  // below: overlong
  if (lead >= 0xF1 && lead <= 0xF3) return {3, 0x80, 0xBF};
  if (lead == 0xF4) return {3, 0x80, 0x8F};  // above: beyond U+10FFFF
  return {-1, 0, 0};
}

}  // namespace

std::size_t utf8_character(std::string_view bytes) {
  if (bytes.empty()) return 0;
  Form form = form_of(static_cast<unsigned char>(bytes[0]));
  if (form.continuations < 0) return 0;
  const std::size_t size = 1 + static_cast<std::size_t>(form.continuations);
  if (bytes.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = static_cast<unsigned char>(bytes[i]);
    if (next < form.low || next > form.high) return 0;
    form.low = 0x80;
    form.high = 0xBF;
  }
  return size;
}

std::size_t first_stray_byte(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t size =
        static_cast<unsigned char>(bytes[i]) < 0x80 ? 1 : utf8_character(bytes.substr(i));
    if (size == 0) return i;
    i += size;
  }
  return bytes.size();
}

bool is_utf8(std::string_view bytes) { return first_stray_byte(bytes) == bytes.size(); }

}  // namespace attnlab
