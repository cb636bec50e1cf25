#include "cache/rope.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
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

void Rope::share(const torch::Tensor& positions_BT) {
  shared_positions_ = positions_BT;
  shared_ = {};
}

Rope::Turns Rope::whole_turns(const torch::Tensor& positions_BT, torch::Dtype type) const {
  const bool shared = shared_positions_.defined() && positions_BT.is_same(shared_positions_);
  if (shared && shared_.cosines.defined() && shared_.cosines.scalar_type() == type) return shared_;
  const auto [cosines, sines] = turns(positions_BT, type == torch::kDouble ? torch::kDouble : torch::kFloat);
  const torch::Tensor c = cosines.to(type), s = sines.to(type);
  Turns whole{torch::cat({c, c}, -1).unsqueeze(2), torch::cat({-s, s}, -1).unsqueeze(2)};
  if (shared) shared_ = whole;
  return whole;
}

}  // namespace attnlab
