// What becomes of states that are dropped, where they are not simply forgotten.
//
// Shapes: K key-value heads of a lane, G query heads a key-value head, S slots, d head size.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <span>
#include <vector>

#include "cache/policy.h"

namespace attnlab {

using torch::Tensor;

/// What the dropped states answer to a query beside the states that are kept: one more logit and value.
struct Answer {
  Tensor logit_KG, value_KGd;
};

class Afterlife {
 public:
  virtual ~Afterlife() = default;
  /// Room for so many lanes and slots a lane.
  virtual void grow(int64_t lanes, int64_t slots) = 0;
  /// A new state is in a slot.
  virtual void arrive(int64_t lane, int64_t slot) = 0;
  /// A state has been dropped; its keys and values are still in the slot. `order` by slot: −1 where none is
  /// live. k and v are the lane's tensors, and may be rewritten at live slots.
  virtual void drop(int64_t lane, int64_t slot, std::span<const int64_t> order, Tensor k_KSd,
                    Tensor v_KSd) = 0;
  virtual void move(int64_t lane, int64_t from, int64_t to) = 0;
  /// Lane i becomes a copy of lane lanes[i].
  virtual void reorder(const std::vector<int64_t>& lanes) = 0;
  virtual std::unique_ptr<Afterlife> clone() const = 0;
  virtual int64_t bytes() const = 0;
  /// Answers to scaled queries [K, G, d]; undefined tensors where there is nothing to answer with.
  virtual Answer answer(int64_t /*lane*/, const Tensor& /*q_KGd*/) const { return {}; }
};

}  // namespace attnlab
