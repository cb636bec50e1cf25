#include "data/utf8.h"

#include <cstddef>

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

bool is_utf8(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    Form form = form_of(static_cast<unsigned char>(bytes[i++]));
    if (form.continuations < 0) return false;
    for (; form.continuations > 0; --form.continuations) {
      if (i == bytes.size()) return false;
      const auto next = static_cast<unsigned char>(bytes[i++]);
      if (next < form.low || next > form.high) return false;
      form.low = 0x80;
      form.high = 0xBF;
    }
  }
  return true;
}

}  // namespace attnlab
