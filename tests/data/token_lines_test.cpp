// JSON lines of token ids.
#include "data/token_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/random.h"
#include "data/temporary.h"

namespace attnlab {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using ::testing::StartsWith;
using testing::write;

class TokenLinesFile : public ::testing::Test {
 protected:
  std::shared_ptr<Documents> open(std::string_view content) const {
    write(folder.path() / "chunks.jsonl", content);
    TokenLinesOptions options;
    options.path = (folder.path() / "chunks.jsonl").string();
    return options.open({});
  }
  testing::TemporaryFolder folder;
};

std::string complaint(std::string_view line) {
  return message_of<UserError>([&] { parse_token_line(line, "chunks.jsonl:3", "chunks:3"); });
}

TEST_F(TokenLinesFile, HasAChunkALineInEitherForm) {
  const auto chunks =
      open("[1, 5, 9]\n\n{\"id\": \"second\", \"ids\": [7], \"source\": \"x\"}\r\n{\"ids\": [0]}");
  ASSERT_EQ(chunks->size(), 3);
  EXPECT_THAT(chunks->read(0).ids, ElementsAre(1, 5, 9));
  EXPECT_EQ(chunks->id(0), "chunks:1");
  EXPECT_THAT(chunks->read(1).ids, ElementsAre(7));
  EXPECT_EQ(chunks->id(1), "second");
  EXPECT_THAT(chunks->read(2).ids, ElementsAre(0));
  EXPECT_EQ(chunks->id(2), "chunks:4");  // lines are counted, not chunks
}

TEST_F(TokenLinesFile, MayHaveComeFromAnyEditor) {
  const auto chunks = open("\xEF\xBB\xBF[1, 5]\r\n\r\n[7]\r[8, 9]");
  ASSERT_EQ(chunks->size(), 3);
  EXPECT_THAT(chunks->read(0).ids, ElementsAre(1, 5));
  EXPECT_EQ(chunks->id(2), "chunks:4");
  EXPECT_THAT(message_of<UserError>([&] { open(std::string_view("\xFF\xFE[\0", 4)); }),
              HasSubstr("chunks.jsonl is in UTF-16"));
}

TEST_F(TokenLinesFile, HasANameOfAnyBytes) {
  write(folder.path() / "caf\xE9.jsonl", "[1]");
  TokenLinesOptions options;
  options.path = (folder.path() / "caf\xE9.jsonl").string();
  EXPECT_EQ(options.open({})->id(0), "caf\\xe9:1");
}

TEST_F(TokenLinesFile, LeavesOutEmptyChunksAndSaysSo) {
  ::testing::internal::CaptureStderr();
  const auto chunks = open("[]\n[1, 2]\n");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("chunks.jsonl:1 has no tokens: skipped"));
  EXPECT_EQ(chunks->size(), 1);
}

TEST_F(TokenLinesFile, NamesFileAndLineOfACutLine) {
  EXPECT_THAT(message_of<UserError>([&] { open("[1, 2]\n[3, 4"); }),
              AllOf(HasSubstr("chunks.jsonl:2: "), HasSubstr("cut short")));
}

TEST_F(TokenLinesFile, RefusesAFileWithoutTokens) {
  EXPECT_THAT(message_of<UserError>([&] { open("\n \n"); }), HasSubstr("chunks.jsonl holds no token ids"));
  TokenLinesOptions options;
  options.path = (folder.path() / "nowhere.jsonl").string();
  EXPECT_THAT(message_of<UserError>([&] { options.open({}); }),
              AllOf(HasSubstr("there is no file"), HasSubstr("nowhere.jsonl")));
}

TEST(TokenLine, RefusesWhatIsNoListOfIds) {
  for (const auto& [line, words] : std::vector<std::pair<std::string, std::string>>{
           {"", "not one JSON value"},
           {"[1, 2] [3]", "not one JSON value"},
           {"[1, 2", "cut short"},
           {"12", "expected a list of token ids"},
           {"\"1 2\"", "expected a list of token ids"},
           {"{\"tokens\": [1]}", "the object has no \"ids\""},
           {"{\"ids\": 3}", "expected a list of token ids"},
           {"{\"id\": 3, \"ids\": [1]}", "\"id\" must be a text"},
           {"[1, 1.5]", "token 1 is 1.5"},
           {"[1, -2]", "token 1 is -2"},
           {"[1, [2]]", "token 1 is [2]"},
           {"[1, true]", "token 1 is true"},
           {"[2147483648]", "token 0 is 2147483648"},
           {"[99999999999999999999]", "token 0 is"},
           {"[1, \"\xff\"]", "not one JSON value"},
       })
    EXPECT_THAT(complaint(line), AllOf(StartsWith("chunks.jsonl:3: "), HasSubstr(words))) << line;
}

TEST(TokenLine, RefusesIdsOutsideTheVocabulary) {
  const Document chunk = parse_token_line("[1, 511, 512]", "chunks.jsonl:3", "");
  check_ids(chunk, 513);
  EXPECT_EQ(message_of<UserError>([&] { check_ids(chunk, 512); }),
            "chunks.jsonl:3: token 2 is 512, outside the model's vocabulary of 512");
}

/// Any change to a good line is read or refused with a sentence; nothing else may happen.
TEST(TokenLine, SurvivesDamage) {
  const std::string good = R"({"id": "a\u00e9", "ids": [1, 20, 300, 4000], "more": {"x": [null, 1e5]}})";
  Random random(7);
  int refused = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    std::string line = good;
    for (uint64_t changes = 1 + random.below(3); changes > 0; --changes) {
      const auto at = static_cast<std::size_t>(random.below(line.size() + 1));
      const auto byte = static_cast<char>(random.below(256));
      switch (random.below(3)) {
        case 0:
          line.insert(at, 1, byte);
          break;
        case 1:
          line.resize(at);
          break;
        default:
          if (at < line.size()) line[at] = byte;
      }
    }
    try {
      parse_token_line(line, "chunks.jsonl:3", "");
    } catch (const UserError& e) {
      ASSERT_THAT(e.what(), StartsWith("chunks.jsonl:3: "));
      ++refused;
    }
  }
  EXPECT_GT(refused, 10000);
}

TEST(TokenLine, IsNotNestedBeyondTheStack) {
  const std::string open(1 << 20, '['), close(1 << 20, ']');
  for (const std::string& line : {open, open + close, "{\"ids\": " + open + close + "}"})
    EXPECT_EQ(complaint(line), "chunks.jsonl:3: brackets nested more than 64 deep hold no token ids");
}

}  // namespace
}  // namespace attnlab
