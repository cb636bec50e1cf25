#include "core/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "core/error.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "files.XXXXXX";
    folder = ::mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(folder); }
  fs::path folder;
};

TEST_F(Files, WritesWholeFilesAndLeavesNothingBeside) {
  write_atomically(folder / "a", "first");
  write_atomically(folder / "a", std::string_view("second\0with a zero", 18));
  EXPECT_EQ(read_file(folder / "a"), std::string("second\0with a zero", 18));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
}

TEST_F(Files, AWriteThatFailsKeepsTheOldFileAndSaysWhy) {
  write_atomically(folder / "a", "old");
  const pid_t child = ::fork();
  if (child == 0) {  // a limit on file sizes stands for a full disk: both make write() fail half-way
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_atomically(folder / "a", std::string(100000, 'x'));
    } catch (const RunError& e) {
      ::_exit(std::string(e.what()).find("cannot write") != std::string::npos ? 7 : 8);
    }
    ::_exit(9);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_EQ(read_file(folder / "a"), "old");
  EXPECT_FALSE(fs::exists(folder / "a.part"));
}

TEST_F(Files, ListsWhatIsNotHiddenInTheOrderOfNames) {
  for (const char* name : {"b.txt", "a.txt", "._a.txt", ".txt", "a.md", ".DS_Store"})
    write_atomically(folder / name, "x");
  fs::create_directory(folder / "folder.txt");
  fs::create_symlink("nowhere", folder / "link.txt");
  EXPECT_THAT(files_in(folder, ".txt"), testing::ElementsAre(folder / "a.txt", folder / "b.txt"));
  EXPECT_THROW(files_in(folder / "absent", ".txt"), RunError);
}

TEST_F(Files, TellsOfWhatGitLfsLeavesInPlaceOfAFile) {
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, 'a') + "\nsize 1056964\n";
  write_atomically(folder / "weights", pointer);
  try {
    read_file(folder / "weights");
    ADD_FAILURE();
  } catch (const UserError& e) {
    EXPECT_THAT(e.what(),
                testing::AllOf(HasSubstr("weights is not the file itself"), HasSubstr("`git lfs pull`")));
  }
  write_atomically(folder / "about", pointer + std::string(1024, 'x'));  // a text that begins with one
  EXPECT_EQ(read_file(folder / "about").size(), pointer.size() + 1024);
}

TEST_F(Files, NamesWhatCannotBeRead) {
  for (const fs::path& path : {folder / "absent", folder}) {
    try {
      read_file(path);
      FAIL() << "expected an error for " << path;
    } catch (const RunError& e) {
      EXPECT_THAT(e.what(), HasSubstr(path.string()));
    }
  }
}

TEST_F(Files, AnEmptyFileIsEmpty) {
  write_atomically(folder / "a", "");
  EXPECT_EQ(read_file(folder / "a"), "");
}

TEST_F(Files, OnlyOneHolderOfALock) {
  auto lock = FileLock::try_acquire(folder / "lock");
  ASSERT_TRUE(lock);
  EXPECT_FALSE(FileLock::try_acquire(folder / "lock"));
  EXPECT_TRUE(FileLock::is_held(folder / "lock"));
  lock.reset();
  EXPECT_FALSE(FileLock::is_held(folder / "lock"));
  EXPECT_FALSE(FileLock::is_held(folder / "absent"));
  EXPECT_TRUE(FileLock::try_acquire(folder / "lock"));
}

TEST_F(Files, ALockEndsWithItsProcess) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = FileLock::try_acquire(folder / "lock");
    ::raise(SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(FileLock::try_acquire(folder / "lock"));
}

// FIPS 180-2, appendix B.1, and the empty message.
TEST(Sha256, MatchesThePublishedDigests) {
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace attnlab
