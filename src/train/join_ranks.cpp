#include <algorithm>
#include <cstdlib>
#include <memory>

#include "core/error.h"
#include "core/shared_library.h"
#include "kernels/ops.h"
#include "train/ranks.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// What libattnlab_mpi.so gives.
using JoinMpi = Ranks*();
constexpr const char* join_mpi = "attnlab_join_mpi";

std::unique_ptr<Ranks> joined() {
  const int started = ranks_started();
  if (started <= 1) return std::make_unique<OneRank>();
  const fs::path library = folder_of(reinterpret_cast<const void*>(&Drop::draw)) / "libattnlab_mpi.so";
  if (const std::string reason = open_library(library); !reason.empty())
    user_error(
        "{} processes were started together, and what they would talk through does not open: {} (it is built "
        "where libopenmpi-dev is installed)",
        started, reason);
  auto* const join = reinterpret_cast<JoinMpi*>(function_named(library, join_mpi));
  ensure(join != nullptr, "{} in {}", join_mpi, library.string());
  std::unique_ptr<Ranks> ranks(join());
  if (ranks->size() != started)
    user_error(
        "{} processes were started together, and MPI sees {} of them: start them with mpirun, or with srun "
        "--mpi=pmix",
        started, ranks->size());
  return ranks;
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
