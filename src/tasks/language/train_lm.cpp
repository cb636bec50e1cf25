#include "tasks/language/train_lm.h"

#include <chrono>
#include <optional>

#include "config/writer.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/random.h"
#include "io/checkpoint.h"
#include "tasks/inputs.h"
#include "tasks/language/lm_validation.h"
#include "tasks/language/packed_chunks.h"
#include "tasks/training_figures.h"
#include "train/train.h"

namespace attnlab {
namespace {

const Headline perplexity_validation{"perplexity_validation", "1",
                                     "per token, on documents held out of training", Summary::Better::lower};

}  // namespace

void TrainLmOptions::visit(Fields& f) {
  f("model", model, "the decoder; vocabulary 0 takes the tokenizer's");
  f("data", data, "documents to train on");
  f("documents", documents, Range{0, 1e9}, "train on the first N documents; 0: all");
  f("validation", validation, "documents held out of training");
  f("tokenizer", tokenizer, "from text to tokens");
  f("context", context, Range{2, 1 << 20}, "tokens that a chunk predicts");
  f.require(
      context <= model.max_positions, "context",
      fmt::format("{} tokens are more than the model's max_positions of {}", context, model.max_positions));
  f("batch_size", batch_size, Range{1, 65536}, "chunks in a micro-batch");
  f("batch_tokens", batch_tokens, Range{0, 1 << 24},
    "tokens of a micro-batch instead, a multiple of context; 0: `batch_size` says how many chunks");
  f.require(batch_tokens % context == 0, "batch_tokens",
            fmt::format("{} is no multiple of the {} tokens of a chunk", batch_tokens, context));
  f("bos", bos, {{"document", BosPolicy::document}, {"chunk", BosPolicy::chunk}},
    "where BOS stands in training and validation: document, at the start of each, so that few chunks show "
    "it; chunk, "
    "at the start of each chunk, in place of its first token, as perplexity reads chunks");
  f("validation_tokens", validation_tokens, Range{1, 1e12}, "validate on the first N tokens");
  f("validation_by_document", validation_by_document,
    "validate on the first N tokens of every document, which begins a chunk; the error is then over "
    "documents");
  f("train", train, "the training loop");
}

std::vector<Table> TrainLmOptions::tables() const { return training_tables(); }

std::vector<Headline> TrainLmOptions::headlines() const {
  return {perplexity_validation, training_seconds(), trained_tokens_per_second(), trained_numbers()};
}

std::vector<Input> TrainLmOptions::inputs(const RunContext& context) const {
  std::vector<Input> all = weights_input(context);
  if (!tokenizer.path.empty()) all.push_back(file_input("tokenizer", tokenizer_file(tokenizer.path)));
  const std::string key = fmt::format("{} {} {} {} {}", data.name(), dump(*data), documents,
                                      validation.name(), dump(*validation));
  all.push_back({"texts", context.data.root.string(), key,
                 [data = data, documents = documents, validation = validation, place = context.data] {
                   return sha256(open_texts(*data, documents, place).checksum +
                                 open_texts(*validation, 0, place).checksum);
                 }});
  return all;
}

void TrainLmOptions::run(const RunContext& context, RecordSink& record) const {
  const TextSource texts = open_texts(*data, documents, context.data);
  const Tokenizer pieces = Tokenizer::open(named_or_trained(tokenizer, texts, context.data));
  const std::string tokenizer_model = read_file(pieces.path());
  const std::string tokenizer_sum = sha256(tokenizer_model);
  const TokenCorpus books = open_tokens(texts, context.data, pieces, tokenizer_sum);
  const TextSource held_out_texts = open_texts(*validation, 0, context.data);
  const TokenCorpus held_out = open_tokens(held_out_texts, context.data, pieces, tokenizer_sum);
  record.attribute("data_checksum", sha256(std::string(books.content_sha256()) += held_out.content_sha256()));
  record.attribute("tokenizer_checksum", tokenizer_sum);
  record.attribute("texts_checksum", sha256(texts.checksum + held_out_texts.checksum));
  record_inputs(weights_input(context), record);

  DecoderOptions sizes = model;
  if (sizes.vocabulary == 0) sizes.vocabulary = pieces.size();
  torch::manual_seed(derive_seed(context.seed, "initialise"));
  Decoder decoder(sizes);
  decoder->to(context.device);
  if (!context.init_from.empty()) load_weights(*decoder, context.init_from);
  const int64_t parameters = parameter_count(sizes);
  log_info("{} tokens to train on, {} held out; vocabulary {}; {} parameters", books.size(), held_out.size(),
           sizes.vocabulary, parameters);

  const std::optional<int64_t> first = bos == BosPolicy::chunk ? pieces.bos_id() : std::nullopt;
  if (bos == BosPolicy::chunk && !first) user_error("bos: {} has no BOS to begin chunks with", pieces.path());
  const int64_t batch = this->chunks();
  PackedChunks packed(books, this->context, batch, first, context.seed);
  Trainee trainee;
  trainee.model = decoder.ptr();
  trainee.metric = "perplexity";
  trainee.higher_is_better = false;
  trainee.draws_by_micro_batch = true;
  trainee.micro_batches_per_epoch = packed.batches_per_epoch();
  trainee.micro_batch = [&](int64_t m) {
    const auto started = std::chrono::steady_clock::now();
    const LearnedTokens tokens = packed.batch(m).to(context.device);
    const std::chrono::duration<double> data_time = std::chrono::steady_clock::now() - started;
    return MicroBatch{training_loss(decoder, tokens), tokens.texts(), tokens.read(), data_time.count()};
  };
  trainee.validate = [&] { return validate_on_text(decoder, held_out, *this, first, context.device); };
  const TrainOutcome outcome =
      attnlab::train(trainee, train, context.folder, context.seed, context.device, record);

  const torch::NoGradGuard no_grad;
  // The loop has the validation of the best weights, which are the ones it left in the model more often than
  // not.
  const bool known = outcome.best_update > 0 &&
                     (train.evaluate_with == EvaluateWith::best ||
                      (train.evaluate_with == EvaluateWith::last && outcome.best_update == outcome.updates));
  const Validation last =
      known ? outcome.best : validate_on_text(decoder, held_out, *this, first, context.device);
  save_language_model(context.folder / "model", decoder, pieces, tokenizer_model);
  log_info("saved {}", (context.folder / "model").string());
  record.summarise(summary_of(perplexity_validation, last.value, last.n, last.standard_error));
  record.summarise(summary_of(trained_numbers(), static_cast<double>(parameters), 1, 0));
  summarise_training(outcome, context.device, record);
  record.flush();
}

}  // namespace attnlab
