#include "cache/device_state.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "cache/device_check.h"
#include "core/error.h"
#include "kernels/dispatched.h"
#include "kernels/native.h"

namespace attnlab {
namespace {

constexpr int64_t widest_head = 512;  // of kernels/cuda/, and a multiple of 4

/// Rows of x [B, T, K, d] at columns [B, G, S] of each group's heads, as [B, K, S, d].
Tensor rows_at(const Tensor& x_BTKd, const Tensor& columns_BGS) {
  const int64_t kv = x_BTKd.size(2), d = x_BTKd.size(3);
  const Tensor at_BKS = columns_BGS.repeat_interleave(kv / columns_BGS.size(1), 1);
  return x_BTKd.transpose(1, 2).gather(2, at_BKS.unsqueeze(-1).expand({-1, -1, -1, d}));
}

}  // namespace

bool DeviceState::is_expected(const BoundedOptions& options, torch::Device device) {
  return device.is_cuda() && options.policy->needs().plain != PlainRule::none;
}

std::string DeviceState::unknown(const BoundedOptions& options, const StateShape& shape, torch::Dtype type) {
  if (options.policy->needs().plain == PlainRule::none) return "policies other than TOVA and windows";
  if (!options.lane.protected_ids.empty()) return "protected strings";
  if (options.lane.sliding_window > 0) return "a sliding window of the model's";
  if (options.prompt != DropAt::every_token || options.piece > 1) return "prompts read in pieces or at once";
  if (options.compress_gaps) return "positions counted anew (compress_gaps)";
  if (type != torch::kFloat && type != torch::kBFloat16) return "numbers other than fp32 and bf16";
  if (shape.head_dim % 4 != 0 || shape.head_dim > widest_head)
    return fmt::format("heads of {} numbers (a multiple of 4 up to {})", shape.head_dim, widest_head);
  return "";
}

namespace {

/// differs_from_cpu, where an operator's refusal is a reason too. A device that no longer answers is none:
/// that is thrown.
std::string check_device(torch::Device device, const StateShape& shape, torch::Dtype type, DecidedBy rule) {
  try {
    const std::string difference = differs_from_cpu(device, shape, type, rule);
    return difference.empty() ? ""
                              : fmt::format("the operators for {} do not agree with those for the CPU ({})",
                                            device.str(), difference);
  } catch (const c10::Error& e) {
    torch::ones({1}, torch::TensorOptions().device(device)).sum().item<float>();
    return fmt::format("the operators for {} refuse: {}", device.str(), e.what_without_backtrace());
  }
}

}  // namespace

std::string DeviceState::why_not(const BoundedOptions& options, const StateShape& shape,
                                 const StateRun& run) {
  if (!run.device.is_cuda()) return "on the CPU the ordinary state is faster";
  if (run.kept() != run.dtype) return "the cache has another precision than the model";
  if (const std::string what = unknown(options, shape, run.dtype); !what.empty())
    return "the operators do not know " + what;
  if (!dispatched::bounded_text().hasKernelForDispatchKey(c10::DispatchKey::CUDA))
    return "libattnlab_ops_cuda.so is not beside libattnlab_ops.so (scripts/build cuda makes it)";
  const DecidedBy rule{options.policy->needs().plain == PlainRule::oldest,
                       options.policy->heads == Heads::head_wise && shape.kv_heads > 1};
  using Key = std::tuple<int64_t, int64_t, int64_t, int, bool, bool>;
  static std::map<Key, std::string> known;  // asked once a process for each kind
  const Key key{shape.heads, shape.kv_heads, shape.head_dim, static_cast<int>(run.dtype),
                rule.by_age, rule.apart};
  const auto found = known.find(key);
  return (found != known.end() ? found
                               : known.emplace(key, check_device(run.device, shape, run.dtype, rule)).first)
      ->second;
}

DeviceState::DeviceState(const BoundedOptions& options, const StateShape& shape, const StateRun& run)
    : rule_{.size = options.lane.size,
            .protect_first = options.lane.protect_first,
            .by_age = options.policy->needs().plain == PlainRule::oldest},
      groups_(options.policy->heads == Heads::head_wise ? shape.kv_heads : 1) {
  ensure(unknown(options, shape, run.dtype).empty(), "options that the operators know");
  const auto longs = torch::TensorOptions().dtype(torch::kLong).device(run.device);
  const int64_t slots = rule_.size + 1;
  k_BKSd_ = torch::zeros({run.batch, shape.kv_heads, slots, shape.head_dim}, longs.dtype(run.dtype));
  v_BKSd_ = torch::zeros_like(k_BKSd_);
  order_BGS_ = torch::zeros({run.batch, groups_, slots}, longs);
  counts_BG3_ = torch::zeros({run.batch, groups_, 3}, longs);
  if (!options.lane.record_expiry) return;
  expiry_BGC_ = torch::empty({run.batch, groups_, 0}, longs);
  column_BC_ = torch::empty({run.batch, 0}, longs);
}

int64_t DeviceState::bytes() const { return static_cast<int64_t>(k_BKSd_.nbytes() + v_BKSd_.nbytes()); }

void DeviceState::reorder(const Tensor& rows) {
  const torch::NoGradGuard no_grad;
  const Tensor on_device = rows.to(k_BKSd_.device());
  for (Tensor* t : {&k_BKSd_, &v_BKSd_, &order_BGS_, &counts_BG3_, &expiry_BGC_, &column_BC_})
    if (t->defined()) *t = t->index_select(0, on_device);
}

std::unique_ptr<LayerState> DeviceState::copy(const Tensor& rows) const {
  auto copy = std::make_unique<DeviceState>(*this);
  copy->reorder(rows);  // which makes tensors of its own
  return copy;
}

Tensor DeviceState::expiry() const {
  if (!expiry_BGC_.defined()) return {};
  return expiry_BGC_.narrow(2, 0, columns_).to(torch::kCPU).contiguous();
}

Tensor DeviceState::attend(const NewTokens& tokens, const Rope& rope) {
  const torch::NoGradGuard no_grad;
  ensure(tokens.q_BTHd.size(0) == k_BKSd_.size(0), "{} sequences, not {}", k_BKSd_.size(0),
         tokens.q_BTHd.size(0));
  const auto [q, k] = rope.rotate(tokens.q_BTHd, tokens.k_BTKd, tokens.positions_BT);
  const Tensor present_BT = tokens.padding_BT.defined() ? tokens.padding_BT.logical_not() : Tensor();
  const int64_t length = q.size(1);
  make_room(columns_ + length);
  const bool at_once = columns_ == 0 && length > 1;
  const Tensor y_BTHd =
      at_once ? read_text(q, k, tokens.v_BTKd, present_BT) : read_tokens(q, k, tokens.v_BTKd, present_BT);
  columns_ += length;
  return y_BTHd;
}

Tensor DeviceState::read_text(const Tensor& q_BTHd, const Tensor& k_BTKd, const Tensor& v_BTKd,
                              const Tensor& present_BT) {
  static const auto text = dispatched::bounded_text();
  const auto [y_BTHd, expiry] = text.call(q_BTHd, k_BTKd, v_BTKd, rule_.size, rule_.protect_first,
                                          rule_.by_age, groups_ > 1, if_defined(present_BT));
  const Tensor expiry_BGT = groups_ > 1 ? expiry : expiry.unsqueeze(1);
  keep(k_BTKd, v_BTKd, present_BT, expiry_BGT);
  if (expiry_BGC_.defined()) expiry_BGC_.narrow(2, 0, expiry_BGT.size(2)).copy_(expiry_BGT);
  return y_BTHd;
}

void DeviceState::keep(const Tensor& k_BTKd, const Tensor& v_BTKd, const Tensor& present_BT,
                       const Tensor& expiry_BGT) {
  const int64_t length = k_BTKd.size(1), held = std::min(rule_.size, length);
  const Tensor column_T = torch::arange(length, expiry_BGT.options());
  const Tensor present = present_BT.defined()
                             ? present_BT
                             : torch::ones({k_BTKd.size(0), length}, column_T.options().dtype(torch::kBool));
  // The columns of what is kept come first, in ascending order; behind them stand columns that nobody looks
  // at.
  const Tensor kept_BGT = expiry_BGT == -1;
  const Tensor columns_BGS = std::get<0>(torch::where(kept_BGT, column_T, length).sort(-1))
                                 .narrow(-1, 0, held)
                                 .clamp_max(length - 1);
  k_BKSd_.narrow(2, 0, held).copy_(rows_at(k_BTKd, columns_BGS));
  v_BKSd_.narrow(2, 0, held).copy_(rows_at(v_BTKd, columns_BGS));

  const Tensor nth_BT = present.cumsum(1) - 1;
  order_BGS_.narrow(2, 0, held).copy_(nth_BT.unsqueeze(1).expand({-1, groups_, -1}).gather(2, columns_BGS));
  const Tensor live_BG = kept_BGT.sum(-1);
  counts_BG3_.copy_(torch::stack({present.sum(1, true).expand_as(live_BG), live_BG, live_BG}, -1));
  if (!column_BC_.defined()) return;
  // The n-th token's column; padding writes beyond the last one.
  const Tensor at_BT = torch::where(present, nth_BT, column_BC_.size(1) - 1);
  column_BC_.scatter_(1, at_BT, column_T.expand_as(at_BT));
}

Tensor DeviceState::read_tokens(const Tensor& q_BTHd, const Tensor& k_BTKd, const Tensor& v_BTKd,
                                const Tensor& present_BT) {
  static const auto step = dispatched::decode_step();
  Tensor y_BTHd = torch::empty_like(q_BTHd);
  for (int64_t t = 0; t < q_BTHd.size(1); ++t) {
    const Tensor present_B = present_BT.defined() ? present_BT.select(1, t) : Tensor();
    // Of the token to come, before the step counts it.
    if (column_BC_.defined()) {
      const Tensor nth_B1 = counts_BG3_.select(2, 0).narrow(1, 0, 1);
      column_BC_.scatter_(1, nth_B1, torch::full_like(nth_B1, columns_ + t));
    }
    const auto [y_BHd, dropped_L] =
        step.call(q_BTHd.select(1, t), k_BTKd.select(1, t), v_BTKd.select(1, t), k_BKSd_, v_BKSd_,
                  order_BGS_.flatten(0, 1), counts_BG3_.flatten(0, 1), rule_.size, rule_.protect_first,
                  rule_.by_age, if_defined(present_B));
    y_BTHd.select(1, t).copy_(y_BHd);
    if (expiry_BGC_.defined()) record(columns_ + t, present_B, dropped_L);
  }
  return y_BTHd;
}

void DeviceState::record(int64_t column, const Tensor& present_B, const Tensor& dropped_L) {
  Tensor newest_BG = expiry_BGC_.select(2, column);
  newest_BG.fill_(Lane::kept);
  if (present_B.defined()) newest_BG.masked_fill_(present_B.logical_not().unsqueeze(1), Lane::padding);
  // Where nothing was dropped the newest token's own entry is written once more.
  const Tensor dropped_BG = dropped_L.view_as(newest_BG), some_BG = dropped_BG >= 0;
  const Tensor gone_BG = column_BC_.gather(1, dropped_BG.clamp_min(0));
  const Tensor at_BG = torch::where(some_BG, gone_BG, column);
  const Tensor value_BG = torch::where(some_BG, torch::full_like(at_BG, column), newest_BG);
  expiry_BGC_.scatter_(2, at_BG.unsqueeze(-1), value_BG.unsqueeze(-1));
}

void DeviceState::make_room(int64_t columns) {
  // One column more than there are tokens, for what padding writes.
  if (!expiry_BGC_.defined() || columns < column_BC_.size(1)) return;
  const int64_t room = std::max(columns + 1, 2 * column_BC_.size(1));
  const auto larger = [&](const Tensor& x) {
    std::vector<int64_t> sizes = x.sizes().vec();
    sizes.back() = room;
    Tensor y = torch::zeros(sizes, x.options());
    y.narrow(-1, 0, x.size(-1)).copy_(x);
    return y;
  };
  expiry_BGC_ = larger(expiry_BGC_);
  column_BC_ = larger(column_BC_);
}

}  // namespace attnlab
