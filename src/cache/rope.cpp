#include "cache/rope.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "kernels/dispatched.h"
#include "kernels/native.h"
#include "kernels/rotary.h"

namespace attnlab {
namespace {

/// Positions beyond this are turned without a table.
constexpr int64_t largest_table = 1 << 18;

/// The least and the largest of some numbers on the CPU. For the one position of a decoding step Torch's
/// operators would take longer than the turning.
std::pair<int64_t, int64_t> range_of(const torch::Tensor& numbers) {
  const torch::Tensor whole = numbers.contiguous();
  const int64_t* begin = whole.const_data_ptr<int64_t>();
  const auto [least, most] = std::minmax_element(begin, begin + whole.numel());
  return {*least, *most};
}

/// Whether the operator for both at once takes them.
bool turns_both(const torch::Tensor& q, const torch::Tensor& k) {
  const auto type = q.scalar_type();
  return q.is_cuda() && k.scalar_type() == type && (type == torch::kFloat || type == torch::kBFloat16) &&
         !wants_gradient(q) && !wants_gradient(k) &&
         dispatched::turn_pairs().hasKernelForDispatchKey(c10::DispatchKey::CUDA);
}

}  // namespace

Rope::Rope(int64_t d, double theta, const RopeScaling& scaling) : d_(d), theta_(theta), scaling_(scaling) {
  ensure(d > 0 && d % 2 == 0, "an even head size for rotary positions, not {}", d);
}

Rope::Turns Rope::turns(const torch::Tensor& positions, torch::Dtype type) const {
  const auto options = torch::TensorOptions().dtype(type).device(positions.device());
  const torch::Tensor frequencies = frequencies_in(options);
  const torch::Tensor angles = positions.to(options).unsqueeze(-1) * frequencies;
  const double scale = scaling_.attention_factor;
  return scale == 1.0 ? Turns{angles.cos(), angles.sin()} : Turns{angles.cos() * scale, angles.sin() * scale};
}

torch::Tensor Rope::frequencies_in(const torch::TensorOptions& options) const {
  if (scaling_.kind == RopeScaling::Kind::none) {  // rounded in the order in which transformers rounds
    const torch::Tensor exponents = torch::arange(0, d_, 2, options) / static_cast<double>(d_);
    return torch::pow(theta_, exponents).reciprocal();
  }
  return torch::tensor(rope_frequencies(d_, theta_, scaling_), torch::kDouble).to(options);
}

void Rope::reserve(int64_t positions) { table(std::min(largest_table, positions)); }

RotaryTable Rope::table(int64_t positions) const {
  if (!table_.cosines.defined() || positions > table_.cosines.size(0))
    table_ = turns(torch::arange(positions), torch::kFloat);
  return {table_.cosines.const_data_ptr<float>(), table_.sines.const_data_ptr<float>(), d_ / 2};
}

torch::Tensor Rope::rotate(const torch::Tensor& x, const torch::Tensor& positions_BT) const {
  if (is_native(x) && !wants_gradient(x) && positions_BT.numel() > 0) {
    const auto [least, most] = range_of(positions_BT);
    const int64_t rows = most + 1;
    if (least >= 0 && rows <= largest_table) {
      const int64_t known = table_.cosines.defined() ? table_.cosines.size(0) : 0;
      if (rows > known) table(std::min(largest_table, std::max<int64_t>(2 * known, rows)));
      return rotate_pairs(x, positions_BT, table_.cosines, table_.sines);
    }
  }
  // Few operators, because a GPU waits for each: x·c and its halves changed about times s.
  const Turns whole = whole_turns(positions_BT, x.scalar_type());
  return x * whole.cosines + x.roll(d_ / 2, -1) * whole.sines;
}

std::pair<torch::Tensor, torch::Tensor> Rope::rotate(const torch::Tensor& q, const torch::Tensor& k,
                                                     const torch::Tensor& positions_BT) const {
  if (!turns_both(q, k)) return {rotate(q, positions_BT), rotate(k, positions_BT)};
  static const auto turn = dispatched::turn_pairs();
  const Turns halves = half_turns(positions_BT, q.scalar_type());
  auto [turned_q, turned_k] = turn.call(q, k, halves.cosines, halves.sines);
  return {std::move(turned_q), std::move(turned_k)};
}

void Rope::share(const torch::Tensor& positions_BT) {
  shared_positions_ = positions_BT;
  shared_halves_ = shared_whole_ = {};
}

template <class Make>
Rope::Turns Rope::once(Turns& kept, const torch::Tensor& positions_BT, torch::Dtype type, Make make) const {
  const bool shared = shared_positions_.defined() && positions_BT.is_same(shared_positions_);
  if (!shared) return make();
  if (!kept.cosines.defined() || kept.cosines.scalar_type() != type) kept = make();
  return kept;
}

Rope::Turns Rope::half_turns(const torch::Tensor& positions_BT, torch::Dtype type) const {
  return once(shared_halves_, positions_BT, type, [&] {
    const auto [cosines, sines] =
        turns(positions_BT, type == torch::kDouble ? torch::kDouble : torch::kFloat);
    return Turns{cosines.to(type), sines.to(type)};
  });
}

Rope::Turns Rope::whole_turns(const torch::Tensor& positions_BT, torch::Dtype type) const {
  return once(shared_whole_, positions_BT, type, [&] {
    const auto [c, s] = half_turns(positions_BT, type);
    return Turns{torch::cat({c, c}, -1).unsqueeze(2), torch::cat({-s, s}, -1).unsqueeze(2)};
  });
}

}  // namespace attnlab
