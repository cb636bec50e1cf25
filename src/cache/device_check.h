// Whether the operators that decide on a GPU decide what the native ones do on the CPU: asked before they are
// trusted with a model, with texts of its own shape and type.
#pragma once

#include <string>

#include "cache/cache_options.h"

namespace attnlab {

/// Who decides how: lanes of a sequence are one, or a lane a key-value head.
struct DecidedBy {
  bool by_age = false, apart = false;
};

/// "", or the first decision of `got` that is not that of `want` (expiries [B, G, T], as bounded_text gives
/// them) and no close call: the states that the two drop have scores within 1e-4 of each other, which sums in
/// another order may turn round. By age there are no close calls. Behind one a lane goes its own way:
/// `same_BG` says how many tokens of it can be compared. q [B, T, H, d] and k [B, T, K, d] are fp32 on the
/// CPU.
std::string wrong_decision(const Tensor& q_BTHd, const Tensor& k_BTKd, DecidedBy rule, const Tensor& got_BGT,
                           const Tensor& want_BGT, Tensor& same_BG);

/// "", or how texts of 700 tokens under k = 512 come out otherwise on `device` than on the CPU, at once or
/// token by token: a decision (wrong_decision), or an output beyond rounding. Throws c10::Error where the
/// operators do.
std::string differs_from_cpu(torch::Device device, const StateShape& shape, torch::Dtype type,
                             DecidedBy rule);

}  // namespace attnlab
