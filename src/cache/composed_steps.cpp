// The same steps composed of Torch's operators: any type, any device, and policies that rewrite what is kept.
//
// Shapes: B sequences, L lanes, H query heads, K key-value heads of G query heads each, S slots, d head size.
#include <algorithm>
#include <cmath>

#include "cache/bounded_state.h"
#include "cache/gaps.h"
#include "kernels/on_device.h"

namespace attnlab {
namespace {

Tensor bias_of(const std::vector<Lane>& lanes, int64_t slots) {
  Tensor bias_LS = torch::empty({static_cast<int64_t>(lanes.size()), slots}, torch::kFloat);
  float* out = bias_LS.mutable_data_ptr<float>();
  for (const Lane& lane : lanes) out = std::copy_n(lane.bias(), slots, out);
  return bias_LS;
}

/// The newest query and all keys of B sequences, rotated to positions that each lane counts anew; the query
/// stands where its own key does.
struct Rotated {
  Tensor q_BHd, k_BKSd;
};

Rotated rotate_compressed(const std::vector<Lane>& lanes, const std::vector<Newest>& newest,
                          const Tensor& q_BHd, const Tensor& k_BKSd, const Rope& rope) {
  const int64_t batch = k_BKSd.size(0), kv = k_BKSd.size(1), slots = k_BKSd.size(2), d = k_BKSd.size(3);
  const int64_t count = static_cast<int64_t>(lanes.size()), heads = batch * kv / count;
  Tensor at_LS = torch::empty({count, slots}, torch::kLong), query_L = torch::zeros({count}, torch::kLong);
  int64_t* at = at_LS.mutable_data_ptr<int64_t>();
  GapPositions gaps;
  for (const Lane& lane : lanes) {
    const std::vector<int64_t>& positions = gaps.of(lane.order());
    at = std::copy(positions.begin(), positions.end(), at);
  }
  for (const Newest& n : newest)
    query_L.mutable_data_ptr<int64_t>()[n.lane] = at_LS.const_data_ptr<int64_t>()[n.lane * slots + n.slot];
  // To Rope every key-value head is a sequence of its own.
  const auto each_head = [&](const Tensor& x) { return x.repeat_interleave(heads, 0).to(k_BKSd.device()); };
  const Tensor k = rope.rotate(k_BKSd.flatten(0, 1).unsqueeze(2), each_head(at_LS));
  const Tensor q = rope.rotate(q_BHd.reshape({batch * kv, 1, -1, d}), each_head(query_L).unsqueeze(1));
  return {q.reshape({batch, -1, d}), k.squeeze(2).unflatten(0, {batch, kv})};
}

/// One more logit and value for every query head, where a summary answers beside the states.
struct Answers {
  Tensor logit_BKG1, value_BKGd;
};

Answers answers_of(const Afterlife& afterlife, int64_t groups, const Tensor& q_BKGd) {
  const int64_t batch = q_BKGd.size(0), heads = q_BKGd.size(1) / groups;
  Answers all{torch::full({batch, q_BKGd.size(1), q_BKGd.size(2)}, -INFINITY, q_BKGd.options()),
              torch::zeros_like(q_BKGd)};
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t g = 0; g < groups; ++g) {
      const Answer answer = afterlife.answer(b * groups + g, q_BKGd[b].narrow(0, g * heads, heads));
      if (!answer.logit_KG.defined()) continue;
      all.logit_BKG1[b].narrow(0, g * heads, heads).copy_(answer.logit_KG);
      all.value_BKGd[b].narrow(0, g * heads, heads).copy_(answer.value_KGd);
    }
  all.logit_BKG1 = all.logit_BKG1.unsqueeze(-1);
  return all;
}

/// Figures by slot (kernels/slot_figures.h), means over each key-value head's queries; undefined for none.
/// newest_BK: slots, for newest_cosine; any where a sequence has no token.
Tensor figures_of(SlotFigure figure, const Tensor& weights_BKGS, const Tensor& y_BKGd, const Tensor& k_BKSd,
                  const Tensor& v_BKSd, const Tensor& bias_BK1S, const Tensor& newest_BK) {
  const auto type = y_BKGd.scalar_type();
  if (figure == SlotFigure::output_change) {
    const Tensor distance_BKGS =
        torch::cdist(y_BKGd, v_BKSd.to(type), 2.0, /*compute_mode=*/2);  // differences
    return (weights_BKGS / (1 - weights_BKGS).clamp_min(static_cast<double>(least_rest)) * distance_BKGS)
        .mean(2);
  }
  if (figure == SlotFigure::key_cosine || figure == SlotFigure::newest_cosine) {
    const Tensor k = k_BKSd.to(type), length_BKS1 = k.norm(2, -1, true);
    const Tensor seen_BKS1 = bias_BK1S.transpose(-2, -1).eq(0).logical_and(length_BKS1.gt(0));
    const Tensor unit_BKSd = torch::where(seen_BKS1, k / length_BKS1, 0.0);
    if (figure == SlotFigure::newest_cosine) {
      const Tensor at_BK1d = newest_BK.view({k.size(0), k.size(1), 1, 1}).expand({-1, -1, 1, k.size(3)});
      return unit_BKSd.matmul(unit_BKSd.gather(2, at_BK1d).transpose(-2, -1)).squeeze(-1);
    }
    const Tensor sum_BKd1 = unit_BKSd.sum(2, true).transpose(-2, -1);
    return (unit_BKSd.matmul(sum_BKd1) / sum_BKd1.norm(2, -2, true)).squeeze(-1).nan_to_num(0.0);
  }
  return {};
}

/// Means over each lane's key-value heads of what its policy asks for, on the host: in double, by one copy,
/// and so one wait for a GPU, or none.
class LaneMeans {
 public:
  LaneMeans(const Tensor& weights_BKS, const Tensor& figures_BKS, std::size_t lanes) {
    std::vector<Tensor> asked;
    for (const Tensor* x_BKS : {&weights_BKS, &figures_BKS}) {
      places_.push_back(x_BKS->defined() ? static_cast<int64_t>(asked.size()) : -1);
      if (x_BKS->defined())
        asked.push_back(
            x_BKS->reshape({static_cast<int64_t>(lanes), -1, x_BKS->size(2)}).mean(1).to(torch::kDouble));
    }
    if (!asked.empty()) means_XLS_ = torch::stack(asked).to(torch::kCPU).contiguous();
  }
  std::span<const double> weights(int64_t lane) const { return row(places_[0], lane); }
  std::span<const double> figures(int64_t lane) const { return row(places_[1], lane); }

 private:
  std::span<const double> row(int64_t place, int64_t lane) const {
    if (place < 0) return {};
    const int64_t lanes = means_XLS_.size(1), slots = means_XLS_.size(2);
    return {means_XLS_.const_data_ptr<double>() + (place * lanes + lane) * slots,
            static_cast<std::size_t>(slots)};
  }

  std::vector<int64_t> places_;  ///< of weights and figures in means_XLS_; −1: not asked for
  Tensor means_XLS_;
};

/// By key-value head of all sequences, on a device.
Tensor newest_slots(const std::vector<Newest>& newest, int64_t batch, int64_t kv, int64_t heads,
                    torch::Device device) {
  Tensor slot_L = torch::zeros({batch * kv / heads}, torch::kLong);
  for (const Newest& n : newest) slot_L.mutable_data_ptr<int64_t>()[n.lane] = n.slot;
  return on_device(slot_L.repeat_interleave(heads).view({batch, kv}), device);
}

}  // namespace

Tensor BoundedState::composed_steps(const TokenCall& call, const Rope& rope) {
  make_room(call);
  Tensor y_BTHd = torch::zeros_like(call.q_BTHd);
  for (int64_t t = 0; t < call.length(); ++t) {
    const std::vector<Newest> newest = place(call, t);
    if (newest.empty()) continue;

    const int64_t kv = shape_.kv_heads, heads = lane_kv_heads(), slots = capacity();
    // Narrow numbers are widened first: logits of 8 bits would tie where those of DeviceState do not.
    const auto type = call.q_BTHd.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat;
    Rotated now{call.q_BTHd.select(1, t).to(type), k_BKSd_.to(type)};
    if (options_.compress_gaps) now = rotate_compressed(lanes_, newest, now.q_BHd, now.k_BKSd, rope);
    const Tensor q_BKGd = now.q_BHd.unflatten(1, {kv, -1}) / std::sqrt(static_cast<double>(shape_.head_dim));
    const Tensor bias_BK1S = on_device(bias_of(lanes_, slots), k_BKSd_.device())
                                 .to(type)
                                 .repeat_interleave(heads, 0)
                                 .view({call.batch(), kv, 1, slots});
    Tensor logits_BKGS = q_BKGd.matmul(now.k_BKSd.transpose(-2, -1)) + bias_BK1S;
    Answers answers;
    if (needs_.dropped == Dropped::summarised) {
      answers = answers_of(*afterlife_, groups(), q_BKGd);
      logits_BKGS = torch::cat({logits_BKGS, answers.logit_BKG1}, -1);
    }
    // In double, so that weights of e^−104 and less are not all 0 to the policy. A sequence that has had no
    // token yet has nothing to sum over; any other NaN is one, and has to be seen.
    const Tensor nothing = logits_BKGS.isneginf().all(-1, /*keepdim=*/true);
    const Tensor weights = torch::softmax(logits_BKGS, -1, torch::kDouble).masked_fill(nothing, 0.0);
    const Tensor weights_BKGS = weights.narrow(-1, 0, slots), used = weights.to(type);
    Tensor y_BKGd = used.narrow(-1, 0, slots).matmul(v_BKSd_.to(type));
    if (answers.value_BKGd.defined()) y_BKGd = y_BKGd + used.narrow(-1, slots, 1) * answers.value_BKGd;
    y_BTHd.select(1, t).copy_(y_BKGd.flatten(1, 2));

    const Tensor newest_BK = needs_.figure == SlotFigure::newest_cosine
                                 ? newest_slots(newest, call.batch(), kv, heads, k_BKSd_.device())
                                 : Tensor();
    const LaneMeans means(
        needs_.weights ? weights_BKGS.mean(2) : Tensor(),
        figures_of(needs_.figure, weights_BKGS, y_BKGd, k_BKSd_, v_BKSd_, bias_BK1S, newest_BK),
        lanes_.size());
    for (const Newest& n : newest) settle(n.lane, means.weights(n.lane), means.figures(n.lane));
  }
  return y_BTHd;
}

std::vector<Newest> BoundedState::place(const TokenCall& call, int64_t t) {
  const auto lanes = static_cast<int64_t>(lanes_.size()), heads = lane_kv_heads();
  std::vector<Newest> newest;
  std::vector<int64_t> at;  // lanes, then slots
  for (int64_t i = 0; i < lanes; ++i) {
    if (!call.has_token(i / groups(), t)) continue;
    newest.push_back({i, lanes_[i].take()});
    lanes_[i].arrive(newest.back().slot, call.arrival(i / groups(), t, i % groups() * heads, heads));
    if (afterlife_) afterlife_->arrive(i, newest.back().slot);
    at.push_back(i);
  }
  if (newest.empty()) return newest;
  for (const Newest& n : newest) at.push_back(n.slot);
  const Tensor at_2N = on_device(torch::tensor(at).view({2, -1}), k_BKSd_.device());
  const auto put = [&](const Tensor& kept_BKSd, const Tensor& x_BTKd) {
    const Tensor x_LKd = x_BTKd.select(1, t).reshape({lanes, heads, -1}).to(kept_BKSd.scalar_type());
    kept_BKSd.view({lanes, heads, capacity(), -1})
        .index_put_({at_2N[0], torch::indexing::Slice(), at_2N[1]}, x_LKd.index_select(0, at_2N[0]));
  };
  put(k_BKSd_, call.k_BTKd);
  put(v_BKSd_, call.v_BTKd);
  return newest;
}

void BoundedState::settle(int64_t lane, std::span<const double> weights, std::span<const double> figures) {
  for (const int64_t slot : lanes_[lane].decide(weights, figures))
    if (afterlife_)
      afterlife_->drop(lane, slot, lanes_[lane].order(), lane_part(k_BKSd_, lane), lane_part(v_BKSd_, lane));
  lanes_[lane].recycle();
}

}  // namespace attnlab
