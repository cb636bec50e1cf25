// Names and messages of any bytes, as text.
#include "core/shown.h"

#include <gtest/gtest.h>

#include <set>

#include "core/json_text.h"
#include "core/random.h"
#include "core/utf8.h"

namespace attnlab {
namespace {

TEST(ShownName, IsTheNameWhereThatIsText) {
  for (const char* name : {"10146", "caf\xC3\xA9", "a 'b' \"c\"", "C:\\temp", "\\xyz", "\xF0\x9F\x8E\xAC"})
    EXPECT_EQ(shown_name(name), name);
}

TEST(ShownName, EscapesStrayBytesAndControlCharacters) {
  EXPECT_EQ(shown_name("caf\xE9"), "caf\\xe9");
  EXPECT_EQ(shown_name("a\nb\tc\x7f"), "a\\x0ab\\x09c\\x7f");
  EXPECT_EQ(shown_name("cut \xE2\x82"), "cut \\xe2\\x82");
  EXPECT_EQ(shown_name("caf\\xe9"), "caf\\x5cxe9");  // another file than the first
}

TEST(ShownName, KeepsDifferentNamesApart) {
  const std::string alphabet = "\\x5ce9\xE9\n\xC3";
  Random random(1);
  std::set<std::string> names, shown;
  for (int i = 0; i < 20000; ++i) {
    std::string name;
    for (uint64_t n = 1 + random.below(9); n > 0; --n) name += alphabet[random.below(alphabet.size())];
    names.insert(name);
    shown.insert(shown_name(name));
    EXPECT_TRUE(is_utf8(shown_name(name)));
  }
  EXPECT_EQ(shown.size(), names.size());
}

TEST(Printable, KeepsLinesAndEscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("a:\n\tb"), "a:\n\tb");
  EXPECT_EQ(printable("\x1b[2J caf\xE9"), "\\x1b[2J caf\\xe9");
}

TEST(JsonText, HasAPlaceForBytesThatAreNoText) {
  EXPECT_EQ(json_text(nlohmann::json{{"prompt", "caf\xE9"}}), "{\"prompt\":\"caf\xEF\xBF\xBD\"}");
}

}  // namespace
}  // namespace attnlab
