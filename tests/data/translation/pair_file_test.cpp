// Prepared pairs: what was written is read, and a damaged file is never used.
#include "data/translation/pair_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "data/temporary.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::TemporaryFolder;

const std::string fingerprint = sha256("sources");

std::string write_two(PairFileWriter& writer) {
  writer.add({7, 8, 2}, {9, 2});
  writer.add({2}, {5, 6, 7, 2});
  return "a note";
}

std::vector<int64_t> source_of(const SentencePairs& pairs, int64_t i) {
  std::vector<int64_t> ids;
  pairs.source(i, ids);
  return ids;
}

std::vector<int64_t> target_of(const SentencePairs& pairs, int64_t i) {
  std::vector<int64_t> ids;
  pairs.target(i, ids);
  return ids;
}

void expect_two(const PairFile& pairs) {
  ASSERT_EQ(pairs.size(), 2);
  EXPECT_THAT(source_of(pairs, 0), ElementsAre(7, 8, 2));
  EXPECT_THAT(target_of(pairs, 0), ElementsAre(9, 2));
  EXPECT_THAT(source_of(pairs, 1), ElementsAre(2));
  EXPECT_THAT(target_of(pairs, 1), ElementsAre(5, 6, 7, 2));
  EXPECT_EQ(pairs.source_length(0), 3);
  EXPECT_EQ(pairs.target_length(1), 4);
  EXPECT_EQ(pairs.note(), "a note");
}

TEST(PairFile, GivesWhatWasWritten) {
  const TemporaryFolder folder;
  for (const int64_t vocabulary : {100, 100000})
    expect_two(*open_or_write_pairs(folder.path() / std::to_string(vocabulary) / "pairs.bin", fingerprint,
                                    vocabulary, write_two));
}

TEST(PairFile, KeepsIdsAboveSixteenBits) {
  const TemporaryFolder folder;
  const auto pairs =
      open_or_write_pairs(folder.path() / "pairs.bin", fingerprint, 70000, [](PairFileWriter& w) {
        w.add({69999, 2}, {65536, 65535, 2});
        return "";
      });
  EXPECT_THAT(source_of(*pairs, 0), ElementsAre(69999, 2));
  EXPECT_THAT(target_of(*pairs, 0), ElementsAre(65536, 65535, 2));
}

TEST(PairFile, IsMadeOnce) {
  const TemporaryFolder folder;
  int made = 0;
  for (int i = 0; i < 2; ++i)
    open_or_write_pairs(folder.path() / "pairs.bin", fingerprint, 100, [&made](PairFileWriter& writer) {
      ++made;
      return write_two(writer);
    });
  EXPECT_EQ(made, 1);
}

TEST(PairFile, OfOtherSourcesIsMadeAgain) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "pairs.bin";
  open_or_write_pairs(file, fingerprint, 100, write_two);
  std::string reason;
  EXPECT_EQ(PairFile::open(file, sha256("others"), reason), nullptr);
  EXPECT_EQ(reason, "was made from other sources");
}

// Every byte counts, and so does every length.
TEST(PairFile, ThatIsDamagedIsRefusedAndMadeAgain) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "pairs.bin";
  open_or_write_pairs(file, fingerprint, 100, write_two);
  const std::string whole = read_file(file);
  std::string reason;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
    testing::write(file, damaged);
    EXPECT_EQ(PairFile::open(file, fingerprint, reason), nullptr) << "byte " << i;
    EXPECT_NE(reason, "");
    testing::write(file, whole.substr(0, i));
    EXPECT_EQ(PairFile::open(file, fingerprint, reason), nullptr) << i << " bytes";
  }
  expect_two(*open_or_write_pairs(file, fingerprint, 100, write_two));
}

TEST(PairFile, ThatCannotBeMadeLeavesNothing) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "pairs.bin";
  EXPECT_THROW(open_or_write_pairs(file, fingerprint, 100,
                                   [](PairFileWriter& writer) -> std::string {
                                     writer.add({2}, {2});
                                     throw std::runtime_error("no more text");
                                   }),
               std::runtime_error);
  EXPECT_FALSE(fs::exists(file));
  EXPECT_FALSE(fs::exists(file.string() + ".part"));
}

}  // namespace
}  // namespace attnlab
