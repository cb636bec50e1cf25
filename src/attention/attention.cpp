// What an attention does unless it knows better.
#include "attention/attention.h"

#include <utility>

#include "core/error.h"

namespace attnlab {
namespace {

/// A context as it was given, for attentions that have nothing to prepare.
class WholeContext final : public OpenedContext {
 public:
  WholeContext(AttentionImpl& attention, Tensor context_BMD, Tensor padding_BM)
      : attention_(attention), context_BMD_(std::move(context_BMD)), padding_BM_(std::move(padding_BM)) {}
  Tensor read(const Tensor& query_BND) override {
    return attention_.forward(query_BND, context_BMD_, {{}, padding_BM_, {}}, {}).y_BND;
  }
  void select(const Tensor& members_B) override {
    context_BMD_ = context_BMD_.index_select(0, members_B);
    if (padding_BM_.defined()) padding_BM_ = padding_BM_.index_select(0, members_B);
  }
  int64_t bytes() const override { return static_cast<int64_t>(context_BMD_.nbytes()); }

 private:
  AttentionImpl& attention_;
  Tensor context_BMD_, padding_BM_;
};

}  // namespace

std::unique_ptr<OpenedContext> AttentionImpl::open(const Tensor& context_BMD, const Masks& masks,
                                                   const Tensor&) {
  ensure(state_length() == 0, "an attention with a state that opens a context in its own way");
  return std::make_unique<WholeContext>(*this, context_BMD, masks.context_BM);
}

StateExtent AttentionImpl::state_extent(const Tensor&, int64_t) const { return {state_length(), {}}; }

WeightMemory AttentionImpl::weight_memory(int64_t, int64_t, torch::DeviceType) const { return {}; }

}  // namespace attnlab
