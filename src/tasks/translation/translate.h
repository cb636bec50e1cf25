// Translation: trains an encoder-decoder on sentence pairs, translates the test set by beam search, and
// scores what comes out (Luna §4.2; Vaswani et al. 2017, §5–6).
#pragma once

#include "data/translation/batches.h"
#include "data/translation/pairs.h"
#include "kernels/projected_cross_entropy.h"
#include "models/beam_options.h"
#include "models/translator.h"
#include "tasks/task.h"
#include "train/options.h"

namespace attnlab {

/// Of the training loss; the conventions are those of kernels/projected_cross_entropy.h.
struct LabelSmoothing {
  double epsilon = 0.1;
  SmoothedTargets::Convention convention = SmoothedTargets::Convention::fairseq;
  void visit(Fields& f);
};

struct TranslationDecoding {
  BeamOptions search;
  int64_t batch_tokens = 2048;
  int64_t batch_sentences = 64;
  void visit(Fields& f);
};

/// What the validations of a training make of BLEU, for which they translate the validation set.
enum class TrainingBleu { none, shown, selects };

struct TranslateOptions final : TaskOptions {
  Choice<TranslationDataOptions> data;
  PairBatchingOptions batching;
  SourcePadding source_padding = SourcePadding::right;
  TranslatorOptions model;
  LabelSmoothing label_smoothing;
  TrainOptions train;
  bool trains = true;  ///< false: `train: none`
  TranslationDecoding decoding;
  TrainingBleu training_bleu = TrainingBleu::none;
  bool validation_bleu = true;

  void visit(Fields& f) override;
  std::vector<Table> tables() const override;
  std::vector<Headline> headlines() const override;
  bool only_evaluates() const override { return !trains; }
  bool shares_training() const override { return trains; }
  double work() const override;
  std::vector<Input> inputs(const RunContext& context) const override;
  void run(const RunContext& context, RecordSink& record) const override;
  /// One sentence a line in; {"text", "score", "log_probability", "tokens", "line"} a line out, or {"error"}
  /// for a line that cannot be translated. Lines end with LF or CRLF, as those of sentence pairs do. Uses the
  /// weights that the run was evaluated with.
  int64_t predict(const RunContext& context, std::istream& in, std::ostream& out) const override;

  /// A translator with fresh weights drawn from `seed`.
  Translator build_model(int64_t vocabulary, uint64_t seed, torch::Device device) const;
};

}  // namespace attnlab
