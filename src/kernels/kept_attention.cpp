// Shapes: B sequences, T tokens, H query heads, K key-value heads of G = H / K query heads each, d head size,
// U = B·K; N tokens of a block and the S states that it sees; L lanes: B, or U where heads decide apart.
#include "kernels/kept_attention.h"

#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "kernels/native.h"
#include "kernels/on_device.h"

namespace attnlab {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// More make larger products, with more dead weights in them.
constexpr int64_t block_tokens = 128;

/// The states that a lane's blocks see, one block after the other.
class SeenStates {
 public:
  /// expiry: of the lane's tokens.
  explicit SeenStates(const int64_t* expiry) : expiry_(expiry) {}

  /// The next block is [first, end).
  void advance(int64_t first, int64_t end) {
    std::erase_if(states_, [&](int64_t j) { return last(j) < first; });
    for (int64_t j = first; j < end; ++j) states_.push_back(j);
  }
  /// What some token of the block sees, ascending.
  const std::vector<int64_t>& states() const { return states_; }
  /// The last token that sees state j.
  int64_t last(int64_t j) const { return expiry_[j] < 0 ? std::numeric_limits<int64_t>::max() : expiry_[j]; }

 private:
  const int64_t* expiry_;
  std::vector<int64_t> states_;
};

/// What the tokens [first, first + N) see.
struct BlockStates {
  int64_t first, count;
  Tensor states_LS;   ///< int64
  Tensor hidden_LNS;  ///< bool, true where a token does not see a state
};

/// States [L, S] and their last tokens; what a lane lacks of the most is filled up with token 0, which nobody
/// sees there.
std::pair<Tensor, Tensor> states_of(const std::vector<SeenStates>& lanes) {
  size_t most = 0;
  for (const SeenStates& lane : lanes) most = std::max(most, lane.states().size());
  const std::vector<int64_t> shape{static_cast<int64_t>(lanes.size()), static_cast<int64_t>(most)};
  const Tensor states_LS = torch::zeros(shape, torch::kLong), last_LS = torch::full(shape, -1, torch::kLong);
  int64_t *state = states_LS.mutable_data_ptr<int64_t>(), *last = last_LS.mutable_data_ptr<int64_t>();
  for (const SeenStates& lane : lanes) {
    for (size_t i = 0; i < lane.states().size(); ++i) {
      state[i] = lane.states()[i];
      last[i] = lane.last(state[i]);
    }
    state += most;
    last += most;
  }
  return {states_LS, last_LS};
}

/// A text's blocks, the first one first; each is made when it is asked for, since all masks together may take
/// more memory than everything else.
class Blocks {
 public:
  Blocks(const Tensor& expiry_BgT, torch::Device device)
      : expiry_LT_(expiry_BgT.contiguous().flatten(0, 1)), device_(device) {
    for (int64_t i = 0; i < expiry_LT_.size(0); ++i)
      lanes_.emplace_back(expiry_LT_.const_data_ptr<int64_t>() + i * expiry_LT_.size(1));
  }

  std::optional<BlockStates> next() {
    const int64_t first = next_, end = std::min(first + block_tokens, expiry_LT_.size(1));
    if (first >= end) return std::nullopt;
    next_ = end;
    for (SeenStates& lane : lanes_) lane.advance(first, end);
    const auto [states, last] = states_of(lanes_);
    const Tensor states_LS = on_device(states, device_), last_LS = on_device(last, device_);
    const Tensor query_N1 = torch::arange(first, end, states_LS.options()).unsqueeze(1);
    return BlockStates{first, end - first, states_LS,
                       (states_LS.unsqueeze(1) > query_N1).logical_or_(last_LS.unsqueeze(1) < query_N1)};
  }

 private:
  Tensor expiry_LT_;
  torch::Device device_;
  std::vector<SeenStates> lanes_;
  int64_t next_ = 0;
};

/// The backward of one call. Keys and values lie as [U, T, d], queries and outputs as [U, G, T, d]. Threads
/// take heads and blocks; what blocks give to the same keys is added up in their order, so that the sums do
/// not depend on the number of threads.
class KeptBackward {
 public:
  KeptBackward(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& dy)
      : heads_(k.size(2)),
        q_(of_queries(q)),
        k_(of_keys(k)),
        v_(of_keys(v)),
        dy_(of_queries(dy)),
        dq_(torch::empty_like(q_)),
        dk_(torch::zeros_like(k_)),
        dv_(torch::zeros_like(v_)) {}

  void run(Blocks blocks) {
    std::vector<BlockStates> together;
    int64_t held = 0;
    while (std::optional<BlockStates> block = blocks.next()) {
      const int64_t numbers = units() * block->states_LS.size(1) * k_.size(2);
      if (!together.empty() && held + numbers > most_numbers) {
        add(together);
        together.clear();
        held = 0;
      }
      held += numbers;
      together.push_back(std::move(*block));
    }
    add(together);
  }
  /// Of q, k and v, as they came.
  variable_list gradients() const {
    const auto of_keys = [&](const Tensor& x_UTd) {
      return x_UTd.unflatten(0, {-1, heads_}).transpose(1, 2);
    };
    return {dq_.unflatten(0, {-1, heads_}).flatten(1, 2).transpose(1, 2), of_keys(dk_), of_keys(dv_)};
  }

 private:
  /// Of keys' and values' gradients that are held until they are added up.
  static constexpr int64_t most_numbers = int64_t{1} << 22;

  struct KeyGradients {
    Tensor dk_Sd, dv_Sd;
  };

  static Tensor wide(const Tensor& x) {
    return x.detach().to(x.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat);
  }
  Tensor of_keys(const Tensor& x_BTKd) const {
    return wide(x_BTKd).transpose(1, 2).flatten(0, 1).contiguous();
  }
  Tensor of_queries(const Tensor& x_BTHd) const {
    return wide(x_BTHd).transpose(1, 2).unflatten(1, {heads_, -1}).flatten(0, 1).contiguous();
  }
  int64_t units() const { return k_.size(0); }

  void add(std::span<const BlockStates> blocks) {
    std::vector<KeyGradients> parts(blocks.size() * static_cast<size_t>(units()));
    for_each(static_cast<int64_t>(parts.size()), [&](int64_t i) {
      parts[static_cast<size_t>(i)] = of_block(blocks[static_cast<size_t>(i / units())], i % units());
    });
    for_each(units(), [&](int64_t unit) {
      for (size_t b = 0; b < blocks.size(); ++b) {
        const KeyGradients& part = parts[b * static_cast<size_t>(units()) + static_cast<size_t>(unit)];
        const Tensor states = states_seen(blocks[b], unit);
        dk_[unit].index_add_(0, states, part.dk_Sd);
        dv_[unit].index_add_(0, states, part.dv_Sd);
      }
    });
  }
  template <class Body>
  void for_each(int64_t count, Body body) const {
    const auto range = [&](int64_t begin, int64_t end) {
      const torch::NoGradGuard no_grad;  // of this thread
      for (int64_t i = begin; i < end; ++i) body(i);
    };
    q_.is_cpu() ? at::parallel_for(0, count, 1, range) : range(0, count);
  }

  int64_t lane_of(const BlockStates& block, int64_t unit) const {
    return unit * block.states_LS.size(0) / units();
  }
  Tensor states_seen(const BlockStates& block, int64_t unit) const {
    return block.states_LS[lane_of(block, unit)];
  }

  /// A block's part of one key-value head's gradients; those of its queries are complete.
  KeyGradients of_block(const BlockStates& block, int64_t unit) {
    const double scale = 1.0 / std::sqrt(static_cast<double>(k_.size(2)));
    const auto rows = [&](const Tensor& x_UGTd) {
      return x_UGTd[unit].narrow(1, block.first, block.count).reshape({-1, x_UGTd.size(3)});
    };
    const Tensor states = states_seen(block, unit);
    const Tensor q = rows(q_) * scale, dy = rows(dy_);  // [G·N, d]
    const Tensor k = k_[unit].index_select(0, states), v = v_[unit].index_select(0, states);

    const Tensor logits = at::mm(q, k.t());
    logits.view({-1, block.count, logits.size(1)})
        .masked_fill_(block.hidden_LNS[lane_of(block, unit)], -std::numeric_limits<double>::infinity());
    const Tensor weights = at::softmax(logits, -1);
    const Tensor dlogits = at::_softmax_backward_data(at::mm(dy, v.t()), weights, -1, weights.scalar_type());
    const Tensor dq = dq_[unit].narrow(1, block.first, block.count);
    dq.copy_((at::mm(dlogits, k) * scale).view(dq.sizes()));
    return {at::mm(dlogits.t(), q), at::mm(weights.t(), dy)};
  }

  int64_t heads_;
  Tensor q_, k_, v_, dy_, dq_, dk_, dv_;
};

struct KeptAttentionFunction : torch::autograd::Function<KeptAttentionFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& q, const Tensor& k, const Tensor& v,
                        const Tensor& y, const Tensor& expiry) {
    ctx->save_for_backward({q, k, v, expiry});
    return y.view_as(y);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list saved = ctx->get_saved_variables();
    KeptBackward work(saved[0], saved[1], saved[2], grads[0]);
    work.run({saved[3], grads[0].device()});
    variable_list of = work.gradients();
    for (size_t i = 0; i < of.size(); ++i) of[i] = of[i].to(saved[i].scalar_type());
    of.resize(5);
    return of;
  }
};

void check_kept(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& y, const Tensor& expiry) {
  TORCH_CHECK(q.dim() == 4 && k.dim() == 4 && k.sizes() == v.sizes() && y.sizes() == q.sizes(),
              "queries and outputs [B, T, H, d], keys and values [B, T, K, d], not ", q.sizes(), y.sizes(),
              k.sizes(), v.sizes());
  TORCH_CHECK(q.size(0) == k.size(0) && q.size(1) == k.size(1) && q.size(3) == k.size(3) && k.size(2) > 0 &&
                  q.size(2) % k.size(2) == 0,
              "queries ", q.sizes(), " in equal groups over keys ", k.sizes());
  TORCH_CHECK(expiry.is_cpu() && expiry.scalar_type() == torch::kLong && expiry.dim() == 3 &&
                  expiry.size(0) == q.size(0) && expiry.size(2) == q.size(1) &&
                  (expiry.size(1) == 1 || expiry.size(1) == k.size(2)),
              "expiry int64 [B, 1 or K, T] on the host, not ", expiry.toString(), expiry.sizes());
  const Tensor own = torch::arange(q.size(1));
  TORCH_CHECK((expiry.eq(-1).logical_or(expiry >= own)).all().item<bool>(), "every token sees itself");
}

}  // namespace

Tensor kept_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& y,
                      const Tensor& expiry) {
  check_kept(q, k, v, y, expiry);
  return KeptAttentionFunction::apply(q, k, v, y, expiry);
}

}  // namespace attnlab
