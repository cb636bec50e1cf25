// The processes that train one model together, each on its share of an update's micro-batches.
#pragma once

#include <torch/torch.h>

#include <exception>
#include <span>
#include <string>

#include "io/safetensors.h"

namespace attnlab {

/// What the ranks of a run say to each other. Every function but the first four and the last two is called by
/// all of them, in the same order. Rank 0 is the first: it alone validates, saves and records.
class Ranks {
 public:
  virtual ~Ranks() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// This one among those on the same machine, and how many these are.
  virtual int local_rank() const = 0;
  virtual int local_size() const = 0;

  /// Replaces x, fp32 or double, by its sum over the ranks: the same bits on all of them.
  virtual void sum(torch::Tensor& x) = 0;
  /// Replaces each number by the largest of the ranks. Sleeps while it waits for them.
  virtual void largest(std::span<double> numbers) = 0;
  /// Replaces what the others hold by what rank `from` holds.
  virtual void broadcast(torch::Tensor& x, int from) = 0;
  virtual void broadcast(std::string& text, int from) = 0;

  /// Takes leave when all ranks do, and raises `status` to the highest of theirs: then nothing may be said
  /// any more. False where some have not come within so many seconds.
  virtual bool part(int& status, double seconds) = 0;
  /// Ends all ranks at once.
  [[noreturn]] virtual void abort(int status) = 0;

  /// The first's word to the others, which wait for it in `released`: begin, since what all read is prepared,
  /// or leave. Only the first word counts.
  void release(bool begin);
  bool released();

 private:
  bool has_released_ = false;
};

/// A process by itself.
class OneRank final : public Ranks {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int local_rank() const override { return 0; }
  int local_size() const override { return 1; }
  void sum(torch::Tensor&) override {}
  void largest(std::span<double>) override {}
  void broadcast(torch::Tensor&, int) override {}
  void broadcast(std::string&, int) override {}
  bool part(int&, double) override { return true; }
  [[noreturn]] void abort(int status) override;
};

/// Those of this process: of the MPI job where mpirun or srun started several, through libattnlab_mpi.so,
/// which the first call opens, and for tensors on GPUs through libattnlab_nccl.so (device_ranks.h); else
/// OneRank. Throws UserError where the first library is missing or sees another number of processes.
Ranks& join_ranks();
/// How many processes the launcher says that it started, without opening anything.
int ranks_started();

/// Thrown by training on all ranks but the first once it is over: what follows is the first's alone. Derives
/// from nothing, so that no task takes it for an error.
struct Dismissed {};

/// Takes note of what was thrown on any rank, if anything was: there it is thrown again, on the others
/// RunError that names that rank.
void agree(Ranks& ranks, const std::exception_ptr& error);

/// Does `work` on every rank; where it throws on one, all throw.
template <class Work>
void together(Ranks& ranks, const Work& work) {
  if (ranks.size() == 1) return work();
  std::exception_ptr error;
  try {
    work();
  } catch (...) {
    error = std::current_exception();
  }
  agree(ranks, error);
}

/// Throws UserError on all ranks where some compute on a GPU and some on the CPU: what they say to each other
/// would not meet.
void refuse_mixed_devices(Ranks& ranks, torch::Device device);

/// Sums the gradients that there are over the ranks, many in one message.
void sum_gradients(Ranks& ranks, const NamedTensors& parameters);

}  // namespace attnlab
