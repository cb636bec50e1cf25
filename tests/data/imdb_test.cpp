#include "data/imdb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "data/temporary.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;
using testing::text_of;
using testing::write;

/// 20 reviews a class and half, in the publisher's layout.
class Imdb : public ::testing::Test {
 protected:
  Imdb() {
    for (const char* half : {"train", "test"})
      for (const char* name : {"neg", "pos"})
        for (int i = 0; i < 20; ++i) write(review(half, name, i), fmt::format("{} {} {}", half, name, i));
  }
  fs::path review(const std::string& half, const std::string& name, int i) const {
    return place.root / "imdb" / "aclImdb" / half / name / fmt::format("{}_{}.txt", i, name == "pos" ? 8 : 2);
  }
  fs::path prepared(const std::string& half) const { return place.cache / ("imdb-" + half + ".seq"); }
  std::string captured() {
    ::testing::internal::CaptureStderr();
    options.open(place);
    return ::testing::internal::GetCapturedStderr();
  }
  static std::set<std::string> ids(const LabelledSequences& data) {
    std::set<std::string> all;
    for (int64_t i = 0; i < data.size(); ++i) all.emplace(data.id(i));
    return all;
  }

  testing::TemporaryFolder folder;
  DataPlace place{folder.path() / "data", folder.path() / "cache"};
  ImdbOptions options;
};

TEST_F(Imdb, ReadsThePublishersLayout) {
  const auto data = options.open(place)[Split::test];
  ASSERT_EQ(data->size(), 40);
  for (int64_t i = 0; i < data->size(); ++i) {
    const std::string id(data->id(i));  // test/pos/12_8
    EXPECT_EQ(data->label(i), id.find("/pos/") != std::string::npos ? 1 : 0);
    EXPECT_EQ(text_of(*data, i), read_file(place.root / "imdb" / "aclImdb" / (id + ".txt")));
  }
  EXPECT_EQ(ids(*data).size(), 40u);
  EXPECT_TRUE(ids(*data).contains("test/pos/12_8"));
}

TEST_F(Imdb, EveryPrefixOfASplitIsBalanced) {
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    const auto data = options.open(place)[split];
    int64_t balance = 0;
    for (int64_t i = 0; i < data->size(); ++i) {
      balance += data->label(i) == 1 ? 1 : -1;
      EXPECT_LE(std::abs(balance), 1) << "after " << i + 1 << " examples of " << name_of(split);
    }
  }
}

TEST_F(Imdb, TrainsOnTheHeldOutReviewsTooWhereAskedTo) {
  const auto held = ids(*options.open(place)[Split::validation]);
  options.train_on_held_out = true;
  const LabelledSplits all = options.open(place);
  EXPECT_EQ(ids(*all.train).size(), 40u);
  EXPECT_EQ(all.train->size(), 40);
  EXPECT_EQ(ids(*all.validation), held);
  EXPECT_EQ(ids(*all.test), ids(*ImdbOptions().open(place).test));
}

TEST_F(Imdb, HoldsValidationOutOfTrain) {
  const auto train = ids(*options.open(place)[Split::train]);
  const auto validation = ids(*options.open(place)[Split::validation]);
  EXPECT_EQ(train.size(), 36u);
  EXPECT_EQ(validation.size(), 4u);  // a tenth of each class
  for (const auto& id : validation) {
    EXPECT_EQ(id.substr(0, 6), "train/");
    EXPECT_FALSE(train.contains(id));
  }
  options.validation_seed = 1;
  EXPECT_NE(ids(*options.open(place)[Split::validation]), validation);
}

TEST_F(Imdb, ALargerValidationPartContainsTheSmaller) {
  const auto tenth = ids(*options.open(place)[Split::validation]);
  options.validation_fraction = 0.5;
  const auto half = ids(*options.open(place)[Split::validation]);
  EXPECT_EQ(half.size(), 20u);
  EXPECT_TRUE(std::includes(half.begin(), half.end(), tenth.begin(), tenth.end()));
}

TEST_F(Imdb, RefusesAnEmptyValidationPart) {
  options.validation_fraction = 0;
  EXPECT_THAT(message_of<UserError>([&] { options.open(place); }),
              HasSubstr("validation_fraction 0 of 40 training reviews leaves none"));
}

TEST_F(Imdb, RefusesAnEmptyTrainingPart) {
  for (const char* name : {"neg", "pos"})
    for (int i = 1; i < 20; ++i) fs::remove(review("train", name, i));
  options.validation_fraction = 0.5;  // of one review a class: rounded up to all
  EXPECT_THAT(message_of<UserError>([&] { options.open(place); }),
              HasSubstr("validation_fraction 0.5 of 2 training reviews leaves none to train on"));
}

TEST_F(Imdb, TakesFixedBalancedSamples) {
  options.test_examples = 6;
  options.train_examples = 10;
  const auto test = options.open(place)[Split::test];
  const auto train = options.open(place)[Split::train];
  EXPECT_EQ(test->size(), 6);
  EXPECT_EQ(train->size(), 10);
  const auto six = ids(*test);
  EXPECT_EQ(std::count_if(six.begin(), six.end(), [](auto& id) { return id.starts_with("test/pos/"); }), 3);
  options.test_examples = 8;
  const auto eight = ids(*options.open(place)[Split::test]);
  EXPECT_TRUE(std::includes(eight.begin(), eight.end(), six.begin(), six.end()));
}

TEST_F(Imdb, ReadsBytesThatAreNotUtf8AsTheyAre) {
  const std::string latin1 = "tr\xE8s bon\0\xFF\r\n";
  write(review("test", "pos", 3), latin1);
  const std::string log = captured();
  EXPECT_THAT(log, HasSubstr("40 test reviews"));
  EXPECT_THAT(log, HasSubstr("1 of 40 test reviews are not UTF-8"));
  const auto data = options.open(place)[Split::test];
  for (int64_t i = 0; i < data->size(); ++i)
    if (data->id(i) == "test/pos/3_8") {
      EXPECT_EQ(text_of(*data, i), latin1);
    }
}

TEST_F(Imdb, ACopyThatWentThroughOtherSystemsGivesTheSameData) {
  write(review("test", "neg", 5), "one\ntwo");
  const std::string before = options.open(place).checksum;
  write(review("test", "neg", 5), "\xEF\xBB\xBFone\r\ntwo");
  for (const char* name : {"._0_8.txt", ".DS_Store", ".0_8.txt.swp"})
    write(review("train", "pos", 0).parent_path() / name, std::string_view("\0\5\26\7", 4));
  EXPECT_EQ(options.open(place).checksum, before);
}

TEST_F(Imdb, RefusesAReviewInUtf16) {
  write(review("train", "neg", 5), std::string_view("\xFF\xFEh\0i\0", 6));
  EXPECT_THAT(message_of<UserError>([&] { options.open(place); }),
              AllOf(HasSubstr("train/neg/5_2.txt is in UTF-16"), HasSubstr("iconv")));
}

TEST_F(Imdb, EncodesALineAsItsBytes) {
  EXPECT_EQ(options.encode("a\xC3\xA9"), (std::vector<uint8_t>{'a', 0xC3, 0xA9}));
}

TEST_F(Imdb, NamesAMissingClassFolder) {
  fs::remove_all(review("test", "neg", 0).parent_path());
  EXPECT_THAT(message_of<UserError>([&] { options.open(place); }),
              AllOf(HasSubstr("imdb/aclImdb/test/neg"), HasSubstr("scripts/fetch_data imdb")));
  EXPECT_FALSE(fs::exists(prepared("train"))) << "told of only after the other half had been prepared";
  fs::remove_all(place.root);
  EXPECT_THAT(message_of<UserError>([&] { options.open(place); }),
              AllOf(HasSubstr("imdb/aclImdb/train/neg"), HasSubstr("scripts/fetch_data imdb")));
}

TEST_F(Imdb, NamesAClassFolderWithoutReviews) {
  const fs::path neg = review("test", "neg", 0).parent_path();
  fs::remove_all(neg);
  write(neg / "urls_neg.html", "not a review");
  EXPECT_THAT(message_of<UserError>([&] { options.open(place); }),
              AllOf(HasSubstr("test/neg"), HasSubstr("holds no reviews")));
}

TEST_F(Imdb, NamesAnEmptyReviewAndPreparesNothing) {
  write(review("train", "pos", 4), "");
  EXPECT_THAT(message_of<UserError>([&] { options.open(place); }),
              AllOf(HasSubstr("train/pos/4_8.txt is empty"), HasSubstr("scripts/fetch_data imdb")));
  EXPECT_FALSE(fs::exists(prepared("train")));
}

TEST_F(Imdb, PreparesOnce) {
  EXPECT_THAT(captured(), HasSubstr("prepared 40 test reviews"));
  const auto written = fs::last_write_time(prepared("test"));
  EXPECT_EQ(captured(), "");
  EXPECT_EQ(fs::last_write_time(prepared("test")), written);
}

/// Each opening hashes the whole file, which is most of the time that a run needs to start.
TEST_F(Imdb, OpensEachPreparedFileOnce) {
  options.open(place);
  const int watch = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  ASSERT_GE(watch, 0);
  for (const char* half : {"train", "test"})
    ASSERT_GE(::inotify_add_watch(watch, prepared(half).c_str(), IN_OPEN), 0);
  options.open(place);
  alignas(inotify_event) char events[16 * sizeof(inotify_event)];  // a watched file's events carry no name
  const ssize_t read = ::read(watch, events, sizeof events);
  EXPECT_EQ(read, static_cast<ssize_t>(2 * sizeof(inotify_event)));
  ::close(watch);
}

TEST_F(Imdb, PreparesAgainWhenTheSourceChanged) {
  const std::string before = options.open(place).checksum;
  EXPECT_EQ(options.open(place).checksum, before);
  write(review("test", "pos", 99), "one more review");
  EXPECT_THAT(captured(), AllOf(HasSubstr("other source files"), HasSubstr("prepared 41 test reviews")));
  write(review("test", "pos", 99), "one more review, longer");
  EXPECT_THAT(captured(), HasSubstr("prepared 41 test reviews"));
  EXPECT_NE(options.open(place).checksum, before);
}

TEST_F(Imdb, ChecksumIsOfContentNotOfPlace) {
  const std::string before = options.open(place).checksum;
  fs::rename(place.root, folder.path() / "moved");
  place = {folder.path() / "moved", folder.path() / "another cache"};
  EXPECT_EQ(options.open(place).checksum, before);
}

/// What can happen to a prepared file, and what is said of it.
struct Damage {
  const char* name;
  void (*act)(std::string& bytes);
  const char* said;
};

class DamagedPreparedFile : public Imdb, public ::testing::WithParamInterface<Damage> {};

TEST_P(DamagedPreparedFile, IsNoticedAndMadeAgain) {
  options.open(place);
  const std::string whole = read_file(prepared("test"));
  std::string bytes = whole;
  GetParam().act(bytes);
  write(prepared("test"), bytes);
  EXPECT_THAT(captured(),
              AllOf(HasSubstr("imdb-test.seq"), HasSubstr(GetParam().said), HasSubstr("preparing it again")));
  EXPECT_EQ(read_file(prepared("test")), whole);
}

INSTANTIATE_TEST_SUITE_P(
    Each, DamagedPreparedFile,
    ::testing::Values(Damage{"empty", [](std::string& b) { b.clear(); }, "cut short"},
                      Damage{"header_cut", [](std::string& b) { b.resize(100); }, "cut short"},
                      Damage{"payload_cut", [](std::string& b) { b.resize(b.size() - 1); },
                             "cut short or damaged"},
                      Damage{"grown", [](std::string& b) { b += 'x'; }, "cut short or damaged"},
                      Damage{"last_byte_flipped", [](std::string& b) { b.back() ^= 1; }, "damaged"},
                      Damage{"first_offset_flipped", [](std::string& b) { b[168] ^= 64; }, "damaged"},
                      Damage{"huge_count", [](std::string& b) { b[23] = '\x7F'; }, "cut short or damaged"},
                      Damage{"fingerprint_flipped", [](std::string& b) { b[40] ^= 1; }, "other source files"},
                      Damage{"another_version", [](std::string& b) { b[8] = 2; }, "format version 2, not 1"},
                      Damage{"another_file", [](std::string& b) { b.replace(0, 4, "\x89HDF"); },
                             "not a prepared data file"}),
    [](const auto& test) { return test.param.name; });

TEST_F(Imdb, ProcessesThatPrepareTogetherAllGetTheWholeSet) {
  options.open(place);
  const std::string whole = read_file(prepared("train"));
  for (int round = 0; round < 5; ++round) {
    fs::remove_all(place.cache);
    std::vector<pid_t> children;
    for (int i = 0; i < 3; ++i) {
      const pid_t child = ::fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        int status = 1;
        try {
          status = options.open(place)[Split::train]->size() == 36 ? 0 : 2;
        } catch (...) {
        }
        ::_exit(status);
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = -1;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
    }
    EXPECT_EQ(read_file(prepared("train")), whole);
  }
}

TEST_F(Imdb, WaitsForTheProcessThatPreparesAndUsesItsWork) {
  options.open(place);
  const std::string whole = read_file(prepared("test"));
  fs::remove(prepared("test"));
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();  // holds the lock, then leaves the prepared file behind
  if (child == 0) {
    auto lock = FileLock::try_acquire(prepared("test").string() + ".lock");
    const char locked = lock ? 'y' : 'n';
    if (::write(ready[1], &locked, 1) != 1) ::_exit(1);
    ::usleep(200'000);
    write_atomically(prepared("test"), whole);
    ::_exit(0);
  }
  char locked = 0;
  ASSERT_EQ(::read(ready[0], &locked, 1), 1);
  ASSERT_EQ(locked, 'y');
  const std::string log = captured();
  EXPECT_THAT(log, HasSubstr("waiting for another process that prepares"));
  EXPECT_THAT(log, ::testing::Not(HasSubstr("prepared 40")));
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

/// As scripts/bundle carries them: what was prepared, without the reviews.
class CarriedImdb : public Imdb {
 protected:
  CarriedImdb() {
    options.open(place);
    for (const char* half : {"train", "test"}) {
      fs::create_directories(carried(half).parent_path());
      fs::rename(prepared(half), carried(half));
    }
  }
  fs::path carried(const std::string& half) const {
    return place.root / "imdb" / "prepared" / (half + ".seq");
  }
  void lose_the_reviews() const { fs::remove_all(place.root / "imdb" / "aclImdb"); }
  std::string refusal() {
    return message_of<UserError>([&] { options.open(place); });
  }
};

TEST_F(CarriedImdb, IsTheSameDataWithoutTheReviews) {
  const LabelledSplits before = options.open(place);
  fs::remove_all(place.cache);
  lose_the_reviews();
  EXPECT_THAT(captured(), HasSubstr("the reviews themselves are not here"));
  const LabelledSplits all = options.open(place);
  EXPECT_EQ(all.checksum, before.checksum);
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    ASSERT_EQ(all[split]->size(), before[split]->size());
    for (int64_t i = 0; i < all[split]->size(); ++i) {
      EXPECT_EQ(all[split]->id(i), before[split]->id(i));
      EXPECT_EQ(text_of(*all[split], i), text_of(*before[split], i));
    }
  }
  EXPECT_FALSE(fs::exists(place.cache));
}

TEST_F(CarriedImdb, IsNotReadWhereReviewsAre) {
  write(carried("train"), "damaged");
  EXPECT_EQ(options.open(place)[Split::train]->size(), 36);
  fs::remove(review("test", "pos", 3));
  EXPECT_EQ(options.open(place)[Split::test]->size(), 39);
}

TEST_F(CarriedImdb, IsRefusedWhereItIsDamagedOrHalf) {
  lose_the_reviews();
  std::string bytes = read_file(carried("test"));
  bytes.back() ^= 1;
  write(carried("test"), bytes);
  EXPECT_THAT(refusal(), HasSubstr("imdb/prepared/test.seq is damaged"));
  fs::remove(carried("test"));
  EXPECT_THAT(refusal(), HasSubstr("imdb/prepared/test.seq is not there, and the other half is"));
  fs::remove(carried("train"));
  EXPECT_THAT(refusal(), HasSubstr("scripts/fetch_data imdb fetches it"));
}

TEST_F(Imdb, SaysWhichCacheFolderCannotBeMade) {
  write(folder.path() / "file", "in the way");
  place.cache = folder.path() / "file" / "cache";
  EXPECT_THAT(message_of<RunError>([&] { options.open(place); }), HasSubstr("file/cache"));
}

}  // namespace
}  // namespace attnlab
