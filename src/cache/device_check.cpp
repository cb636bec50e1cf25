#include "cache/device_check.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "kernels/dispatched.h"

namespace attnlab {
namespace {

constexpr int64_t check_batch = 2, check_tokens = 700, check_size = 512, check_protected = 2,
                  check_padding = 30;
constexpr double close_call = 1e-4;

/// For each token that was read, the one that went then; −1: none.
std::vector<int64_t> dropped_by_step(const Tensor& expiry_T) {
  std::vector<int64_t> gone(static_cast<std::size_t>(expiry_T.size(0)), -1);
  const int64_t* expiry = expiry_T.const_data_ptr<int64_t>();
  for (int64_t j = 0; j < expiry_T.size(0); ++j)
    if (expiry[j] >= 0) gone[static_cast<std::size_t>(expiry[j])] = j;
  return gone;
}

/// Mean weights that the query of token t of a lane's heads gives to all tokens up to it; 0 to those that
/// `expiry_T` says are gone before it.
Tensor scores_at(const Tensor& q_THd, const Tensor& k_TKd, const Tensor& expiry_T, int64_t t) {
  const int64_t kv = k_TKd.size(1), d = k_TKd.size(2);
  const Tensor expiry = expiry_T.narrow(0, 0, t + 1);
  const Tensor seen = expiry.eq(-1) | expiry.ge(t);
  const Tensor q_KGd = q_THd[t].to(torch::kDouble).view({kv, -1, d});
  const Tensor k_KTd = k_TKd.narrow(0, 0, t + 1).to(torch::kDouble).transpose(0, 1);
  const Tensor logits_KGT = q_KGd.matmul(k_KTd.transpose(1, 2)) / std::sqrt(static_cast<double>(d));
  return logits_KGT.masked_fill(seen.logical_not(), -INFINITY).softmax(-1).flatten(0, 1).mean(0);
}

/// Numbers between −1.7 and 1.7 without a pattern, and without taking any from the generator.
Tensor check_numbers(int64_t heads, int64_t d, double phase, torch::Dtype type) {
  const Tensor i = torch::arange(check_batch * check_tokens * heads * d, torch::kDouble);
  const Tensor x = torch::sin(i * 12.9898 + phase) * 43758.5453;
  return ((x - x.floor()) * 3.4 - 1.7).view({check_batch, check_tokens, heads, d}).to(type);
}

/// y as far as it can be compared.
bool close(const Tensor& y_BTHd, const Tensor& want_BTHd, const Tensor& same_BG, double tolerance) {
  const Tensor t_T = torch::arange(y_BTHd.size(1));
  const Tensor same_BGT = t_T < same_BG.unsqueeze(-1);
  const Tensor same_BTH =
      same_BGT.repeat_interleave(y_BTHd.size(2) / same_BG.size(1), 1).transpose(1, 2).unsqueeze(-1);
  const Tensor off = (y_BTHd.to(torch::kCPU, torch::kFloat) - want_BTHd).abs() - tolerance * want_BTHd.abs();
  return off.masked_fill(same_BTH.logical_not(), 0.0).le(tolerance).all().item<bool>();
}

/// Token by token, as decoding does: y and when each token went.
struct Steps {
  Tensor y_BTHd, expiry_BGT;
};

Steps read_by_steps(const Tensor& q, const Tensor& k, const Tensor& v, DecidedBy rule,
                    const Tensor& present_BT) {
  const auto step = dispatched::decode_step();
  const int64_t kv = k.size(2), groups = rule.apart ? kv : 1;
  const Tensor kept_k = torch::zeros({check_batch, kv, check_size + 1, k.size(3)}, q.options()),
               kept_v = kept_k.clone();
  const Tensor order = torch::zeros({check_batch * groups, check_size + 1}, q.options().dtype(torch::kLong)),
               counts = torch::zeros({check_batch * groups, 3}, order.options());
  Steps all{torch::empty_like(q), {}};
  std::vector<Tensor> dropped;
  for (int64_t t = 0; t < check_tokens; ++t) {
    const auto [y_BHd, gone_L] =
        step.call(q.select(1, t), k.select(1, t), v.select(1, t), kept_k, kept_v, order, counts, check_size,
                  check_protected, rule.by_age, present_BT.select(1, t));
    all.y_BTHd.select(1, t).copy_(y_BHd);
    dropped.push_back(gone_L);
  }
  const Tensor gone_TBG = torch::stack(dropped).cpu().view({check_tokens, check_batch, groups});
  const Tensor present = present_BT.cpu();
  all.expiry_BGT = torch::where(present, -1, -2).unsqueeze(1).repeat({1, groups, 1});
  for (int64_t b = 0; b < check_batch; ++b)
    for (int64_t g = 0; g < groups; ++g)
      for (int64_t t = 0; t < check_tokens; ++t) {
        const int64_t nth = gone_TBG[t][b][g].item<int64_t>(), column = nth + (b == 0 ? check_padding : 0);
        if (nth >= 0 && column < check_tokens) all.expiry_BGT[b][g][column] = t;
      }
  return all;
}

}  // namespace

std::string wrong_decision(const Tensor& q_BTHd, const Tensor& k_BTKd, DecidedBy rule, const Tensor& got_BGT,
                           const Tensor& want_BGT, Tensor& same_BG) {
  const int64_t batch = got_BGT.size(0), groups = got_BGT.size(1), tokens = got_BGT.size(2);
  const int64_t heads = q_BTHd.size(2) / groups, kv_heads = k_BTKd.size(2) / groups;
  same_BG = torch::full({batch, groups}, tokens, torch::kLong);
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t g = 0; g < groups; ++g) {
      const Tensor want_T = want_BGT[b][g].contiguous(), got_T = got_BGT[b][g].contiguous();
      if (!want_T.eq(-2).equal(got_T.eq(-2)))
        return fmt::format("sequence {}, lane {}: padding is taken for tokens, or tokens for padding", b, g);
      const std::vector<int64_t> want = dropped_by_step(want_T), got = dropped_by_step(got_T);
      for (int64_t t = 0; t < tokens; ++t) {
        const int64_t ours = got[static_cast<std::size_t>(t)], theirs = want[static_cast<std::size_t>(t)];
        if (ours == theirs) continue;
        const std::string what = fmt::format(
            "sequence {}, lane {}: token {} drops state {}, on the CPU state {}", b, g, t, ours, theirs);
        if (ours < 0 || theirs < 0 || rule.by_age) return what;
        const auto part = [&](const Tensor& x, int64_t count) { return x[b].narrow(1, g * count, count); };
        const Tensor scores = scores_at(part(q_BTHd, heads), part(k_BTKd, kv_heads), want_T, t);
        const double a = scores[ours].item<double>(), least = scores[theirs].item<double>();
        if (!(std::abs(a - least) <= close_call * least))
          return fmt::format("{}; their weights are {:.4g} and {:.4g}", what, a, least);
        same_BG[b][g] = t + 1;  // that token's own output is from before the decision
        break;
      }
    }
  return "";
}

std::string differs_from_cpu(torch::Device device, const StateShape& shape, torch::Dtype type,
                             DecidedBy rule) {
  const torch::NoGradGuard no_grad;
  if (device.is_cpu()) type = torch::kFloat;
  const Tensor given[] = {check_numbers(shape.heads, shape.head_dim, 0, type),
                          check_numbers(shape.kv_heads, shape.head_dim, 1, type),
                          check_numbers(shape.kv_heads, shape.head_dim, 2, type)};
  const auto wide = [&](int i) { return given[i].to(torch::kFloat); };
  Tensor present = torch::ones({check_batch, check_tokens}, torch::kBool);
  present[0].narrow(0, 0, check_padding).fill_(false);
  const auto lanes = [&](const Tensor& expiry) {
    return rule.apart ? expiry.cpu() : expiry.cpu().unsqueeze(1);
  };
  const auto text = dispatched::bounded_text();
  const auto [want_y, want_expiry] =
      text.call(wide(0), wide(1), wide(2), check_size, check_protected, rule.by_age, rule.apart, present);

  const Tensor q = given[0].to(device), k = given[1].to(device), v = given[2].to(device),
               there = present.to(device);
  const double tolerance = type == torch::kFloat ? 1e-4 : 1e-2;
  const auto compare = [&](const char* how, const Tensor& y, const Tensor& expiry_BGT) -> std::string {
    Tensor same_BG;
    if (const auto wrong = wrong_decision(wide(0), wide(1), rule, expiry_BGT, lanes(want_expiry), same_BG);
        !wrong.empty())
      return fmt::format("{}, {}", how, wrong);
    return close(y, want_y, same_BG, tolerance)
               ? ""
               : fmt::format("{}, outputs are more than {} off", how, tolerance);
  };
  const auto [y, expiry] = text.call(q, k, v, check_size, check_protected, rule.by_age, rule.apart, there);
  if (const auto wrong = compare("a text at once", y, lanes(expiry)); !wrong.empty()) return wrong;
  const Steps steps = read_by_steps(q, k, v, rule, there);
  return compare("token by token", steps.y_BTHd, steps.expiry_BGT);
}

}  // namespace attnlab
