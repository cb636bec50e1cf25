// Ranks over MPI. The program finds attnlab_join_mpi in this library and needs no MPI itself.
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <thread>

#include "core/error.h"
#include "train/ranks.h"

namespace attnlab {
namespace {

using Clock = std::chrono::steady_clock;

void must(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char words[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, words, &length);
  run_error("MPI: {}: {}", what, std::string(words, static_cast<std::size_t>(length)));
}

/// Looks often for a moment and then a thousand times a second, since a rank may wait for another's
/// validation on cores that this one uses. False where it took longer than so many seconds.
bool arrived(MPI_Request& request, double seconds) {
  constexpr auto moment = std::chrono::milliseconds(2), pause = std::chrono::milliseconds(1);
  const auto start = Clock::now();
  for (int done = 0;;) {
    must(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "waiting");
    if (done) return true;
    const auto waited = Clock::now() - start;
    if (std::chrono::duration<double>(waited).count() > seconds) return false;
    if (waited > moment) std::this_thread::sleep_for(pause);
  }
}

constexpr double for_ever = 1e300;

MPI_Datatype type_of(const torch::Tensor& x) {
  ensure(x.scalar_type() == torch::kFloat || x.scalar_type() == torch::kDouble, "sums in fp32 or double");
  return x.scalar_type() == torch::kFloat ? MPI_FLOAT : MPI_DOUBLE;
}

/// Runs body(pointer, bytes or numbers) over parts that an int can count.
template <class Body>
void by_parts(char* data, int64_t count, int64_t size, const Body& body) {
  constexpr int64_t most = int64_t{1} << 28;
  for (int64_t first = 0; first < count; first += most)
    body(data + first * size, static_cast<int>(std::min(most, count - first)));
}

/// x itself where MPI can read it, else a copy on the CPU that `put_back` returns.
struct OnCpu {
  explicit OnCpu(torch::Tensor& x) : of(x), here(x.detach().cpu().contiguous()) {}
  void put_back() {
    const torch::NoGradGuard no_grad;
    if (here.data_ptr() != of.data_ptr()) of.copy_(here);
  }
  torch::Tensor& of;
  torch::Tensor here;
};

class MpiRanks final : public Ranks {
 public:
  MpiRanks() {
    int threads = 0;
    must(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &threads), "beginning");
    must(MPI_Comm_dup(MPI_COMM_WORLD, &all_), "beginning");
    must(MPI_Comm_dup(MPI_COMM_WORLD, &leaving_), "beginning");  // what is said there meets nothing else
    MPI_Comm_rank(all_, &rank_);
    MPI_Comm_size(all_, &size_);
    MPI_Comm here;
    must(MPI_Comm_split_type(all_, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here), "beginning");
    MPI_Comm_rank(here, &local_rank_);
    MPI_Comm_size(here, &local_size_);
  }
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int local_rank() const override { return local_rank_; }
  int local_size() const override { return local_size_; }

  void sum(torch::Tensor& x) override {
    OnCpu on_cpu(x);
    const MPI_Datatype type = type_of(on_cpu.here);
    by_parts(static_cast<char*>(on_cpu.here.mutable_data_ptr()), x.numel(), x.element_size(),
             [&](char* data, int count) {
               must(MPI_Allreduce(MPI_IN_PLACE, data, count, type, MPI_SUM, all_), "summing");
             });
    on_cpu.put_back();
  }

  void largest(std::span<double> numbers) override {
    MPI_Request request;
    must(MPI_Iallreduce(MPI_IN_PLACE, numbers.data(), static_cast<int>(numbers.size()), MPI_DOUBLE, MPI_MAX,
                        all_, &request),
         "agreeing");
    arrived(request, for_ever);
  }

  void broadcast(torch::Tensor& x, int from) override {
    OnCpu on_cpu(x);
    by_parts(static_cast<char*>(on_cpu.here.mutable_data_ptr()), x.numel() * x.element_size(), 1,
             [&](char* data, int bytes) { must(MPI_Bcast(data, bytes, MPI_BYTE, from, all_), "sharing"); });
    on_cpu.put_back();
  }

  void broadcast(std::string& text, int from) override {
    auto length = static_cast<int64_t>(text.size());
    must(MPI_Bcast(&length, 1, MPI_INT64_T, from, all_), "sharing");
    text.resize(static_cast<std::size_t>(length));
    by_parts(text.data(), length, 1,
             [&](char* data, int bytes) { must(MPI_Bcast(data, bytes, MPI_BYTE, from, all_), "sharing"); });
  }

  bool part(int& status, double seconds) override {
    static int highest;  // MPI may write it after this returns false
    highest = status;
    MPI_Request request;
    must(MPI_Iallreduce(MPI_IN_PLACE, &highest, 1, MPI_INT, MPI_MAX, leaving_, &request), "leaving");
    if (!arrived(request, seconds)) return false;
    status = highest;
    MPI_Finalize();
    return true;
  }

  [[noreturn]] void abort(int status) override {
    MPI_Abort(MPI_COMM_WORLD, status);
    std::_Exit(status);
  }

 private:
  MPI_Comm all_, leaving_;
  int rank_ = 0, size_ = 1, local_rank_ = 0, local_size_ = 1;
};

}  // namespace
}  // namespace attnlab

extern "C" attnlab::Ranks* attnlab_join_mpi() { return new attnlab::MpiRanks; }
