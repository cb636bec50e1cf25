// Which device a run computes on. One binary serves both: CUDA's libraries are opened only when they are
// asked for.
#pragma once

#include <torch/torch.h>

#include <string>

namespace attnlab {

/// "cpu", "cuda", or "auto": CUDA where there is a device that works, else the CPU. Opens LibTorch's CUDA
/// library and the project's own before Torch is first asked about CUDA, because Torch looks its hooks up
/// only once. Throws UserError for "cuda" where a library or a device is absent, saying which.
/// The `which`-th process on this machine gets that device, by turns.
torch::Device choose_device(const std::string& word, int which = 0);

/// Which forms of scaled_dot_product_attention Torch may choose from on this device, which cuDNN it found and
/// how it multiplies in fp32: what the speed of its own attention depends on. Which form ran is told by
/// sdpa_forms_run. "" on the CPU.
std::string cuda_words(torch::Device device);

/// Threads for Torch's operators, before the first one runs. 0: all cores, of which each of so many processes
/// on this machine has its part. Returns how many.
int set_threads(int64_t threads, int64_t processes = 1);

}  // namespace attnlab
