#include "tasks/language/train_lm.h"

#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>

#include "config/writer.h"
#include "core/error.h"
#include "core/files.h"
#include "core/json_map.h"
#include "core/json_text.h"
#include "core/log.h"
#include "core/random.h"
#include "core/stop.h"
#include "data/byte_tokenizer.h"
#include "data/token_corpus.h"
#include "data/tokenizer.h"
#include "data/tokenizer_training.h"
#include "io/checkpoint.h"
#include "io/hf_folder.h"
#include "kernels/decoder_ops.h"
#include "kernels/on_device.h"
#include "metrics/perplexity.h"
#include "tasks/inputs.h"
#include "tasks/training_figures.h"
#include "train/train.h"

namespace attnlab {
namespace {

const Headline perplexity_validation{"perplexity_validation", "1",
                                     "per token, on documents held out of training", Summary::Better::lower};

torch::Tensor chunk_tensor(const std::vector<std::vector<int64_t>>& chunks, torch::Device device) {
  const auto rows = static_cast<int64_t>(chunks.size()),
             columns = static_cast<int64_t>(chunks.front().size());
  torch::Tensor ids = torch::empty({rows, columns}, torch::kLong);
  for (int64_t i = 0; i < rows; ++i)
    std::copy(chunks[static_cast<size_t>(i)].begin(), chunks[static_cast<size_t>(i)].end(),
              ids[i].mutable_data_ptr<int64_t>());
  return on_device(ids, device);
}

/// Logits [N, V] of what follows each of ids[:, :-1], and what does [N].
struct NextTokens {
  torch::Tensor logits_NV, targets_N;
};

NextTokens next_tokens(Decoder& decoder, const torch::Tensor& ids_BT) {
  const int64_t inputs = ids_BT.size(1) - 1;
  const torch::Tensor logits = decoder->logits(decoder->forward_training(ids_BT.narrow(1, 0, inputs)));
  return {logits.flatten(0, 1), ids_BT.narrow(1, 1, inputs).flatten()};
}

/// Mean −log p in nats, with its gradient: of that Torch's cross entropy loses nothing, only its value is up
/// to 1e-5 too low over a large vocabulary.
torch::Tensor training_loss(Decoder& decoder, const torch::Tensor& ids_BT) {
  const NextTokens next = next_tokens(decoder, ids_BT);
  return torch::cross_entropy_loss(next.logits_NV.to(torch::kFloat), next.targets_N);
}

/// The same as validation reports it.
double validation_loss(Decoder& decoder, const torch::Tensor& ids_BT) {
  const torch::NoGradGuard no_grad;
  const NextTokens next = next_tokens(decoder, ids_BT);
  return token_losses(next.logits_NV, next.targets_N).mean().item<double>();
}

/// Tokens [first, first + count] of a corpus, of which all but the first are predicted; with `bos` that
/// stands in place of the first.
std::vector<int64_t> chunk_of(const TokenCorpus& corpus, int64_t first, int64_t count,
                              std::optional<int64_t> bos) {
  std::vector<int64_t> ids = corpus.slice(first, count + 1);
  if (bos) ids.front() = *bos;
  return ids;
}

/// Packed chunks of context + 1 tokens, which overlap by the one that is only predicted.
class PackedChunks {
 public:
  PackedChunks(const TokenCorpus& corpus, int64_t context, int64_t batch, std::optional<int64_t> bos,
               uint64_t seed)
      : corpus_(corpus), context_(context), batch_(batch), bos_(bos), seed_(seed) {
    // The offset of an epoch takes up to one chunk away.
    chunks_ = (corpus.size() - 1) / context - 1;
    if (chunks_ < batch)
      user_error("data: {} tokens are too few for one batch of {} chunks of {}", corpus.size(), batch,
                 context);
  }

  int64_t batches_per_epoch() const { return chunks_ / batch_; }

  torch::Tensor batch(int64_t m, torch::Device device) {
    plan(m / batches_per_epoch());
    const int64_t first = m % batches_per_epoch() * batch_;
    std::vector<std::vector<int64_t>> rows;
    for (int64_t i = first; i < first + batch_; ++i)
      rows.push_back(chunk_of(corpus_, offset_ + order_[static_cast<size_t>(i)] * context_, context_, bos_));
    return chunk_tensor(rows, device);
  }

 private:
  void plan(int64_t epoch) {
    if (epoch == planned_) return;
    Random random(derive_seed(seed_, "packing", static_cast<uint64_t>(epoch)));
    offset_ = static_cast<int64_t>(random.below(static_cast<uint64_t>(context_)));
    order_.resize(static_cast<size_t>(chunks_));
    std::iota(order_.begin(), order_.end(), 0);
    shuffle(std::span(order_), random);
    planned_ = epoch;
  }

  const TokenCorpus& corpus_;
  int64_t context_, batch_, chunks_ = 0, planned_ = -1, offset_ = 0;
  std::optional<int64_t> bos_;
  uint64_t seed_;
  std::vector<int64_t> order_;
};

/// exp of the mean NLL over the first tokens of every validation document, each read by itself in chunks; the
/// standard error is over documents.
Validation validate_by_document(Decoder& decoder, const TokenCorpus& corpus, const TrainLmOptions& options,
                                std::optional<int64_t> bos, torch::Device device) {
  std::vector<DocumentScore> scores;
  int64_t read = 0;
  for (int64_t d = 0; d < corpus.documents(); ++d) {
    const int64_t end = std::min(corpus.end(d) - 1, corpus.begin(d) + options.validation_tokens);
    DocumentScore score;
    for (int64_t first = corpus.begin(d); first < end; first += options.context) {
      stop_here_if_requested();
      const int64_t count = std::min(options.context, end - first);
      const torch::Tensor ids = chunk_tensor({chunk_of(corpus, first, count, bos)}, device);
      score.nll += validation_loss(decoder, ids) * static_cast<double>(count);
      score.tokens += count;
    }
    read += score.tokens;
    scores.push_back(score);
  }
  const DocumentFigure pooled = pooled_perplexity(scores);
  return {pooled.value, pooled.standard_error, std::log(pooled.value), read};
}

/// exp of the mean NLL over the first tokens of the validation books; the standard error is that of the mean
/// over chunks, carried through the exponential.
Validation validate_on(Decoder& decoder, const TokenCorpus& corpus, const TrainLmOptions& options,
                       std::optional<int64_t> bos, torch::Device device) {
  if (options.validation_by_document) return validate_by_document(decoder, corpus, options, bos, device);
  const int64_t tokens = std::min(options.validation_tokens, corpus.size() - 1);
  const int64_t chunks = std::max<int64_t>(1, tokens / options.context);
  std::vector<double> losses;
  for (int64_t i = 0; i < chunks; ++i) {
    const int64_t first = i * options.context, count = std::min(options.context, corpus.size() - 1 - first);
    const torch::Tensor ids = chunk_tensor({chunk_of(corpus, first, count, bos)}, device);
    losses.push_back(validation_loss(decoder, ids));
  }
  const auto n = static_cast<double>(losses.size());
  const double mean = std::accumulate(losses.begin(), losses.end(), 0.0) / n;
  double squares = 0;
  for (const double loss : losses) squares += (loss - mean) * (loss - mean);
  const double error = n > 1 ? std::sqrt(squares / (n - 1) / n) : NAN;
  return {std::exp(mean), std::exp(mean) * error, mean, chunks * options.context};
}

/// The tokenizer's file: the named one, that of bytes, or of one trained on the texts; these two are kept in
/// the data cache.
std::filesystem::path named_or_trained(const TokenizerSource& o, const TextSource& texts,
                                       const DataPlace& place) {
  if (!o.path.empty()) return tokenizer_file(o.path);
  if (o.bytes) return put_byte_tokenizer(place.cache / "tokenizer-bytes");
  const std::string key =
      sha256(fmt::format("sentencepiece 2 {} {} {}", o.vocabulary, o.sample_bytes, texts.checksum));
  const auto file = place.cache / ("tokenizer-" + key.substr(0, 16) + ".model");
  if (!std::filesystem::exists(file)) {
    log_info("training a tokenizer of {} pieces on {} bytes", o.vocabulary, o.sample_bytes);
    std::filesystem::create_directories(place.cache);
    write_atomically(file, train_tokenizer(*texts.documents, texts.count, o.vocabulary, o.sample_bytes));
  }
  return file;
}

/// The tokenizer's files as they were given; a tokenizer.json that stood alone gets the names of BOS and EOS.
void save_tokenizer(const std::filesystem::path& folder, const Tokenizer& tokenizer,
                    const std::string& bytes) {
  const std::filesystem::path file = tokenizer.path(), config = "tokenizer_config.json";
  const bool json = file.extension() == ".json";
  write_atomically(folder / (json ? "tokenizer.json" : "tokenizer.model"), bytes);
  for (const char* tokens : {"added_tokens.json", "special_tokens_map.json"})
    if (std::filesystem::exists(file.parent_path() / tokens))
      write_atomically(folder / tokens, read_file(file.parent_path() / tokens));
  nlohmann::json names;
  if (std::filesystem::exists(file.parent_path() / config)) {
    names = read_json_map(file.parent_path() / config, "is no valid JSON");
  } else if (json) {
    names["tokenizer_class"] = "PreTrainedTokenizerFast";
    if (const auto bos = tokenizer.bos_id()) names["bos_token"] = tokenizer.piece(*bos);
    if (const auto eos = tokenizer.eos_id()) names["eos_token"] = tokenizer.piece(*eos);
  } else {
    return;  // what the model's folder has already says all
  }
  names["add_bos_token"] = tokenizer.bos_id().has_value();
  write_atomically(folder / config, json_text(names, 2) + "\n");
}

void save_model(const std::filesystem::path& folder, const Decoder& decoder, const Tokenizer& tokenizer,
                const std::string& tokenizer_bytes) {
  HfConfig config;
  config.bos_id = tokenizer.bos_id();
  if (const auto eos = tokenizer.eos_id()) config.eos_ids = {*eos};
  config.add_bos = tokenizer.bos_id().has_value();
  save_hf_folder(folder, decoder, config);
  save_tokenizer(folder, tokenizer, tokenizer_bytes);
}

}  // namespace

void TokenizerSource::visit(Fields& f) {
  f("path", path, OneOf{},
    "tokenizer.json, tokenizer.model or the folder of either; empty: one is trained on the documents");
  f("vocabulary", vocabulary, Range{300, 65536}, "pieces of a tokenizer that is trained");
  f("sample_bytes", sample_bytes, Range{1000, 1e10}, "bytes of text that a tokenizer is trained on");
  f("bytes", bytes, "no pieces: every byte of a text is a token, BOS and EOS beside them (258 ids)");
  f.require(!bytes || path.empty(), "bytes", "are the tokens, but `path` names another tokenizer");
}

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
    const torch::Tensor ids = packed.batch(m, context.device);
    const std::chrono::duration<double> data_time = std::chrono::steady_clock::now() - started;
    return MicroBatch{training_loss(decoder, ids), batch, batch * this->context, data_time.count()};
  };
  trainee.validate = [&] { return validate_on(decoder, held_out, *this, first, context.device); };
  const TrainOutcome outcome =
      attnlab::train(trainee, train, context.folder, context.seed, context.device, record);

  const torch::NoGradGuard no_grad;
  // The loop has the validation of the best weights, which are the ones it left in the model more often than
  // not.
  const bool known = outcome.best_update > 0 &&
                     (train.evaluate_with == EvaluateWith::best ||
                      (train.evaluate_with == EvaluateWith::last && outcome.best_update == outcome.updates));
  const Validation last = known ? outcome.best : validate_on(decoder, held_out, *this, first, context.device);
  save_model(context.folder / "model", decoder, pieces, tokenizer_model);
  log_info("saved {}", (context.folder / "model").string());
  record.summarise(summary_of(perplexity_validation, last.value, last.n, last.standard_error));
  record.summarise(summary_of(trained_numbers(), static_cast<double>(parameters), 1, 0));
  summarise_training(outcome, context.device, record);
  record.flush();
}

}  // namespace attnlab
