// Attention over the states that a cache holds at each step, native on the CPU in fp32. A lane is the heads
// of one sequence that keep and drop states together; slots hold its states in any order, and a bias by slot
// (0 where a state is live, −inf elsewhere) says which are seen.
//
// Softmax weights are carried times weight_scale (weight_scale.h), so that those down to e^−153 of the
// largest still tell states apart.
//
// Shapes: H query heads, K key-value heads of G = H / K query heads each, d head size, S slots.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "kernels/exact_weights.h"
#include "kernels/rotary_table.h"
#include "kernels/slot_figures.h"
#include "kernels/stored_rows.h"

namespace attnlab {

struct HeadShape {
  int64_t heads = 1, kv_heads = 1, d = 64;
  int64_t group() const { return heads / kv_heads; }
};

/// Who gives slots to a lane's tokens and decides after each which slots are seen. Called in the order of the
/// tokens, never by two threads at once; must not throw.
class StepHost {
 public:
  virtual ~StepHost() = default;
  /// A free slot for the next token that has none.
  virtual int64_t take() = 0;
  /// One past the last slot that is taken.
  virtual int64_t extent() const = 0;
  /// The i-th token is about to attend: its slot is seen from now on.
  virtual void arrive(int64_t i, int64_t slot) = 0;
  /// Whether what it decides, now or later, rests on the weights.
  virtual bool reads_weights() const = 0;
  /// It has: `mean`, by slot, is weight_scale times the mean of its softmax weights over the lane's query
  /// heads, and `figures` are those asked for (slot_figures.h), or null.
  virtual void decide(const float* mean, const float* figures, int64_t slots) = 0;
  /// The same by numbers that are not scaled, in double: where it reads weights, and fp32 leaves open whose
  /// is the smallest.
  virtual void decide_exactly(const ExactFigures& exact) = 0;
  /// Slots that are seen no more and not free yet, and the `count` longest dead of them made free.
  virtual int64_t dead() const = 0;
  virtual void recycle(int64_t count) = 0;
};

/// Tokens of one sequence as a lane reads them: the i-th stands at columns[i]. Pointers are to the lane's
/// first head at column 0; heads follow each other at distance d, columns at the strides given.
struct LaneTokens {
  int64_t count = 0;
  const int64_t* columns = nullptr;
  const float *q = nullptr, *k = nullptr, *v = nullptr;
  float* y = nullptr;
  int64_t q_stride = 0, k_stride = 0;  ///< of q and y; of k and v
};

/// One lane's keys and values laid out for products with a block of queries (keys d-major in panels of 32
/// slots), and the logits of a block: (S + 2·tokens) · 2 · K · d + tokens · H · S floats, three times the
/// last term where threads share the lane.
///
/// On several threads blocks follow each other as in a pipeline: the logits of one, the softmax and decisions
/// of the one before and the outputs of the one before that are computed side by side, so that threads meet
/// once a block, not once a token. New keys then wait longer for their turn and dead values longer for their
/// end: k states need k + 3 blocks of slots instead of k + 1.
class BlockSpace {
 public:
  /// Below, laying the states out costs more than blocks save.
  static constexpr int64_t fewest_tokens = 6;

  /// `states`: the most that are ever live between two blocks. `threads` share the lane.
  BlockSpace(HeadShape shape, int64_t states, int64_t tokens, int threads,
             SlotFigure figure = SlotFigure::none);

  int64_t slots() const { return slots_; }
  /// k and v of a slot: [K, d].
  void put(int64_t slot, const float* k, const float* v);
  void get(int64_t slot, float* k, float* v) const;
  /// Attends token after token, exactly as if each came alone. `bias`, by slot, is 0 where a slot is seen and
  /// −inf elsewhere; it changes under the host's hands.
  void attend(const LaneTokens& tokens, StepHost& host, const float* bias);

 private:
  struct Release {
    void operator()(float* memory) const;
  };
  using Memory = std::unique_ptr<float[], Release>;
  static Memory allocate(int64_t floats);

  struct Block {
    int64_t first = 0, count = 0, extent = 0;
    std::vector<int64_t> slots;
    Memory logits, inverse;  ///< [K, rows, S]: logits, then scaled weights before division; [K, rows]
  };
  void in_turn(const LaneTokens& tokens, StepHost& host, const float* bias);
  void in_pipeline(const LaneTokens& tokens, StepHost& host, const float* bias);
  void insert(Block& block, const LaneTokens& tokens, int64_t first, StepHost& host);
  void score(Block& block, const LaneTokens& tokens, int64_t head);
  void decide(Block& block, const LaneTokens& tokens, StepHost& host, const float* bias);
  const float* figures(const Block& block, int64_t i, const float* bias);
  void sum_values(const Block& block, const LaneTokens& tokens, int64_t i, int64_t head);
  void add_changes(const Block& block, int64_t i, int64_t head);
  void add_key_cosines(const Block& block, int64_t i, int64_t head, const float* bias);
  ExactFigures exact(const LaneTokens& tokens, const Block& block, int64_t i, const float* bias) const;
  void get_key(int64_t slot, int64_t head, float* k) const;
  void weigh(Block& block, int64_t i, int64_t head, const float* bias);
  void gather(Block& block, const LaneTokens& tokens, int64_t head);
  float* logits(const Block& block, int64_t head) const { return block.logits.get() + head * rows_ * slots_; }

  HeadShape shape_;
  int threads_;
  SlotFigure figure_;
  int64_t block_, slots_, rows_,
      width_;                 ///< rows of a block and columns of a value, rounded up for the products
  Memory k_, v_;              ///< [K, S/32, d, 32] and [K, S, width]
  Memory q_, y_;              ///< [K, rows, d] and [K, rows, width]
  Memory shares_, mean_;      ///< [K, S]: a key-value head's sum of weights; [S]
  Memory lengths_, figures_;  ///< [K, S]: of the values, squared, or 1 / of the keys, as the figure asks; [S]
  Memory vector_;             ///< [H, width]: one token's outputs; or the sum of a head's keys
  Memory dots_;               ///< [G, S]: to compute figures in
  std::vector<Block> blocks_;  ///< one, or three of a pipeline
};

/// One new token of each of B sequences against its slots: output and weights in one pass.
struct StepArguments {
  HeadShape shape;
  int64_t batch = 1, slots = 1;        ///< B and the slots S between two heads in memory
  const float* q = nullptr;            ///< [B, H, d]
  StoredRows k, v;                     ///< [B, K, S, d]
  const float* const* bias = nullptr;  ///< [B·K] pointers, by slot; null where a sequence has no token
  const int64_t* extent = nullptr;     ///< [B·K]: one past the last slot in use
  float* y = nullptr;                  ///< [B, H, d]; 0 where a sequence has no token
  float* shares = nullptr;             ///< [B, K, S]: weight_scale times the sum of softmax weights over
                                       ///< each group, or null

  /// Where positions change with what is kept: q and k are as projected, and are turned here to these
  /// positions.
  const int64_t* const* positions = nullptr;  ///< [B·K] pointers, by slot; null: q and k are turned already
  const int64_t* newest = nullptr;            ///< [B·K]: the slot of the token that asks; newest_cosine too
  RotaryTable rotary = {};

  SlotFigure figure = SlotFigure::none;
  float* figures = nullptr;  ///< [B, K, S]: weight_scale times each head's part of the lane's mean
  int64_t lane_heads = 1;    ///< key-value heads of a lane
};

/// Threads take sequences and heads, or share the slots of a few long ones. `scratch` is kept between calls
/// by the caller.
void attend_step(const StepArguments& a, std::vector<float>& scratch);

/// Of the lane whose first key-value head is `unit`, in double.
ExactFigures exact_step_figures(const StepArguments& a, int64_t unit);

/// Runs body(i, threads) for every i below `count`: one after the other, each on all threads, where there are
/// fewer of them than threads; else side by side, each on one.
void on_threads(int64_t count, const std::function<void(int64_t, int)>& body);

/// Runs body(begin, end) over parts of [0, count), each of `grain` or more, on Torch's threads. What it
/// throws is thrown here.
void side_by_side(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

}  // namespace attnlab
