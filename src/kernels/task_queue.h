// Stages of independent tasks for a few threads that are there already. One thread leads; the others help
// where there is something to do. The leader waits for tasks that a helper has begun, never for a helper to
// wake up: on a busy machine it does the work itself. Internal to kernels/.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace attnlab {

class TaskQueue {
 public:
  explicit TaskQueue(int64_t tasks) : tasks_(tasks) {}

  /// The leader's: runs work(stage, task) for every task of a stage. Stages count from 0 without a gap.
  template <class Work>
  void run(int64_t stage, const Work& work) {
    const int64_t end = (stage + 1) * tasks_;
    published_.store(end, std::memory_order_release);
    while (take_one(work)) {
    }
    for (int64_t spins = 0; done_.load(std::memory_order_acquire) < end; ++spins) pause(spins);
  }
  void close() { closed_.store(true, std::memory_order_release); }

  /// A helper's: returns when the leader has closed the queue.
  template <class Work>
  void help(const Work& work) {
    for (int64_t spins = 0; !closed_.load(std::memory_order_acquire); ++spins) {
      if (take_one(work))
        spins = 0;
      else
        pause(spins);
    }
  }

 private:
  template <class Work>
  bool take_one(const Work& work) {
    int64_t ticket = next_.load(std::memory_order_relaxed);
    do {
      if (ticket >= published_.load(std::memory_order_acquire)) return false;
    } while (!next_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_relaxed));
    work(ticket / tasks_, ticket % tasks_);
    done_.fetch_add(1, std::memory_order_acq_rel);
    return true;
  }
  static void pause(int64_t spins) {
    if (spins > 4000) std::this_thread::yield();
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  int64_t tasks_;
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<int64_t> published_{0};
  alignas(64) std::atomic<int64_t> done_{0};
  alignas(64) std::atomic<bool> closed_{false};
};

}  // namespace attnlab
