// Starting over: the old result is whole in one place or gone, wherever a kill falls.
#include "run/previous.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <random>

#include "results/record_file.h"
#include "test_folder.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

using Files = std::map<std::string, std::string>;  ///< contents by name

class Previous : public testing::Test {
 protected:
  static void write(const fs::path& folder, const Files& files) {
    fs::create_directories(folder);
    for (const auto& [name, text] : files) std::ofstream(folder / name) << text;
  }
  /// The files that runs wrote directly in `path`; folders show as "/".
  static Files files_in(const fs::path& path) {
    Files files;
    for (const auto& entry : fs::directory_iterator(path)) {
      const std::string name = entry.path().filename().string();
      if (written_by_runs(name)) files[name] = entry.is_directory() ? "/" : contents(entry.path());
    }
    return files;
  }

  TemporaryFolder temporary_;
  const RunFolder folder_{temporary_.path()};
  const fs::path moving_ = folder_.path / "previous.part";
  const Files old_{{"config.yaml", "old"}, {"log.txt", "old"}, {"metrics.jsonl", "old"}, {"run.h5", "old"}};
  const Files new_{{"config.yaml", "new"}, {"log.txt", "new"}, {"run.h5", "new"}};
};

TEST_F(Previous, HoldsTheOldResultUntilItIsPutBack) {
  write(folder_.path, old_);
  set_aside(folder_);
  EXPECT_EQ(files_in(folder_.path), Files{});
  EXPECT_EQ(files_in(folder_.previous()), old_);
  write(folder_.path, new_);
  put_back(folder_);
  EXPECT_EQ(files_in(folder_.path), old_);
  EXPECT_FALSE(fs::exists(folder_.previous()));
}

TEST_F(Previous, TakesTheFoldersOfARunAlong) {
  Files all = old_;
  write(folder_.path, old_);
  for (const char* name : {"checkpoint", "model", "plots"}) {
    fs::create_directory(folder_.path / name);
    all[name] = "/";
  }
  set_aside(folder_);
  EXPECT_EQ(files_in(folder_.previous()), all);
}

TEST_F(Previous, KeepsTheOldResultThroughASecondFreshStart) {
  write(folder_.path, old_);
  set_aside(folder_);
  write(folder_.path, new_);  // killed before it was done
  set_aside(folder_);
  EXPECT_EQ(files_in(folder_.path), Files{});
  EXPECT_EQ(files_in(folder_.previous()), old_);
}

TEST_F(Previous, IsNotMadeWhereThereIsNothingToKeep) {
  set_aside(folder_);
  EXPECT_TRUE(fs::is_empty(folder_.path));
}

TEST_F(Previous, AKillWhileMovingIntoItLeavesTheOldResultInPlace) {
  for (size_t moved = 0; moved <= old_.size(); ++moved) {
    const auto split = std::next(old_.begin(), static_cast<std::ptrdiff_t>(moved));
    write(moving_, Files(old_.begin(), split));
    write(folder_.path, Files(split, old_.end()));
    repair(folder_);
    EXPECT_EQ(files_in(folder_.path), old_) << moved << " files moved";
  }
}

TEST_F(Previous, AKillWhileMovingBackIsFinished) {
  write(folder_.path, old_);
  set_aside(folder_);
  fs::rename(folder_.previous(), moving_);
  fs::rename(moving_ / "log.txt", folder_.path / "log.txt");
  repair(folder_);
  EXPECT_EQ(files_in(folder_.path), old_);
}

TEST_F(Previous, AKillWhileTheNewRunIsClearedLeavesNoneOfIt) {
  write(folder_.path, old_);
  set_aside(folder_);
  fs::create_directory(folder_.path / "clearing.part");
  write(folder_.path, {{"run.h5", "new"}});  // its checkpoint is gone already
  repair(folder_);
  EXPECT_EQ(files_in(folder_.path), Files{});
  EXPECT_EQ(files_in(folder_.previous()), old_);
}

TEST_F(Previous, AKillWhileItIsForgottenLeavesOnlyTheNewResult) {
  write(folder_.path, new_);
  write(folder_.path / "forgotten.part", {{"run.h5", "old"}});
  repair(folder_);
  EXPECT_EQ(files_in(folder_.path), new_);
}

TEST_F(Previous, IsForgottenWhereTheNewRunWasDoneBeforeTheKill) {
  write(folder_.previous(), old_);
  open_record(folder_.path)->attribute("status", std::string("running"));
  repair(folder_);
  EXPECT_EQ(files_in(folder_.previous()), old_) << "the new run is not done yet";
  open_record(folder_.path)->attribute("status", std::string("done"));
  repair(folder_);
  EXPECT_FALSE(fs::exists(folder_.previous()));
  EXPECT_EQ(read_run(folder_.record()).status(), "done");
}

TEST_F(Previous, LetsHiddenFilesLie) {
  write(folder_.path, old_);
  write(folder_.path, {{".DS_Store", "a Mac's"}});
  set_aside(folder_);
  EXPECT_EQ(files_in(folder_.previous()), old_);
  EXPECT_TRUE(fs::exists(folder_.path / ".DS_Store"));
}

TEST_F(Previous, RefusesToTouchWhatNoRunWrites) {
  write(folder_.path, old_);
  write(folder_.path, {{"notes.txt", "mine"}});
  EXPECT_THAT(user_error_of([&] { set_aside(folder_); }), HasSubstr("notes.txt, which no run writes"));
  EXPECT_EQ(files_in(folder_.path), old_);
}

/// Many files, so that a kill at any time falls into the middle of something.
TEST_F(Previous, SurvivesAKillAtAnyMoment) {
  Files many, few;
  for (int i = 0; i < 100; ++i) many[std::to_string(i) + ".part"] = "old " + std::to_string(i);
  for (int i = 0; i < 50; ++i) few[std::to_string(i) + ".part"] = "new";
  write(folder_.path, many);
  std::mt19937 random(1);
  for (int round = 0; round < 40; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0)
      for (;;) {
        set_aside(folder_);
        write(folder_.path, few);
        set_aside(folder_);
        write(folder_.path, few);
        put_back(folder_);
      }
    ::usleep(1000 + random() % 8000);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);

    repair(folder_);
    if (fs::exists(folder_.previous())) put_back(folder_);
    ASSERT_EQ(files_in(folder_.path), many) << "round " << round;
  }
}

}  // namespace
}  // namespace attnlab
