// How much of each kept key the other kept keys say as well, as R-KV measures it (Cai et al. 2025, arXiv
// 2505.24133, by cal_similarity in rkv/utils.py of github.com/Zefan-Cai/R-KV): of the keys' matrix of
// cosines, the diagonal zeroed, each row's most recent entry above a threshold is zeroed too, so that the
// latest of what is alike looks less redundant, and in a row without one the oldest key's entry; the softmax
// of the columns' means is the redundancy.
//
// Kept keys do not change: at each token only its own row is new. Rows are kept, a number for each pair of
// slots, and what a state adds to the others' columns comes and goes with it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace attnlab {

class KeyRedundancy {
 public:
  struct State {
    int64_t slot, order;
  };

  /// Keys whose cosine is larger than `threshold` are alike.
  explicit KeyRedundancy(double threshold) : alike_(static_cast<float>(1.0 - threshold)) {}

  /// Room for so many slots and no more; what is in those above is forgotten.
  void resize(int64_t slots);
  /// A state more recent than all others has come to a free slot. `cosines`, by slot, are of its key with
  /// theirs.
  void arrive(int64_t slot, int64_t order, std::span<const double> cosines);
  /// Forgets what is no longer in its slot: order[slot] says which state is.
  void keep(std::span<const int64_t> order);
  /// What was in slot `from` is now in slot `to`.
  void move(int64_t from, int64_t to);

  /// By slot; read where there is a state.
  std::span<const double> redundancy();
  /// The oldest first.
  std::span<const State> by_age() const { return by_age_; }
  int64_t bytes() const { return static_cast<int64_t>(distances_.size() * sizeof(float)); }

 private:
  /// Rows begin a cache line further than at a power of two: a column then lies in many sets of the cache.
  static int64_t stride(int64_t slots) { return slots + 16; }
  float* row(int64_t slot) { return distances_.data() + slot * stride(slots_); }
  void set_alike(int64_t slot, int64_t last, float distance);
  template <class Gone>
  void forget(const Gone& gone);

  float alike_;
  int64_t slots_ = 0;
  /// [slots, stride]: 1 − cosine, for keys of a head can be so alike that only this tells pairs apart in
  /// fp32.
  std::vector<float> distances_;
  std::vector<double> sums_;  ///< by slot: of its distances to all others; exact but for 2^−43 a term
  std::vector<int64_t> alike_last_;  ///< by slot: where the most recent one stands that is alike; −1: none
  std::vector<float> alike_distance_;  ///< to that one
  std::vector<State> by_age_, forgotten_;
  std::vector<double> spared_, redundancy_;  ///< by slot
  std::vector<double> means_;                ///< by age
};

}  // namespace attnlab
