// The operators that have forms on other devices, as Torch's dispatcher knows them: the bounded ones under
// the same names on the CPU and on CUDA, whichever their tensors are on; causal Luna's two passes and rotary
// positions on CUDA alone. A signature that is not the registered one is refused when it is first asked for.
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

using TurnPairs = Pair(const Tensor& q, const Tensor& k, const Tensor& cosines, const Tensor& sines);

using LunaFits = bool(const Tensor& q, int64_t rows);
using LunaForward = Pair(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& a,
                         const Tensor& parts, const Maybe& bias, const Maybe& mask);
using LunaBackward = std::tuple<Tensor, Tensor, Tensor, Tensor>(const Tensor& dy, const Tensor& q,
                                                                const Tensor& k, const Tensor& v,
                                                                const Tensor& a, const Tensor& parts,
                                                                const Tensor& u, const Maybe& mask);

inline c10::OperatorHandle operation(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "");
}

inline auto attention_step() { return operation("attnlab::bounded_attention_step").typed<AttentionStep>(); }
inline auto tova_text() { return operation("attnlab::tova_attention").typed<TovaText>(); }
inline auto bounded_text() { return operation("attnlab::bounded_text").typed<BoundedText>(); }
inline auto decode_step() { return operation("attnlab::bounded_decode_step").typed<DecodeStep>(); }
inline auto turn_pairs() { return operation("attnlab::turn_pairs").typed<TurnPairs>(); }
inline auto causal_luna_fits() { return operation("attnlab::causal_luna_fits").typed<LunaFits>(); }
inline auto causal_luna_forward() { return operation("attnlab::causal_luna_forward").typed<LunaForward>(); }
inline auto causal_luna_backward() {
  return operation("attnlab::causal_luna_backward").typed<LunaBackward>();
}

}  // namespace attnlab::dispatched
