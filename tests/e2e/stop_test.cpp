// Kills, stops, a second process, a full disk: nothing that was reached is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "core/random.h"
#include "lab.h"
#include "results/reader.h"

namespace attnlab {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::string status_of(const fs::path& folder) { return read_run(folder / "run.h5").status(); }

/// What must not depend on when a run was killed.
void expect_same_results(const fs::path& a, const fs::path& b) {
  const fs::path best = fs::path("checkpoint") / "best.safetensors";
  EXPECT_EQ(contents_of(a / best), contents_of(b / best)) << "best weights differ";
  const std::pair<const char*, std::vector<const char*>> compared[] = {
      {"/train", {"step", "loss", "learning_rate", "gradient_norm"}},
      {"/eval/test", {"label", "probability", "nll", "length"}}};
  for (const auto& [table, columns] : compared) {
    const auto left = read_table(a / "run.h5", table), right = read_table(b / "run.h5", table);
    EXPECT_FALSE(left.empty()) << table;
    for (const auto& name : columns) {
      ASSERT_TRUE(left.contains(name)) << table << " has no column " << name;
      EXPECT_EQ(left.at(name), right.at(name)) << table << "/" << name;
    }
  }
  EXPECT_EQ(read_run(a / "run.h5").summaries.at("accuracy").value,
            read_run(b / "run.h5").summaries.at("accuracy").value);
}

TEST(Stop, ARunKilledAtRandomMomentsEndsWithTheSameBits) {
  const Lab lab;
  const Words command{"run", "tiny.yaml", "train.updates=400"};
  Words undisturbed = command;
  undisturbed.emplace_back("results_folder=undisturbed");
  ASSERT_EQ(lab.attnlab(undisturbed).status, 0);

  // From process start (~1 s of loading libraries, as likely inside the start as inside training) over three
  // kills.
  Random random(20240607);
  int kills = 0;
  for (int attempt = 0; attempt < 4; ++attempt) {
    const auto process = lab.start(command);
    ASSERT_TRUE(process->says("run ")) << process->finish().err;
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(400'000)));
    process->signal(SIGKILL);
    kills += process->finish().status == 128 + SIGKILL;
  }
  EXPECT_GE(kills, 1) << "every process had ended before its kill";
  const Finished last = lab.attnlab(command);
  EXPECT_EQ(last.status, 0) << last.err;
  EXPECT_EQ(status_of(lab.run_folder()), "done");
  const fs::path other = fs::directory_iterator(lab.path() / "undisturbed" / "tiny")->path();
  expect_same_results(other, lab.run_folder());
}

class SlowRun : public testing::Test {
 protected:
  SlowRun() {
    // Long texts and a wide model: a step takes seconds.
    for (const char* folder : {"train/neg", "train/pos"})
      for (const auto& review : fs::directory_iterator(lab_.data() / folder))
        lab_.write(fs::relative(review.path(), lab_.path()).string(), std::string(4000, 'a'));
  }
  std::unique_ptr<Process> start_slow() {
    auto process =
        lab_.start({"run", "tiny.yaml", "encoding.max_length=4000", "model.encoder.dim=256",
                    "model.encoder.ffn_dim=2048", "model.encoder.layers=4", "batching.batch_size=8"});
    EXPECT_TRUE(process->says("parameters")) << process->finish().err;
    std::this_thread::sleep_for(100ms);
    return process;
  }
  Lab lab_;
};

TEST_F(SlowRun, CtrlCTwiceEndsAtOnceAndTheRunCanBeResumed) {
  const auto process = start_slow();
  process->signal(SIGINT);
  std::this_thread::sleep_for(100ms);
  process->signal(SIGINT);
  const Finished run = process->finish();
  EXPECT_EQ(run.status, 130);
  EXPECT_THAT(run.err, HasSubstr("stopped at once; the last checkpoint stands"));
  EXPECT_THAT(lab_.attnlab({"list", (lab_.run_folder() / "config.yaml").string()}).out,
              HasSubstr("interrupted"));
}

TEST_F(SlowRun, ASecondProcessOnTheFolderRefuses) {
  const auto first = start_slow();
  const auto second = lab_.attnlab({"run", (lab_.run_folder() / "config.yaml").string()});
  EXPECT_EQ(second.status, 2);
  EXPECT_THAT(second.err, HasSubstr("in use: another process works on this run"));
  EXPECT_FALSE(first->ended());
  EXPECT_THAT(lab_.attnlab({"list", (lab_.run_folder() / "config.yaml").string()}).out, HasSubstr("running"));
}

TEST(Stop, CtrlCOnceSavesAndTheSameCommandResumes) {
  const Lab lab;
  const Words command{"run", "tiny.yaml", "train.updates=20000", "train.patience=0",
                      "train.validate_interval=0"};
  const auto process = lab.start(command);
  ASSERT_TRUE(process->says("parameters"));
  std::this_thread::sleep_for(200ms);
  process->signal(SIGINT);
  const Finished run = process->finish();
  EXPECT_EQ(run.status, 130) << run.err;
  EXPECT_THAT(run.out, HasSubstr("the same command resumes it"));
  EXPECT_EQ(status_of(lab.run_folder()), "interrupted");
  EXPECT_TRUE(fs::exists(lab.run_folder() / "checkpoint" / "last.safetensors"));

  const auto again = lab.start(command);
  EXPECT_TRUE(again->says("resuming after update")) << again->finish().err;
  again->signal(SIGTERM);
  EXPECT_EQ(again->finish().status, 143);
}

/// A folder on a file system of its own; not mounted where that is not permitted.
class TinyDisk {
 public:
  TinyDisk(const fs::path& folder, const char* size) : folder_(folder) {
    fs::create_directories(folder);
    mounted_ =
        ::mount("attnlab-test", folder.c_str(), "tmpfs", 0, (std::string("size=") + size).c_str()) == 0;
    if (!mounted_) reason_ = std::strerror(errno);
  }
  ~TinyDisk() {
    if (mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  const std::string& reason() const { return reason_; }
  bool resize(const char* size) {
    return ::mount("attnlab-test", folder_.c_str(), "tmpfs", MS_REMOUNT,
                   (std::string("size=") + size).c_str()) == 0;
  }

 private:
  fs::path folder_;
  bool mounted_ = false;
  std::string reason_;
};

TEST(FullDisk, IsSaidInASentenceAndWhatWasReachedIsResumed) {
  const Lab lab;
  TinyDisk disk(lab.path() / "disk", "600k");
  if (!disk.mounted()) GTEST_SKIP() << "a tmpfs cannot be mounted here: " << disk.reason();
  const Words command{"run", "tiny.yaml", "train.updates=900", "results_folder=disk"};
  const Finished full = lab.attnlab(command);
  EXPECT_EQ(full.status, 1) << full.err;
  EXPECT_THAT(full.err, HasSubstr("No space left on device"));

  ASSERT_TRUE(disk.resize("64m"));
  const Finished resumed = lab.attnlab(command);
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.out, HasSubstr("resuming after update"));
  Words elsewhere = command;
  elsewhere.back() = "results_folder=undisturbed";
  ASSERT_EQ(lab.attnlab(elsewhere).status, 0);
  expect_same_results(fs::directory_iterator(lab.path() / "undisturbed" / "tiny")->path(),
                      fs::directory_iterator(lab.path() / "disk" / "tiny")->path());
}

TEST(FullDisk, FromTheStartIsSaidInASentence) {
  const Lab lab;
  TinyDisk disk(lab.path() / "disk", "16k");
  if (!disk.mounted()) GTEST_SKIP() << "a tmpfs cannot be mounted here: " << disk.reason();
  const Finished run = lab.attnlab({"run", "tiny.yaml", "results_folder=disk"});
  EXPECT_EQ(run.status, 1) << run.err;
  EXPECT_THAT(run.err, HasSubstr("No space left on device"));
}

}  // namespace
}  // namespace attnlab
