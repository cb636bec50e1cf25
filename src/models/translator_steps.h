// A translator token by token, as a search over its translations wants it.
#pragma once

#include "models/next_token_scorer.h"
#include "models/translator.h"

namespace attnlab {

class TranslatorSteps final : public NextTokenScorer {
 public:
  /// Sources as encoded; each is read once. The model is in evaluation mode.
  TranslatorSteps(Translator model, const Encoded& source);
  Tensor read(const Tensor& ids_R) override;
  void select(const Tensor& rows_R, int64_t beam) override;
  /// Bytes that all texts and sentences keep.
  int64_t bytes() const;

 private:
  Translator model_;
  std::vector<TargetLayerImpl::Steps> layers_;
  int64_t sentences_, token_ = 0, beam_ = 1;
};

}  // namespace attnlab
