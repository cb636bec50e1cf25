// A run that was killed, stopped or starved of disk continues to the same bits as one that never was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "core/error.h"
#include "core/random.h"
#include "core/stop.h"
#include "io/checkpoint.h"
#include "io/temporary.h"
#include "train/file_record.h"
#include "train/state.h"
#include "train/toy.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int exit_interrupted = 143;

/// Trains in the folder and writes the final weights to final.safetensors.
void train_in(const fs::path& folder, const TrainOptions& options, Trainee trainee) {
  FileRecord record(folder / "record");
  for (const Table& table : training_tables()) record.define(table);
  train(trainee, options, folder, 1, torch::kCPU, record);
  save_weights(folder / "final.safetensors", *trainee.model, {});
}

/// One thread in the whole program: a child of fork() must not look for its parent's threads.
struct OneThread : testing::Environment {
  void SetUp() override { torch::set_num_threads(1); }
};
[[maybe_unused]] const auto* const one_thread = testing::AddGlobalTestEnvironment(new OneThread);

/// Runs `work` in a child process, so that it can be killed and brings its own signal handlers and generator.
template <class Work>
pid_t in_child(const Work& work) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  int status = 1;
  try {
    work();
    status = 0;
  } catch (const Interrupted& stop) {
    status = 128 + stop.signal;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "child: %s\n", error.what());
  }
  ::_exit(status);
}

int wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

/// Rows without the columns that are times or memory.
std::vector<std::string> rows_of(const fs::path& folder) {
  FileRecord record(folder / "record");
  std::vector<std::string> rows;
  for (const Table& table : training_tables()) {
    record.define(table);
    for (std::size_t row = 0; row < record.lines(table.path).size(); ++row) {
      std::string text = table.path;
      for (std::size_t c = 0; c < table.columns.size(); ++c) {
        const Column& column = table.columns[c];
        if (column.unit == "s" || column.unit == "token/s" || column.unit == "byte") continue;
        text += " " + column.name + "=" + record.cell(table.path, row, c);
      }
      rows.push_back(text);
    }
  }
  return rows;
}

/// The folder of a run that was never disturbed, with the time it took.
struct Undisturbed {
  Undisturbed() {
    const auto start = std::chrono::steady_clock::now();
    const int status = wait_for(in_child([&] { train_in(folder.path(), toy_options(), toy_trainee(1)); }));
    EXPECT_EQ(status, 0);
    microseconds = static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start)
            .count());
  }
  Temporary folder;
  uint64_t microseconds;
};

const Undisturbed& undisturbed() {
  static const Undisturbed run;
  return run;
}

void expect_same_as_undisturbed(const fs::path& folder) {
  EXPECT_EQ(read_bytes(folder / "final.safetensors"), read_bytes(undisturbed().folder / "final.safetensors"));
  EXPECT_EQ(read_bytes(best_checkpoint(folder)), read_bytes(best_checkpoint(undisturbed().folder.path())));
  EXPECT_EQ(rows_of(folder), rows_of(undisturbed().folder.path()));
}

TEST(Resume, AnUndisturbedRunHasSomethingToCompare) {
  EXPECT_EQ(rows_of(undisturbed().folder.path()).size(),
            9u + 7u);  // every 7th and 9th of 60 updates, and the last
  EXPECT_GT(read_bytes(undisturbed().folder / "final.safetensors").size(), 500u);
}

TEST(Resume, KilledAtAnyMomentItReachesTheSameBits) {
  constexpr int kills_wanted = 12;
  Random random(2026);
  for (int kills = 0, trials = 0; kills < kills_wanted; ++trials) {
    ASSERT_LT(trials, 200) << "the run ends before it can be killed";
    const Temporary folder;
    int status = -1;
    for (int sessions = 0; sessions < 50 && status != 0; ++sessions) {
      const pid_t child = in_child([&] { train_in(folder.path(), toy_options(), toy_trainee(1)); });
      std::this_thread::sleep_for(std::chrono::microseconds(random.below(undisturbed().microseconds)));
      ::kill(child, SIGKILL);
      status = wait_for(child);
      if (WIFSIGNALED(status)) ++kills;
    }
    ASSERT_EQ(status, 0) << "no session reached the end";
    expect_same_as_undisturbed(folder.path());
  }
}

/// Runs to the end in a folder that an earlier session left, and compares.
void finish_and_compare(const fs::path& folder) {
  ASSERT_EQ(wait_for(in_child([&] { train_in(folder, toy_options(), toy_trainee(1)); })), 0);
  expect_same_as_undisturbed(folder);
}

TEST(Resume, SigtermSavesAndLeavesWithInterrupted) {
  const Temporary folder;
  const int status = wait_for(in_child([&] {
    install_stop_signals();
    Trainee trainee = toy_trainee(1);
    const auto sound = trainee.micro_batch;
    trainee.micro_batch = [sound](int64_t m) {
      if (m == 45) ::raise(SIGTERM);  // in the 23rd update, which is no checkpoint's
      return sound(m);
    };
    train_in(folder.path(), toy_options(), trainee);
  }));
  EXPECT_EQ(WEXITSTATUS(status), exit_interrupted);
  const SafetensorsFile last = open_checkpoint(last_checkpoint(folder.path()));
  EXPECT_EQ(state_from_text(last.metadata().at("train_state"), last.path()).update, 23);
  finish_and_compare(folder.path());
}

TEST(Resume, AStopWithinAValidationIsHonouredAndTheValidationRepeated) {
  const Temporary folder;
  const int status = wait_for(in_child([&] {
    install_stop_signals();
    Trainee trainee = toy_trainee(1);
    const auto sound = trainee.validate;
    trainee.validate = [sound, calls = 0]() mutable {
      if (++calls == 3) ::raise(SIGTERM);
      stop_here_if_requested();
      return sound();
    };
    train_in(folder.path(), toy_options(), trainee);
  }));
  EXPECT_EQ(WEXITSTATUS(status), exit_interrupted);
  finish_and_compare(folder.path());
}

/// What a kill leaves between the save of a state and the renaming of the best weights that it counts, and
/// before that save.
TEST(Resume, BestWeightsThatWaitForTheirStateAreSettled) {
  const Temporary folder;
  finish_and_compare(folder.path());
  const fs::path best = best_checkpoint(folder.path()), next = best.parent_path() / "best.next.safetensors";
  fs::rename(best, next);
  finish_and_compare(folder.path());
  EXPECT_FALSE(fs::exists(next));
  save_weights(next, *toy_trainee(2).model, {{"update", "59"}});  // no validation's
  finish_and_compare(folder.path());
  EXPECT_FALSE(fs::exists(next));
}

/// A session that dies in the first update after a validation of its own. Each validation leaves a letter in
/// the file `validations`.
int session_that_dies_after_a_validation(const fs::path& folder, int64_t checkpoint_interval) {
  return wait_for(in_child([&] {
    TrainOptions options = toy_options();
    options.checkpoint_interval = checkpoint_interval;
    Trainee trainee = toy_trainee(1);
    bool validated = false;
    trainee.micro_batch = [&, sound = trainee.micro_batch](int64_t m) {
      if (validated) ::_exit(1);
      return sound(m);
    };
    trainee.validate = [&, sound = trainee.validate] {
      validated = true;
      std::ofstream(folder / "validations", std::ios::app) << 'v';
      return sound();
    };
    train_in(folder, options, trainee);
  }));
}

TEST(Resume, AValidationIsPaidForOnceHoweverSoonTheSessionDies) {
  const Temporary folder;
  int deaths = 0;
  while (session_that_dies_after_a_validation(folder.path(), 0) != 0) ASSERT_LT(++deaths, 20);
  EXPECT_EQ(deaths, 6);  // after updates 9, 18, …, 54
  EXPECT_EQ(fs::file_size(folder / "validations"), 7u);
  expect_same_as_undisturbed(folder.path());
}

TEST(Resume, AValidationBesideACheckpointIsPaidForTwiceAtMost) {
  const Temporary folder;
  int deaths = 0;  // a session that has just saved may leave a quick validation unsaved; the next does not
  while (session_that_dies_after_a_validation(folder.path(), 9) != 0) ASSERT_LT(++deaths, 20);
  EXPECT_LE(deaths, 2 * 6);
  EXPECT_LE(fs::file_size(folder / "validations"), 2u * 7u);
  expect_same_as_undisturbed(folder.path());
}

TEST(Resume, AFinishedRunIsNotTrainedAgain) {
  const Temporary folder;
  fs::copy(undisturbed().folder.path(), folder.path(), fs::copy_options::recursive);
  const int status = wait_for(in_child([&] {
    Trainee trainee = toy_trainee(1);
    trainee.micro_batch = [](int64_t) -> MicroBatch { throw std::logic_error("trained again"); };
    train_in(folder.path(), toy_options(), trainee);
  }));
  EXPECT_EQ(status, 0);
  expect_same_as_undisturbed(folder.path());
}

TEST(Resume, AFullDiskLeavesTheEarlierCheckpoint) {
  const Temporary folder;
  const int status = wait_for(in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    Trainee trainee = toy_trainee(1);
    const auto sound = trainee.micro_batch;
    trainee.micro_batch = [sound](int64_t m) {
      const rlimit tiny{4096, RLIM_INFINITY};
      if (m == 60) ::setrlimit(RLIMIT_FSIZE, &tiny);
      return sound(m);
    };
    const std::string said = sentence_of<RunError>([&] { train_in(folder.path(), toy_options(), trainee); });
    if (said.find("last.safetensors: File too large") == std::string::npos) throw std::runtime_error(said);
  }));
  EXPECT_EQ(status, 0);
  const SafetensorsFile last = open_checkpoint(last_checkpoint(folder.path()));
  EXPECT_EQ(state_from_text(last.metadata().at("train_state"), last.path()).update, 28);
  finish_and_compare(folder.path());
}

/// The sentence with which training refuses the undisturbed run's folder after `change`.
template <class Change>
std::string refusal(const Change& change) {
  const Temporary folder;
  fs::copy(undisturbed().folder.path(), folder.path(), fs::copy_options::recursive);
  uint64_t seed = 1;
  Trainee trainee = toy_trainee(1);
  change(folder.path(), trainee, seed);
  FileRecord record(folder / "record");
  for (const Table& table : training_tables()) record.define(table);
  return sentence_of<UserError>(
      [&] { train(trainee, toy_options(), folder.path(), seed, torch::kCPU, record); });
}

TEST(Resume, RefusesACheckpointOfAnotherSeed) {
  EXPECT_THAT(refusal([](const fs::path&, Trainee&, uint64_t& seed) { seed = 2; }),
              HasSubstr("is of a run with seed 1, and this run has seed 2"));
}

TEST(Resume, RefusesACheckpointOfAnotherModel) {
  EXPECT_THAT(refusal([](const fs::path&, Trainee& trainee, uint64_t&) {
                trainee.model = torch::nn::Linear(2, 3).ptr();
              }),
              HasSubstr("last.safetensors is of another model: 'weight' is missing"));
}

TEST(Resume, RefusesACheckpointThatWasCutShort) {
  EXPECT_THAT(refusal([](const fs::path& folder, Trainee&, uint64_t&) {
                fs::resize_file(last_checkpoint(folder), 2000);
              }),
              HasSubstr("last.safetensors is cut short"));
}

TEST(Resume, RefusesARecordThatLacksRows) {
  EXPECT_THAT(
      refusal([](const fs::path& folder, Trainee&, uint64_t&) { fs::remove_all(folder / "record"); }),
      HasSubstr("has 0 rows in /train where its checkpoint was made after 9: start over with --fresh"));
}

}  // namespace
}  // namespace attnlab
