#include "core/utf8.h"

#include <gtest/gtest.h>

namespace attnlab {
namespace {

TEST(Utf8, AcceptsWellFormedText) {
  for (const char* text :
       {"", "plain", "caf\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8E\xAC", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_utf8(text)) << text;
}

// The ill-formed sequences of the Unicode standard, tables 3-7 to 3-11.
TEST(Utf8, RefusesOverlongSurrogateCutAndStrayBytes) {
  for (const char* text :
       {"\xC0\xAF", "\xC1\xBF", "\xE0\x80\xBF", "\xF0\x81\x82\x41", "\xED\xA0\x80", "\xED\xBF\xBF",
        "\xF4\x91\x92\x93", "\xFF", "\x80", "\xE1\x80", "\xF0\x91\x92\x41", "caf\xE9 noir"})
    EXPECT_FALSE(is_utf8(text)) << text;
}

}  // namespace
}  // namespace attnlab
