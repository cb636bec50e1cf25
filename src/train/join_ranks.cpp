#include <algorithm>
#include <cstdlib>
#include <memory>

#include "core/error.h"
#include "core/shared_library.h"
#include "kernels/ops.h"
#include "train/device_ranks.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// What libattnlab_mpi.so and libattnlab_nccl.so give.
using JoinMpi = Ranks*();
constexpr const char* join_mpi = "attnlab_join_mpi";
using JoinNccl = DeviceLinks*(Ranks&, torch::Device);
constexpr const char* join_nccl = "attnlab_join_nccl";

fs::path own_library(const char* name) {
  return folder_of(reinterpret_cast<const void*>(&Drop::draw)) / name;
}

template <class Join>
Join* join_of(const fs::path& library, const char* name) {
  auto* const join = reinterpret_cast<Join*>(function_named(library, name));
  ensure(join != nullptr, "{} in {}", name, library.string());
  return join;
}

/// By NCCL, which refuses two ranks on one GPU.
DeviceJoin by_nccl(int local_size) {
  const fs::path library = own_library("libattnlab_nccl.so");
  return {[=]() -> std::string {
            const auto gpus = static_cast<int>(torch::cuda::device_count());
            if (local_size > gpus)
              return fmt::format("{} processes of one machine have {} GPUs", local_size, gpus);
            return open_library(library);
          },
          [=](Ranks& host, torch::Device device) {
            return std::unique_ptr<DeviceLinks>(join_of<JoinNccl>(library, join_nccl)(host, device));
          }};
}

std::unique_ptr<Ranks> joined() {
  const int started = ranks_started();
  if (started <= 1) return std::make_unique<OneRank>();
  const fs::path library = own_library("libattnlab_mpi.so");
  if (const std::string reason = open_library(library); !reason.empty())
    user_error(
        "{} processes were started together, and what they would talk through does not open: {} (it is built "
        "where libopenmpi-dev is installed)",
        started, reason);
  std::unique_ptr<Ranks> ranks(join_of<JoinMpi>(library, join_mpi)());
  if (ranks->size() != started)
    user_error(
        "{} processes were started together, and MPI sees {} of them: start them with mpirun, or with srun "
        "--mpi=pmix",
        started, ranks->size());
  const int local_size = ranks->local_size();
  return std::make_unique<DeviceRanks>(std::move(ranks), by_nccl(local_size));
}

}  // namespace

int ranks_started() {
  int most = 1;
  // Open MPI's mpirun; MPICH's and PMI-2; Slurm's srun, not its batch script.
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"})
    if (const char* value = std::getenv(variable)) most = std::max(most, std::atoi(value));
  return most;
}

Ranks& join_ranks() {
  static const std::unique_ptr<Ranks> ranks = joined();
  return *ranks;
}

}  // namespace attnlab
