// Several processes train one model as one process does. mpirun starts this program again, once a rank.
#include "train/ranks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "core/error.h"
#include "core/random.h"
#include "core/stop.h"
#include "io/checkpoint.h"
#include "io/temporary.h"
#include "train/file_record.h"
#include "train/state.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// What the processes are told through their environment.
constexpr const char* folder_variable = "ATTNLAB_TEST_RANKS";
constexpr const char* event_variable = "ATTNLAB_TEST_RANKS_EVENT";
constexpr int64_t event_at = 100;  ///< micro-batch in which it happens, rank 1's where there are two or three

struct PairOfLinearsImpl : torch::nn::Module {
  PairOfLinearsImpl() {
    hidden = register_module("hidden", torch::nn::Linear(5, 7));
    out = register_module("out", torch::nn::Linear(7, 1));
    to(torch::kFloat64);
  }
  torch::Tensor forward(const torch::Tensor& x) {
    return out(torch::dropout(torch::tanh(hidden(x)), 0.2, is_training()));
  }
  torch::nn::Linear hidden{nullptr}, out{nullptr};
};
TORCH_MODULE(PairOfLinears);

/// Micro-batch m has 1 to 9 rows and counts by them; everything is in double.
MicroBatch uneven_batch(PairOfLinears& model, int64_t m) {
  Random random(derive_seed(3, "rows", static_cast<uint64_t>(m)));
  const auto rows = static_cast<int64_t>(1 + random.below(9));
  torch::Tensor x = torch::empty({rows, 5}, torch::kFloat64);
  for (int64_t i = 0; i < x.numel(); ++i) x.mutable_data_ptr<double>()[i] = 2 * random.uniform() - 1;
  const torch::Tensor y = (x.select(1, 0) * x.select(1, 1)).unsqueeze(1);
  return {torch::mse_loss(model(x), y), rows, rows, 0.0, static_cast<double>(rows)};
}

void happen(const std::string& event) {
  if (event == "dies") ::_exit(9);
  if (event == "throws") throw std::runtime_error("a micro-batch that cannot be read");
  if (event == "terminated") ::raise(SIGTERM);
}

Trainee trainee_of(PairOfLinears& model, const std::string& event) {
  Trainee trainee;
  trainee.model = model.ptr();
  trainee.draws_by_micro_batch = true;
  trainee.micro_batches_per_epoch = 60;
  trainee.micro_batch = [&model, event](int64_t m) {
    if (m == event_at) happen(event);
    return uneven_batch(model, m);
  };
  trainee.validate = [&model, event, calls = 0]() mutable {
    ensure(join_ranks().rank() == 0, "the first rank alone to validate");
    if (event == "stopped within the last validation" && ++calls == 4) ::raise(SIGTERM);
    stop_here_if_requested();
    return Validation{-uneven_batch(model, 1000).loss.item<double>(), 0.0, 1.0, 1};
  };
  return trainee;
}

TrainOptions six_micro_batches() {
  TrainOptions options;
  options.updates = 40;
  options.accumulate = 6;
  options.learning_rate = 0.02;
  options.clip_norm = 0.5;
  options.log_interval = 1;
  options.validate_interval = 10;
  options.checkpoint_interval = 3;
  options.checkpoint_seconds = 0;
  return options;
}

/// What one of the processes does in the folder; its exit status.
int train_as_rank(const fs::path& folder, const std::string& event) {
  Ranks& ranks = join_ranks();
  if (ranks.rank() > 0) ensure(ranks.released(), "the first rank to begin");
  torch::manual_seed(5 + ranks.rank());  // other weights on every rank: the first's count
  PairOfLinears model;
  Trainee trainee = trainee_of(model, event);
  TrainOptions options = six_micro_batches();
  if (event == "uneven") options.accumulate = 5;
  FileRecord record(folder / (ranks.rank() == 0 ? "record" : fmt::format("record_of_{}", ranks.rank())));
  for (const Table& table : training_tables()) record.define(table);
  int status = 0;
  try {
    train(trainee, options, folder, 1, torch::kCPU, record);
    save_weights(folder / "final.safetensors", *model, {});
  } catch (const Dismissed&) {
  } catch (const Interrupted& stop) {
    status = 128 + stop.signal;
  } catch (const std::exception& error) {
    std::ofstream(folder / fmt::format("error{}", ranks.rank())) << error.what();
    status = 1;
  }
  return ranks.part(status, 20) ? status : 99;
}

/// Where this process is one that mpirun, or a test by itself, started.
TEST(RanksChild, Trains) {
  const char* folder = std::getenv(folder_variable);
  if (!folder) GTEST_SKIP() << "started by the other tests alone";
  install_stop_signals();
  const char* event = std::getenv(event_variable);
  const int status = train_as_rank(folder, event ? event : "");
  std::fflush(nullptr);
  ::_exit(status);
}

class SeveralRanks : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv(folder_variable)) GTEST_SKIP() << "a rank itself";
    if (std::system("command -v mpirun > /dev/null") != 0) GTEST_SKIP() << "no mpirun here (openmpi-bin)";
    const fs::path library =
        fs::read_symlink("/proc/self/exe").parent_path() / "../src/kernels/libattnlab_mpi.so";
    if (!fs::exists(library)) GTEST_SKIP() << "built without MPI: no " << library;
  }

  /// Trains in the folder with so many processes and returns their exit status.
  static int train_with(int ranks, const fs::path& folder, const std::string& event = "") {
    const std::string self = fs::read_symlink("/proc/self/exe");
    const std::string start =
        ranks == 1 ? "" : fmt::format("mpirun --oversubscribe --bind-to none -n {} ", ranks);
    const std::string command = fmt::format(
        "{}='{}' {}='{}' OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "
        "OMPI_MCA_btl_vader_single_copy_mechanism=none {}'{}' --gtest_filter=RanksChild.Trains > '{}' 2>&1",
        folder_variable, folder.string(), event_variable, event, start, self, (folder / "output").string());
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  static std::vector<double> losses_in(const fs::path& folder) {
    FileRecord record(folder / "record");
    record.define(training_tables().front());
    std::vector<double> losses;
    for (std::size_t row = 0; row < record.lines("/train").size(); ++row)
      losses.push_back(std::stod(record.cell("/train", row, 1)));
    return losses;
  }

  static int64_t update_in(const fs::path& folder) {
    const SafetensorsFile last = open_checkpoint(last_checkpoint(folder));
    return state_from_text(last.metadata().at("train_state"), last.path()).update;
  }

  /// The curve and weights of one process that was never disturbed.
  static void expect_as_one(const fs::path& folder) {
    static const Temporary alone;
    static const int once = train_with(1, alone.path());
    ASSERT_EQ(once, 0) << read_bytes(alone / "output");
    const std::vector<double> got = losses_in(folder), want = losses_in(alone.path());
    ASSERT_EQ(want.size(), 40u);
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-10) << "update " << i + 1;
    EXPECT_LT(want.back(), 0.7 * want.front());
    for (const char* file : {"final.safetensors", "checkpoint/best.safetensors"}) {
      const auto ours = SafetensorsFile::open(folder / file), theirs = SafetensorsFile::open(alone / file);
      EXPECT_TRUE(torch::allclose(ours.tensor("hidden.weight"), theirs.tensor("hidden.weight"), 0, 1e-10))
          << file;
    }
    EXPECT_EQ(update_in(folder), 40);
  }
};

TEST_F(SeveralRanks, LearnAsOneDoes) {
  for (const int ranks : {2, 3}) {
    const Temporary folder;
    ASSERT_EQ(train_with(ranks, folder.path()), 0) << read_bytes(folder / "output");
    expect_as_one(folder.path());
    EXPECT_EQ(fs::file_size(folder / "record_of_1/_train.tsv"), 0u);
  }
}

TEST_F(SeveralRanks, ARankThatDiesEndsTheOthersAndAnotherNumberOfThemGoesOn) {
  for (const int next : {3, 1}) {
    const Temporary folder;
    EXPECT_EQ(train_with(2, folder.path(), "dies"), 9);  // in rank 0, which has the even micro-batches
    EXPECT_THAT(read_bytes(folder / "output"), HasSubstr("mpirun"));
    EXPECT_EQ(update_in(folder.path()), 15);
    ASSERT_EQ(train_with(next, folder.path()), 0) << read_bytes(folder / "output");
    expect_as_one(folder.path());
  }
}

TEST_F(SeveralRanks, AnErrorOfOneIsThatOfAll) {
  const Temporary folder;
  EXPECT_EQ(train_with(3, folder.path(), "throws"), 1);  // 100 is rank 1's of three
  EXPECT_EQ(read_bytes(folder / "error1"), "a micro-batch that cannot be read");
  EXPECT_EQ(read_bytes(folder / "error0"), "rank 1: a micro-batch that cannot be read");
  EXPECT_EQ(read_bytes(folder / "error2"), "rank 1: a micro-batch that cannot be read");
  ASSERT_EQ(train_with(2, folder.path()), 0);
  expect_as_one(folder.path());
}

TEST_F(SeveralRanks, ASignalToOneStopsAllAfterTheUpdate) {
  const Temporary folder;
  EXPECT_EQ(train_with(3, folder.path(), "terminated"), 128 + SIGTERM);
  EXPECT_EQ(update_in(folder.path()), 17);  // micro-batch 100 is the 17th update's
  ASSERT_EQ(train_with(2, folder.path()), 0);
  expect_as_one(folder.path());
}

TEST_F(SeveralRanks, AStopWithinTheLastValidationIsHonouredAndTheValidationRepeated) {
  const Temporary folder;
  EXPECT_EQ(train_with(2, folder.path(), "stopped within the last validation"), 128 + SIGTERM);
  EXPECT_EQ(update_in(folder.path()), 40);
  ASSERT_EQ(train_with(2, folder.path()), 0);
  expect_as_one(folder.path());
}

TEST_F(SeveralRanks, MicroBatchesThatCannotBeSharedAreRefused) {
  const Temporary folder;
  EXPECT_EQ(train_with(2, folder.path(), "uneven"), 1);
  EXPECT_EQ(read_bytes(folder / "error0"),
            "train.accumulate: 5 micro-batches cannot be shared evenly by 2 processes");
}

TEST_F(SeveralRanks, ALauncherThatMpiDoesNotKnowIsNamed) {
  const Temporary folder;
  const std::string self = fs::read_symlink("/proc/self/exe");
  const std::string command =
      fmt::format("SLURM_STEP_NUM_TASKS=4 {}='{}' '{}' --gtest_filter=RanksChild.Trains > '{}' 2>&1",
                  folder_variable, folder.path().string(), self, (folder / "output").string());
  EXPECT_NE(std::system(command.c_str()), 0);
  EXPECT_THAT(read_bytes(folder / "output"),
              HasSubstr("4 processes were started together, and MPI sees 1 of them"));
}

}  // namespace
}  // namespace attnlab
