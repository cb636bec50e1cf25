#include "models/translator_steps.h"

#include "core/error.h"
#include "kernels/decoder_ops.h"

namespace attnlab {

TranslatorSteps::TranslatorSteps(Translator model, const Encoded& source)
    : model_(std::move(model)), layers_(model_->open(source)), sentences_(source.x_BND.size(0)) {
  ensure(!model_->is_training(), "a model in evaluation mode");
}

Tensor TranslatorSteps::read(const Tensor& ids_R) {
  const torch::NoGradGuard no_grad;
  const Tensor ids = ids_R.to(model_->projection().device());
  return thin_linear(model_->step(ids, token_++, layers_, beam_), model_->projection());
}

void TranslatorSteps::select(const Tensor& rows_R, int64_t beam) {
  const Tensor sentences_S = rows_R.view({-1, beam}).select(1, 0).div(beam_, "floor").contiguous();
  // Texts change places at most steps, sentences only where one is done: their keys and values are not copied
  // before.
  const bool same_sentences = torch::equal(sentences_S, torch::arange(sentences_, sentences_S.options()));
  const torch::Device device = model_->projection().device();
  const Tensor rows = rows_R.to(device), sentences = same_sentences ? Tensor() : sentences_S.to(device);
  for (TargetLayerImpl::Steps& layer : layers_) {
    layer.texts->select(rows, sentences, beam);
    if (!same_sentences) layer.source->select(sentences);
  }
  sentences_ = sentences_S.size(0);
  beam_ = beam;
}

int64_t TranslatorSteps::bytes() const {
  int64_t sum = 0;
  for (const TargetLayerImpl::Steps& layer : layers_) sum += layer.texts->bytes() + layer.source->bytes();
  return sum;
}

}  // namespace attnlab
