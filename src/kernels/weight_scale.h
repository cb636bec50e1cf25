// The scale at which kernels carry softmax weights over a cache, on the CPU and on CUDA.
#pragma once

namespace attnlab {

/// e^x is 0 in fp32 for x < −103, and states whose weights are 0 cannot be told apart when one must go. Times
/// 2^96 it is a normal number down to `least_exponent`, while a sum over 2^31 slots stays finite. Outputs are
/// divided by the sum, so that they do not change; values may be as large as 2^32 divided by the slots.
constexpr float weight_scale = 0x1p96f;
/// Weights of less than e^this times the largest of their query head are 0. Where that leaves open which
/// state has the smallest mean, the CPU computes the step's means again in double (exact_weights.h); CUDA's
/// kernels do not.
constexpr float least_exponent = -153.0f;
/// Of a weight that is 1 but for rounding, what is left for the others is taken for this.
constexpr float least_rest = 0x1p-20f;

}  // namespace attnlab
