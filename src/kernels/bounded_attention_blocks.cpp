#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

#include "kernels/bounded_attention.h"
#include "kernels/exact_weights.h"
#include "kernels/simd/simd.h"
#include "kernels/task_queue.h"

namespace attnlab {
namespace {

constexpr int64_t panel = key_panel;
constexpr int64_t value_rows = 128;  // values that one product takes: they stay in the first-level cache

int64_t round_up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/// Tokens of a block: enough queries for the products, few enough that their logits stay in the second-level
/// cache; fewer in a pipeline, where three blocks of slots are carried along.
int64_t tokens_of_block(const HeadShape& shape, int64_t tokens, int threads) {
  const int64_t queries = threads > 1 ? 16 : 32;
  return std::min(tokens, std::clamp<int64_t>(2 * queries / shape.group(), 8, queries));
}

}  // namespace

void BlockSpace::Release::operator()(float* memory) const { std::free(memory); }

BlockSpace::Memory BlockSpace::allocate(int64_t floats) {
  const size_t bytes = static_cast<size_t>(round_up(std::max<int64_t>(floats, 1) * 4, 64));
  auto* memory = static_cast<float*>(std::aligned_alloc(64, bytes));
  if (!memory) throw std::bad_alloc();
  std::memset(memory, 0, bytes);  // weights of 0 meet slots that never held a value
  return Memory(memory);
}

BlockSpace::BlockSpace(HeadShape shape, int64_t states, int64_t tokens, int threads, SlotFigure figure)
    : shape_(shape),
      threads_(threads),
      figure_(figure),
      block_(tokens_of_block(shape, tokens, threads)),
      slots_(round_up(states + (threads > 1 ? 3 : 1) * block_, panel)),
      rows_(round_up(block_ * shape.group(), 8)),
      width_(round_up(shape.d, 16)),
      k_(allocate(shape.kv_heads * slots_ * shape.d)),
      v_(allocate(shape.kv_heads * slots_ * width_)),
      q_(allocate(shape.kv_heads * rows_ * shape.d)),
      y_(allocate(shape.kv_heads * rows_ * width_)),
      shares_(allocate(shape.kv_heads * slots_)),
      mean_(allocate(slots_)),
      blocks_(threads > 1 ? 3 : 1) {
  for (Block& block : blocks_) {
    block.slots.resize(block_);
    block.logits = allocate(shape.kv_heads * rows_ * slots_);
    block.inverse = allocate(shape.kv_heads * rows_);
  }
  if (figure == SlotFigure::none) return;
  lengths_ = allocate(shape.kv_heads * slots_);
  figures_ = allocate(slots_);
  vector_ = allocate(shape.heads * width_);
  dots_ = allocate(std::max<int64_t>(shape.group(), 2) * slots_);
}

void BlockSpace::put(int64_t slot, const float* k, const float* v) {
  for (int64_t h = 0; h < shape_.kv_heads; ++h, k += shape_.d, v += shape_.d) {
    float* column = k_.get() + (h * slots_ + slot / panel * panel) * shape_.d + slot % panel;
    for (int64_t i = 0; i < shape_.d; ++i) column[i * panel] = k[i];
    std::copy_n(v, shape_.d, v_.get() + (h * slots_ + slot) * width_);
    if (figure_ == SlotFigure::none) continue;
    const bool of_value = figure_ == SlotFigure::output_change;
    float* length = lengths_.get() + h * slots_ + slot;
    simd().row_squares(1, shape_.d, of_value ? v : k, length);
    if (!of_value) *length = inverse_length(*length);
  }
}

void BlockSpace::get(int64_t slot, float* k, float* v) const {
  for (int64_t h = 0; h < shape_.kv_heads; ++h, k += shape_.d, v += shape_.d) {
    get_key(slot, h, k);
    std::copy_n(v_.get() + (h * slots_ + slot) * width_, shape_.d, v);
  }
}

void BlockSpace::get_key(int64_t slot, int64_t head, float* k) const {
  const float* column = k_.get() + (head * slots_ + slot / panel * panel) * shape_.d + slot % panel;
  for (int64_t i = 0; i < shape_.d; ++i) k[i] = column[i * panel];
}

/// Slots for the tokens from `first` on, and their keys and values.
void BlockSpace::insert(Block& block, const LaneTokens& tokens, int64_t first, StepHost& host) {
  block.first = first;
  block.count = std::min(block_, tokens.count - first);
  for (int64_t i = 0; i < block.count; ++i) {
    block.slots[i] = host.take();
    const int64_t from = tokens.columns[first + i] * tokens.k_stride;
    put(block.slots[i], tokens.k + from, tokens.v + from);
  }
  block.extent = round_up(host.extent(), panel);
}

/// Scaled logits of all the block's queries of a key-value head against every slot in use.
void BlockSpace::score(Block& block, const LaneTokens& tokens, int64_t head) {
  const int64_t d = shape_.d, group = shape_.group(), rows = round_up(block.count * group, 8);
  const float scale = 1.0f / std::sqrt(static_cast<float>(d));
  float* q = q_.get() + head * rows_ * d;
  for (int64_t i = 0; i < block.count; ++i)
    simd().scale_into(group * d, scale,
                      tokens.q + tokens.columns[block.first + i] * tokens.q_stride + head * group * d,
                      q + i * group * d);
  const float* k = k_.get() + head * slots_ * d;
  for (int64_t s = 0; s < block.extent; s += panel)
    simd().product(rows, panel, d, q, d, k + s * d, panel, logits(block, head) + s, slots_, false);
}

/// Softmax of the block's i-th token over the slots it sees, left undivided, and the head's share of the
/// mean.
void BlockSpace::weigh(Block& block, int64_t i, int64_t head, const float* bias) {
  const int64_t group = shape_.group();
  float* share = shares_.get() + head * slots_;
  for (int64_t row = i * group; row < (i + 1) * group; ++row) {
    float* weights = logits(block, head) + row * slots_;
    const float inverse = 1.0f / simd().exp_masked(block.extent, bias, weights);
    block.inverse.get()[head * rows_ + row] = inverse;
    (row == i * group ? simd().scale_into : simd().add_scaled)(block.extent, weight_scale * inverse, weights,
                                                               share);
  }
}

/// The sequential part: token after token.
void BlockSpace::decide(Block& block, const LaneTokens& tokens, StepHost& host, const float* bias) {
  const float each = 1.0f / static_cast<float>(shape_.heads);
  for (int64_t i = 0; i < block.count; ++i) {
    host.arrive(block.first + i, block.slots[i]);
    for (int64_t h = 0; h < shape_.kv_heads; ++h) weigh(block, i, h, bias);
    simd().scale_into(block.extent, each, shares_.get(), mean_.get());
    for (int64_t h = 1; h < shape_.kv_heads; ++h)
      simd().add_scaled(block.extent, each, shares_.get() + h * slots_, mean_.get());
    if (figure_ == SlotFigure::output_change)
      for (int64_t h = 0; h < shape_.kv_heads; ++h) sum_values(block, tokens, i, h);
    if (host.reads_weights() && order_is_open(block.extent, bias, mean_.get()))
      host.decide_exactly(exact(tokens, block, i, bias));
    else
      host.decide(mean_.get(), figures(block, i, bias), block.extent);
  }
}

/// The i-th token's outputs of a key-value head, where its figures need them before the next token has its
/// turn.
void BlockSpace::sum_values(const Block& block, const LaneTokens& tokens, int64_t i, int64_t head) {
  const int64_t d = shape_.d, group = shape_.group(), first = i * group;
  const float* inverse = block.inverse.get() + head * rows_ + first;
  float *y = vector_.get() + head * group * width_,
        *out = tokens.y + tokens.columns[block.first + i] * tokens.q_stride + head * group * d;
  simd().weighted_sums(block.extent, width_, group, logits(block, head) + first * slots_, slots_,
                       v_.get() + head * slots_ * width_, y);
  for (int64_t g = 0; g < group; ++g) {
    simd().scale_into(width_, inverse[g], y + g * width_, y + g * width_);
    std::copy_n(y + g * width_, d, out + g * d);
  }
}

/// What the block's i-th token leaves of figures; null where none are asked for.
const float* BlockSpace::figures(const Block& block, int64_t i, const float* bias) {
  if (figure_ == SlotFigure::none) return nullptr;
  std::fill_n(figures_.get(), block.extent, 0.0f);
  for (int64_t h = 0; h < shape_.kv_heads; ++h)
    figure_ == SlotFigure::output_change ? add_changes(block, i, h) : add_key_cosines(block, i, h, bias);
  return figures_.get();
}

void BlockSpace::add_changes(const Block& block, int64_t i, int64_t head) {
  const int64_t group = shape_.group(), first = i * group;
  const float* weights = logits(block, head) + first * slots_;
  const float* inverse = block.inverse.get() + head * rows_ + first;
  add_output_changes({block.extent, group, weights, slots_, inverse}, width_,
                     {.fp32 = v_.get() + head * slots_ * width_}, lengths_.get() + head * slots_,
                     vector_.get() + head * group * width_, 1.0f / static_cast<float>(shape_.heads),
                     dots_.get(), figures_.get());
}

void BlockSpace::add_key_cosines(const Block& block, int64_t i, int64_t head, const float* bias) {
  const int64_t slots = block.extent;
  const float* k = k_.get() + head * slots_ * shape_.d;
  float *inverse = dots_.get(), *dots = inverse + slots_;
  inverse_lengths_of_live(slots, bias, lengths_.get() + head * slots_, inverse);
  if (figure_ == SlotFigure::newest_cosine)
    get_key(block.slots[i], head, vector_.get());
  else
    simd().panel_sum(slots, shape_.d, k, inverse, vector_.get());
  simd().panel_dots(slots, shape_.d, k, vector_.get(), dots);
  add_cosines(slots, shape_.d, vector_.get(), inverse, dots, 1.0f / static_cast<float>(shape_.kv_heads),
              figures_.get());
}

ExactFigures BlockSpace::exact(const LaneTokens& tokens, const Block& block, int64_t i,
                               const float* bias) const {
  const int64_t d = shape_.d;
  const double share = 1.0 / static_cast<double>(shape_.heads);
  const float* q = tokens.q + tokens.columns[block.first + i] * tokens.q_stride;
  ExactFigures exact(block.extent, figure_);
  std::vector<float> row(static_cast<size_t>(d));
  const auto key_of = [&](int64_t head) {
    return [&, head](int64_t slot) {
      get_key(slot, head, row.data());
      return row.data();
    };
  };
  for (int64_t h = 0; h < shape_.heads; ++h) {
    const float* v = v_.get() + h / shape_.group() * slots_ * width_;
    exact.add(d, bias, q + h * d, share, key_of(h / shape_.group()),
              [&](int64_t slot) { return v + slot * width_; });
  }
  for (int64_t h = 0; figure_ == SlotFigure::newest_cosine && h < shape_.kv_heads; ++h)
    exact.add_cosines(d, bias, block.slots[i], 1.0 / static_cast<double>(shape_.kv_heads), key_of(h));
  return exact;
}

/// y = weights·V / total for all the block's queries of a key-value head; sum_values() has been before it
/// where outputs were needed earlier.
void BlockSpace::gather(Block& block, const LaneTokens& tokens, int64_t head) {
  if (figure_ == SlotFigure::output_change) return;
  const int64_t d = shape_.d, group = shape_.group(), rows = round_up(block.count * group, 8);
  float* y = y_.get() + head * rows_ * width_;
  const float* v = v_.get() + head * slots_ * width_;
  for (int64_t s = 0; s < block.extent; s += value_rows)
    simd().product(rows, width_, std::min(value_rows, block.extent - s), logits(block, head) + s, slots_,
                   v + s * width_, width_, y, width_, s > 0);
  for (int64_t i = 0; i < block.count; ++i)
    for (int64_t g = 0; g < group; ++g) {
      const int64_t row = i * group + g;
      simd().scale_into(
          d, block.inverse.get()[head * rows_ + row], y + row * width_,
          tokens.y + tokens.columns[block.first + i] * tokens.q_stride + (head * group + g) * d);
    }
}

void BlockSpace::attend(const LaneTokens& tokens, StepHost& host, const float* bias) {
  threads_ > 1 ? in_pipeline(tokens, host, bias) : in_turn(tokens, host, bias);
}

void BlockSpace::in_turn(const LaneTokens& tokens, StepHost& host, const float* bias) {
  Block& block = blocks_[0];
  for (int64_t first = 0; first < tokens.count; first += block_) {
    insert(block, tokens, first, host);
    for (int64_t h = 0; h < shape_.kv_heads; ++h) score(block, tokens, h);
    decide(block, tokens, host, bias);
    for (int64_t h = 0; h < shape_.kv_heads; ++h) gather(block, tokens, h);
    host.recycle(host.dead());
  }
}

void BlockSpace::in_pipeline(const LaneTokens& tokens, StepHost& host, const float* bias) {
  const int64_t count = (tokens.count + block_ - 1) / block_, heads = shape_.kv_heads;
  const auto work = [&](int64_t stage, int64_t task) {
    const auto block = [&](int64_t index) {
      return 0 <= index && index < count ? &blocks_[index % 3] : nullptr;
    };
    Block *scored = block(stage), *decided = block(stage - 1), *gathered = block(stage - 2);
    // The sequential part first: it is the longest, and only one thread can take it.
    if (task == 0 && decided) decide(*decided, tokens, host, bias);
    if (task > 0 && task <= heads && gathered) gather(*gathered, tokens, task - 1);
    if (task > heads && scored) score(*scored, tokens, task - 1 - heads);
  };
  TaskQueue queue(1 + 2 * heads);
#pragma omp parallel num_threads(threads_)
  {
    if (omp_get_thread_num() > 0) {
      queue.help(work);
    } else {
      int64_t dead_before = 0;  // slots that died before the last stage: their values have been read by now
      for (int64_t stage = 0; stage < count + 2; ++stage) {
        host.recycle(dead_before);
        dead_before = host.dead();
        if (stage < count) insert(blocks_[stage % 3], tokens, stage * block_, host);
        queue.run(stage, work);
      }
      queue.close();
    }
  }
}

}  // namespace attnlab
