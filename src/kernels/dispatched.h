// The bounded operators as Torch's dispatcher knows them: the same names on the CPU and on CUDA, whichever
// their tensors are on. A signature that is not the registered one is refused when it is first asked for.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/torch.h>

#include <optional>
#include <tuple>

namespace attnlab::dispatched {

using torch::Tensor;
using Pair = std::tuple<Tensor, Tensor>;
using Maybe = std::optional<Tensor>;

using AttentionStep = Pair(const Tensor& q, const Tensor& k, const Tensor& v, const Maybe& bias,
                           const Maybe& extent);
using TovaText = Pair(const Tensor& q, const Tensor& k, const Tensor& v, int64_t size);
using BoundedText = Pair(const Tensor& q, const Tensor& k, const Tensor& v, int64_t size,
                         int64_t protect_first, bool by_age, bool apart, const Maybe& present);
using DecodeStep = Pair(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& kept_k,
                        const Tensor& kept_v, const Tensor& order, const Tensor& counts, int64_t size,
                        int64_t protect_first, bool by_age, const Maybe& present);

inline c10::OperatorHandle operation(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "");
}

inline auto attention_step() { return operation("attnlab::bounded_attention_step").typed<AttentionStep>(); }
inline auto tova_text() { return operation("attnlab::tova_attention").typed<TovaText>(); }
inline auto bounded_text() { return operation("attnlab::bounded_text").typed<BoundedText>(); }
inline auto decode_step() { return operation("attnlab::bounded_decode_step").typed<DecodeStep>(); }

}  // namespace attnlab::dispatched
