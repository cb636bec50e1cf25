// Torch's scaled_dot_product_attention, with a note of which of its forms ran: Torch chooses by shapes,
// types, mask and dropout, and its speed depends on that more than on anything else.
#pragma once

#include <torch/torch.h>

#include <optional>
#include <string>

#include "kernels/ops.h"

namespace attnlab {

/// What scaled_dot_product_attention takes beside queries, keys and values.
struct SdpaOptions {
  std::optional<Tensor> mask = {};
  double dropout = 0.0;
  bool causal = false;
  bool shared_heads = false;         ///< fewer heads of keys and values than of queries
  std::optional<double> scale = {};  ///< of the products; d^-½ where none is given
};

Tensor sdpa(const Tensor& q_BHNd, const Tensor& k_BKMd, const Tensor& v_BKMd, const SdpaOptions& options);

/// Keys or values with a head for every query head: each K of theirs H / K times, one behind the other.
Tensor repeated_heads(const Tensor& x_BKMd, int64_t heads);

/// Adds a form to those that ran, where it is asked for by name.
void note_sdpa(const std::string& form, at::ScalarType type);

/// The forms that this process has run, each with its type: "flash (bf16), math (fp32)"; "" for none. Torch
/// is asked once for each device, type, mask, dropout, causality and kind of queries (one or several).
std::string sdpa_forms_run();

}  // namespace attnlab
