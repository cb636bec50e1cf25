// Sets of documents: folders of texts and PG-19's layout.
#include "data/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/pg19.h"
#include "data/temporary.h"
#include "data/text_files.h"

namespace attnlab {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::write;

std::vector<std::string> ids_of(const Documents& documents) {
  std::vector<std::string> ids;
  for (int64_t i = 0; i < documents.size(); ++i) ids.push_back(documents.id(i));
  return ids;
}

class TextFolder : public ::testing::Test {
 protected:
  std::shared_ptr<Documents> open() const {
    TextFilesOptions options;
    options.path = (folder.path() / "texts").string();
    return options.open({});
  }
  void put(const std::string& name, std::string_view bytes) const {
    write(folder.path() / "texts" / name, bytes);
  }
  testing::TemporaryFolder folder;
};

TEST_F(TextFolder, HasADocumentAFileInTheOrderOfNames) {
  put("b.txt", "second");
  put("a.txt", "first\r\nline");
  put("10.txt", "earlier still");
  put("notes.md", "no text file");
  const auto documents = open();
  EXPECT_THAT(ids_of(*documents), ElementsAre("10", "a", "b"));
  EXPECT_EQ(documents->read(1).text, "first\nline");
  EXPECT_EQ(documents->read(1).id, "a");
}

TEST_F(TextFolder, LeavesOutHiddenFilesUnlessOneIsNamed) {
  put("a.txt", "text");
  put("._a.txt", std::string_view("\0\5\26\7Mac OS X", 12));
  put(".txt", "no name before the dot");
  EXPECT_THAT(ids_of(*open()), ElementsAre("a"));
  put(".notes.txt", "asked for");
  TextFilesOptions options;
  options.path = (folder.path() / "texts" / ".notes.txt").string();
  EXPECT_EQ(options.open({})->read(0).text, "asked for");
}

TEST_F(TextFolder, RemovesAByteOrderMarkAndRefusesUtf16) {
  put("a.txt", "\xEF\xBB\xBFtext\r\n");
  EXPECT_EQ(open()->read(0).text, "text\n");
  put("b.txt", std::string_view("\xFF\xFEt\0e\0", 6));
  EXPECT_THAT(message_of<UserError>([&] { checksum_of(*open(), 2); }),
              AllOf(HasSubstr("b.txt is in UTF-16"), HasSubstr("iconv -f UTF-16")));
}

TEST_F(TextFolder, TellsOfBytesThatAreNotUtf8) {
  put("a.txt", "text");
  put("b.txt", "first\r\ncaf\xE9");
  put("c.txt", "na\xEFve");
  ::testing::internal::CaptureStderr();
  checksum_of(*open(), 3);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("2 of 3 documents are not UTF-8 (the first: "),
                    HasSubstr("texts/b.txt, line 2: byte 0xe9); such bytes are read as U+FFFD each")));
}

TEST_F(TextFolder, KeepsNamesApartThatDifferInBytesOnly) {
  put("caf\xE8.txt", "one");
  put("caf\xE9.txt", "two");
  put("caf\\xe9.txt", "three");
  put("a\nb.txt", "four");
  EXPECT_THAT(ids_of(*open()), ElementsAre("a\\x0ab", "caf\\x5cxe9", "caf\\xe8", "caf\\xe9"));
}

TEST_F(TextFolder, LeavesOutEmptyFilesAndSaysSo) {
  put("a.txt", "text");
  put("b.txt", "");
  ::testing::internal::CaptureStderr();
  const auto documents = open();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("b.txt is empty: skipped"));
  EXPECT_THAT(ids_of(*documents), ElementsAre("a"));
}

TEST_F(TextFolder, MayBeOneFile) {
  put("a.txt", "text");
  put("b.txt", "other");
  TextFilesOptions options;
  options.path = (folder.path() / "texts" / "b.txt").string();
  const auto documents = options.open({});
  EXPECT_THAT(ids_of(*documents), ElementsAre("b"));
  EXPECT_EQ(documents->read(0).text, "other");
}

TEST_F(TextFolder, RefusesFoldersWithoutTexts) {
  EXPECT_THAT(message_of<UserError>([&] { open(); }),
              AllOf(HasSubstr("there is no folder"), HasSubstr("texts")));
  put("a.txt", "");
  ::testing::internal::CaptureStderr();
  const std::string message = message_of<UserError>([&] { open(); });
  ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(message, HasSubstr("holds no text (*.txt) that is not empty"));
}

TEST_F(TextFolder, HasAChecksumOfWhatIsRead) {
  put("a.txt", "text");
  put("b.txt", "other");
  const std::string before = checksum_of(*open(), 2);
  EXPECT_NE(checksum_of(*open(), 1), before);
  put("b.txt", "othe");
  EXPECT_NE(checksum_of(*open(), 2), before);
  put("b.txt", "other");
  EXPECT_EQ(checksum_of(*open(), 2), before);
}

TEST(Pg19, ReadsTheFetchedLayoutInTheBucketsOrder) {
  testing::TemporaryFolder folder;
  write(folder.path() / "pg19/test/9.txt", "nine");
  write(folder.path() / "pg19/test/10146.txt", "Book.\r\n");
  write(folder.path() / "pg19/test/.fetched.json", "{}");
  write(folder.path() / "pg19/validation/1.txt", "other split");
  ::testing::internal::CaptureStderr();
  const auto books = Pg19Options().open({folder.path(), {}});
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("2 of the 100 test books are here"));
  EXPECT_THAT(ids_of(*books), ElementsAre("10146", "9"));
  EXPECT_EQ(books->read(0).text, "Book.\n");
}

TEST(Pg19, SaysHowToFetchBooks) {
  testing::TemporaryFolder folder;
  EXPECT_THAT(message_of<UserError>([&] {
                Pg19Options options;
                options.split = Split::train;
                options.open({folder.path(), {}});
              }),
              HasSubstr("scripts/fetch_data pg19 --split train fetches the books"));
}

}  // namespace
}  // namespace attnlab
