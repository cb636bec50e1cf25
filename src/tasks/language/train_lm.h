// Trains a language model of the Llama family on running text, from scratch or from a pre-trained one
// (`start_from`), and saves it as a Hugging Face folder, <run>/model, which the task `perplexity`, `attnlab
// predict` and transformers open. With `train.policy` each token sees what a cache policy has kept.
//
// Documents stand end to end, BOS before and EOS after each, cut into chunks of `context` tokens ("packing");
// every epoch cuts at another offset and takes the chunks in another order. With `bos: chunk` each chunk
// begins with BOS in place of its first token, as the task `perplexity` reads chunks. With `mixture` it
// also learns answers to questions about documents.
#pragma once

#include "data/chunks.h"
#include "data/documents.h"
#include "io/hf_folder.h"
#include "models/decoder.h"
#include "tasks/language/lm_tokenizer.h"
#include "tasks/language/mixture.h"
#include "tasks/language/train_policy.h"
#include "tasks/task.h"

namespace attnlab {

struct TrainLmOptions final : TaskOptions {
  std::string start_from;
  DecoderOptions model;
  Choice<DocumentDataOptions> data, validation;
  int64_t documents = 0;
  bool mixes = false;
  MixtureOptions mixture;
  TokenizerSource tokenizer;
  int64_t context = 1024;
  int64_t batch_size = 8;
  int64_t batch_tokens = 0;
  BosPolicy bos = BosPolicy::document;
  int64_t validation_tokens = 65536;
  bool validation_by_document = false;
  LmTrainOptions train;

  void visit(Fields& f) override;
  std::vector<Table> tables() const override;
  std::vector<Headline> headlines() const override;
  std::vector<Input> inputs(const RunContext& context) const override;
  bool shares_training() const override { return true; }
  void run(const RunContext& context, RecordSink& record) const override;
  /// Chunks in a micro-batch.
  int64_t chunks() const { return batch_tokens > 0 ? batch_tokens / context : batch_size; }

 private:
  /// What gives the weights that training begins with.
  std::vector<Input> start_inputs(const RunContext& context) const;
  HfModel begin(const Tokenizer& pieces, const RunContext& context) const;
};

}  // namespace attnlab
