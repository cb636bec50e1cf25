// Files with a sentence a line as documents: splits, borders, refusals.
#include "data/text_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/temporary.h"
#include "mirror.h"

namespace attnlab {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::write;

class RunningTextLines : public ::testing::Test {
 protected:
  std::vector<std::string> ids(Split split) {
    options.split = split;
    const auto documents = options.open({folder.path(), {}});
    std::vector<std::string> all;
    for (int64_t i = 0; i < documents->size(); ++i) all.push_back(documents->id(i));
    return all;
  }
  /// Lines "1" … "n", as the publisher's files have them.
  void put(const std::string& name, int64_t n) const {
    std::string text;
    for (int64_t i = 1; i <= n; ++i) text += std::to_string(i) + "\n";
    write(folder.path() / name, text);
  }
  testing::TemporaryFolder folder;
  TextLinesOptions options;
};

TEST_F(RunningTextLines, HoldOutTheEndOfEveryFile) {
  put("news/a.de", 25);
  put("news/b.de", 10);
  options.files = {"news/b.de", "news/a.de"};
  options.lines = 6;
  options.held_out = 0.2;
  EXPECT_THAT(ids(Split::train), ElementsAre("b.de:1-6", "a.de:1-6", "a.de:7-15"));
  EXPECT_THAT(ids(Split::validation), ElementsAre("b.de:7-8", "a.de:16-20"));
  EXPECT_THAT(ids(Split::test), ElementsAre("b.de:9-10", "a.de:21-25"));
  options.split = Split::train;
  EXPECT_EQ(options.open({folder.path(), {}})->read(2).text, "7\n8\n9\n10\n11\n12\n13\n14\n15\n");
  options.held_out = 0;
  EXPECT_THAT(ids(Split::train),
              ElementsAre("b.de:1-10", "a.de:1-6", "a.de:7-12", "a.de:13-18", "a.de:19-25"));
}

TEST_F(RunningTextLines, LeaveOutBlankLinesAndKeepTheirNumbers) {
  write(folder.path() / "a", "eins\r\n\r\n \r\nzwei\r\ndrei");
  options.files = {(folder.path() / "a").string()};
  options.lines = 1;
  options.held_out = 0;
  EXPECT_THAT(ids(Split::train), ElementsAre("a:1-1", "a:4-4", "a:5-5"));
  EXPECT_EQ(options.open({})->read(1).text, "zwei\n");
}

TEST_F(RunningTextLines, RefuseWhatIsNotThereOrTooShort) {
  options.files = {"news/a.de"};
  EXPECT_THAT(message_of<UserError>([&] { ids(Split::train); }),
              AllOf(HasSubstr("data.files: there is no file news/a.de"), HasSubstr("fetch_data newstests")));
  put("news/a.de", 9);
  EXPECT_THAT(
      message_of<UserError>([&] { ids(Split::test); }),
      AllOf(HasSubstr("the 9 lines of"), HasSubstr("leave none to the test split with held_out: 0.1")));
}

/// As Python reads the file: of newstest2014's 3,003 lines the last 300.
TEST_F(RunningTextLines, AreThoseOfANewsTest) {
  ATTNLAB_FROM_MIRROR(path, "wmt/newstest2014.de.xz");
  testing::unpacked(path, folder.path());
  options.files = {"newstest2014.de"};
  EXPECT_THAT(ids(Split::test), ElementsAre("newstest2014.de:2704-2803", "newstest2014.de:2804-2903",
                                            "newstest2014.de:2904-3003"));
}

}  // namespace
}  // namespace attnlab
