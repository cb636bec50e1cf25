// What texts are read as: encodings, marks, line ends.
#include "core/plain_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "core/utf8.h"

namespace attnlab {
namespace {

using namespace std::literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> lines_of(const std::string& bytes, LineRules rules = {}) {
  std::istringstream in(bytes);
  TextLines lines(in, "the input", rules);
  std::vector<std::string> all;
  for (std::string line; lines.next(line);) all.push_back(line);
  EXPECT_EQ(lines.number(), static_cast<int64_t>(all.size()));
  return all;
}

/// ASCII in units of `unit` bytes, as Python's encode("utf-16-le") and its like give it.
std::string widened(std::string_view text, std::size_t unit, bool little_endian) {
  std::string bytes;
  for (const char c : text) {
    const std::string zeros(unit - 1, '\0');
    bytes += little_endian ? c + zeros : zeros + c;
  }
  return bytes;
}

std::string refusal(const std::string& bytes) {
  try {
    plain_text(bytes, "a.txt");
  } catch (const UserError& e) {
    return e.what();
  }
  return "";
}

TEST(UniversalNewlines, AreThoseOfPythonsTextMode) {
  // io.StringIO("…", newline=None).read() in Python gives each of these
  EXPECT_EQ(universal_newlines("a\r\nb\rc\n\r\n\r\rd\r"), "a\nb\nc\n\n\n\nd\n");
  EXPECT_EQ(universal_newlines("\r\n"), "\n");
  EXPECT_EQ(universal_newlines(""), "");
}

TEST(StrayByteOf, SaysWhichAndWhere) {
  EXPECT_EQ(stray_byte_of(""), std::nullopt);
  EXPECT_EQ(stray_byte_of("naïve\ncafé\n"), std::nullopt);
  EXPECT_THAT(stray_byte_of("one\nnaïve\ncaf\xE9 naïve\n").value(),
              StartsWith("is not UTF-8: byte 0xE9 at line 3, column 4 (iconv -f LATIN1 -t UTF-8"));
  EXPECT_THAT(stray_byte_of("é\x80\n").value(), StartsWith("is not UTF-8: byte 0x80 at column 2 ("))
      << "a character is a column, and one line needs no number";
}

TEST(PlainText, HasNoMarkAndOneKindOfLineEnd) {
  EXPECT_EQ(plain_text("\xEF\xBB\xBFone\r\ntwo\rthree\n", "a.txt"), "one\ntwo\nthree\n");
  EXPECT_EQ(plain_text("a \xEF\xBB\xBF within stays", "a.txt"), "a \xEF\xBB\xBF within stays");
  EXPECT_EQ(plain_text("\xEF\xBB\xBF", "a.txt"), "");
}

TEST(PlainText, LeavesStrayBytesAndNulsAsTheyAre) {
  for (const std::string& text :
       {"na\xEFve"s, "one\0two three"s, "\0"s, std::string(100, '\0'), "\xE9"s,
        "first.txt\0second.txt\0third.txt\0"s, "text and padding"s + std::string(64, '\0')})
    EXPECT_EQ(plain_text(text, "a.txt"), text);
}

TEST(PlainText, RefusesTwoAndFourBytesACharacterAndSaysHowToConvert) {
  EXPECT_EQ(refusal("\xFF\xFEh\0i\0"s),
            "a.txt is in UTF-16, and texts are read as UTF-8: `iconv -f UTF-16 -t UTF-8` converts it");
  EXPECT_THAT(refusal("\xFE\xFF\0h\0i"s), HasSubstr("UTF-16,"));
  EXPECT_THAT(refusal("\xFF\xFE\0\0h\0\0\0"s), HasSubstr("UTF-32,"));
  EXPECT_THAT(refusal("\0\0\xFE\xFF\0\0\0h"s), HasSubstr("UTF-32,"));
  for (const char* text : {"a", "hi", "one day\r\nthe end\r\n"}) {
    EXPECT_THAT(refusal(widened(text, 2, true)), HasSubstr("UTF-16LE")) << text;
    EXPECT_THAT(refusal(widened(text, 2, false)), HasSubstr("UTF-16BE")) << text;
    EXPECT_THAT(refusal(widened(text, 4, true)), HasSubstr("UTF-32LE")) << text;
    EXPECT_THAT(refusal(widened(text, 4, false)), HasSubstr("UTF-32BE")) << text;
  }
  // "да, да, да, да" in UTF-16LE: only spaces and commas have a NUL
  EXPECT_THAT(refusal("\x34\x04\x30\x04,\0 \0\x34\x04\x30\x04,\0 \0\x34\x04\x30\x04,\0 \0\x34\x04\x30\x04"s),
              HasSubstr("UTF-16LE"));
}

TEST(TextLines, EndInLfOrCrlfOrCr) {
  EXPECT_THAT(lines_of("a\r\nb\rc\nd"), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(lines_of("a\r\n\r\n\r\rb\n\n"), ElementsAre("a", "", "", "", "b", ""));
  EXPECT_THAT(lines_of("\n"), ElementsAre(""));
  EXPECT_THAT(lines_of("\r\n"), ElementsAre(""));
  EXPECT_THAT(lines_of(""), IsEmpty());
}

TEST(TextLines, EndInLfOrCrlfAloneOnRequest) {
  const LineRules rules{.lone_cr = false};
  EXPECT_THAT(lines_of("a\r\nb\rc\nd\r", rules), ElementsAre("a", "b\rc", "d"));
  EXPECT_THAT(lines_of("\r\n\n\r\r\n\n\r", rules), ElementsAre("", "", "\r", "", ""));
  EXPECT_THAT(lines_of("\xEF\xBB\xBF\r\n", rules), ElementsAre(""));
  EXPECT_THAT(lines_of("", rules), IsEmpty());
}

TEST(TextLines, AreJudgedByTheirReaderOnRequestUnlessAMarkSaysUtf16) {
  const LineRules rules{.by_nuls = false};
  EXPECT_THAT(lines_of("a\0b\0\nc"s, rules), ElementsAre("a\0b\0"s, "c"));
  EXPECT_THAT(lines_of("\0\n\0a\0b\nc"s, rules), ElementsAre("\0"s, "\0a\0b"s, "c"));
  EXPECT_THROW(lines_of("\xFF\xFE"
                        "a\0\n\0"s,
                        rules),
               UserError);
  EXPECT_THROW(lines_of("\0\0\xFE\xFF\0\0\0a"s, rules), UserError);
}

TEST(TextLines, LeaveOutAByteOrderMark) {
  EXPECT_THAT(lines_of("\xEF\xBB\xBF"
                       "a\r\nb"),
              ElementsAre("a", "b"));
  EXPECT_THAT(lines_of("\xEF\xBB\xBF\n\n"), ElementsAre("", ""));
  EXPECT_THAT(lines_of("\xEF\xBB\xBF"), IsEmpty());
  EXPECT_THAT(lines_of("a\n\xEF\xBB\xBF"
                       "b"),
              ElementsAre("a",
                          "\xEF\xBB\xBF"
                          "b"));
}

TEST(TextLines, RefuseAnInputInUtf16EvenBehindEmptyLines) {
  for (const bool little : {true, false})
    for (const char* text : {"hi there\n", "\r\n\r\nhi\r\nyou\r\n", "\n\nhi\n"}) {
      try {
        lines_of(widened(text, 2, little));
        ADD_FAILURE() << "was read: " << text;
      } catch (const UserError& e) {
        EXPECT_THAT(e.what(), StartsWith(little ? "the input is in UTF-16LE" : "the input is in UTF-16BE"));
      }
    }
}

TEST(TextLines, AreTheLinesOfThePlainText) {
  const std::string alphabet = "ab\r\n\r\n\xEF\xBB\xBF\xE9 ";
  Random random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes;
    for (uint64_t n = random.below(12); n > 0; --n) bytes += alphabet[random.below(alphabet.size())];
    std::string joined;
    for (const std::string& line : lines_of(bytes)) joined += line + "\n";
    std::string text = plain_text(bytes, "bytes");
    if (!text.empty() && text.back() != '\n') text += '\n';
    EXPECT_EQ(joined, text) << testing::PrintToString(bytes);
    EXPECT_EQ(text.find('\r'), std::string::npos);
  }
}

TEST(StrayBytes, AreCountedAndTheFirstIsNamed) {
  StrayBytes stray;
  stray.look_at("clean", "a.txt");
  stray.look_at("one\ntwo \xE9", "b.txt");
  stray.look_at("\xE9\0"s, "c.txt");
  testing::internal::CaptureStderr();
  stray.tell("texts", "read as they are");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "2 of 3 texts are not UTF-8 (the first: b.txt, line 2: byte 0xe9); such bytes are read as they "
            "are\n"
            "1 of 3 texts hold NULs (the first: c.txt: byte 0x00); they are read as they are\n");
}

TEST(StrayBytes, AreNoWordWorthWhereThereAreNone) {
  StrayBytes stray;
  stray.look_at("caf\xC3\xA9", "a.txt");
  testing::internal::CaptureStderr();
  stray.tell("texts", "read as they are");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace attnlab
