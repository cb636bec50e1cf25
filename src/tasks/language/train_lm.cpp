#include "tasks/language/train_lm.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <optional>

#include "config/writer.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/random.h"
#include "io/checkpoint.h"
#include "tasks/inputs.h"
#include "tasks/language/lm_losses.h"
#include "tasks/language/lm_model.h"
#include "tasks/language/lm_validation.h"
#include "tasks/language/packed_chunks.h"
#include "tasks/training_figures.h"
#include "train/train.h"

namespace attnlab {
namespace {

Headline validation_figure(bool mixes) {
  return {"perplexity_validation", "1",
          mixes ? "geometric mean of those on running text and on answers, both held out of training and "
                  "read under the "
                  "run's own train.policy, by the mixture's weights"
                : "per token, on documents held out of training, read under the run's own train.policy",
          Summary::Better::lower};
}

/// What validation tells beside the figure that it chooses by.
std::vector<Headline> further_figures(const TrainLmOptions& o) {
  std::vector<Headline> all;
  if (o.mixes) all = mixture_figures();
  if (o.train.policy.active()) all.push_back(reconstruction_figure());
  return all;
}

/// The files of the mixture's questions; none where it has no answers.
std::vector<Input> question_inputs(const TrainLmOptions& o, const DataPlace& place) {
  std::vector<Input> all;
  if (!o.mixes) return all;
  for (const auto& [name, benchmark] : {std::pair("questions", o.mixture.questions.share()),
                                        std::pair("held_out_questions", o.mixture.held_out.share())})
    for (Input input : benchmark->inputs(place)) {
      input.name = name;
      all.push_back(std::move(input));
    }
  return all;
}

/// What perplexity_answers is of, so that two runs can be paired by document.
Table answers_table() {
  using Type = Column::Type;
  return {"/eval/answers",
          "every document whose held-out questions were read",
          {{"id", Type::text, "1", "the publisher's name of the document"},
           {"tokens", Type::integer, "token", "of its answers, EOS counted"},
           {"nll", Type::real, "nat", "negative log-probability, sum over them"}}};
}

void record_answered(const std::vector<ScoredAnswers>& answered, RecordSink& record) {
  const Table table = answers_table();
  record.truncate(table.path, 0);  // what a run killed at its end left
  for (const ScoredAnswers& document : answered) {
    const Value row[] = {document.id, document.score.tokens, document.score.nll};
    record.append(table.path, row);
  }
}

void record_validations(const TaskValidations& tasks, const TrainLmOptions& o, RecordSink& record) {
  const auto write = [&](const Headline& figure, const Validation& found) {
    record.summarise(summary_of(figure, found.value, found.n, found.standard_error));
  };
  write(validation_figure(tasks.answers.has_value()), as_one(tasks, o.mixture));
  for (const ValidationFigure& found : tasks.text.figures)
    for (const Headline& figure : further_figures(o))
      if (figure.name == found.name)
        record.summarise(summary_of(figure, found.value, tasks.text.n, Summary::unknown));
  if (!tasks.answers) return;
  write(mixture_figures()[0], tasks.text);
  write(mixture_figures()[1], *tasks.answers);
  record_answered(tasks.answered, record);
}

/// Why train.policy is none for the model that is described here; of one that is read it is seen when it is
/// read.
std::string policy_misfit(const TrainLmOptions& o) {
  if (!o.start_from.empty() || o.model.attention->rows_of_sums() > 0 ||
      !why_not_trained(o.train.policy.cache).empty())
    return "";
  try {
    return o.train.policy.misfit(state_shape(o.model.resolved()));
  } catch (const UserError&) {
    return "";  // sizes that contradict each other, of which the model tells
  }
}

/// What is trained on and what is held out, in the tokens of one tokenizer.
struct LmTexts {
  TextSource learned, held_out;
  Tokenizer pieces;
  std::string tokenizer_model;  ///< the content of its file
  TokenCorpus learned_tokens, held_out_tokens;
};

LmTexts open_all(const TrainLmOptions& o, const DataPlace& place) {
  TextSource learned = open_texts(*o.data, o.documents, place);
  Tokenizer pieces = Tokenizer::open(o.start_from.empty() ? named_or_trained(o.tokenizer, learned, place)
                                                          : tokenizer_file(model_folder(o.start_from)));
  std::string model = read_file(pieces.path());
  const std::string sum = checksum_of_tokenizer(pieces.path());
  TokenCorpus learned_tokens = open_tokens(learned, place, pieces, sum);
  TextSource held_out = open_texts(*o.validation, 0, place);
  TokenCorpus held_out_tokens = open_tokens(held_out, place, pieces, sum);
  return {std::move(learned), std::move(held_out),       std::move(pieces),
          std::move(model),   std::move(learned_tokens), std::move(held_out_tokens)};
}

void record_texts(const LmTexts& texts, RecordSink& record) {
  const std::string learned(texts.learned_tokens.content_sha256());
  record.attribute("data_checksum", sha256(learned + std::string(texts.held_out_tokens.content_sha256())));
  record.attribute("tokenizer_checksum", sha256(texts.tokenizer_model));
  record.attribute("texts_checksum", sha256(texts.learned.checksum + texts.held_out.checksum));
}

/// The answers of a mixture. with_bos: as the saved model's prompts will be read.
struct MixtureAnswers {
  MixtureAnswers(const TrainLmOptions& o, const RunContext& context, const Tokenizer& pieces, bool with_bos)
      : learned(o.mixture.questions.share(), context.data, pieces, with_bos, o.context,
                o.mixture.longest_answer),
        held_out(o.mixture.held_out.share(), context.data, pieces, with_bos, o.context,
                 o.mixture.longest_answer) {
    if (o.mixture.answers > 0) batches.emplace(learned, o.chunks(), context.seed);
    log_info("{} answers to learn, {} held out", learned.size(), held_out.size());
  }
  AnswerTexts learned, held_out;
  std::optional<AnswerBatches> batches;  ///< none where answers have no weight
};

Trainee trainee_of(const Decoder& decoder, const LmLosses& losses, MixedTasks& tasks, torch::Device device) {
  Trainee trainee;
  trainee.model = decoder.ptr();
  trainee.metric = "perplexity";
  trainee.higher_is_better = false;
  trainee.draws_by_micro_batch = true;
  trainee.micro_batches_per_epoch = tasks.batches_per_epoch();
  trainee.micro_batch = [&losses, &tasks, device](int64_t m) {
    const auto started = std::chrono::steady_clock::now();
    const LearnedTokens tokens = tasks.batch(m).to(device);
    const std::chrono::duration<double> data_time = std::chrono::steady_clock::now() - started;
    return MicroBatch{losses.training(tokens, m), tokens.texts(), tokens.read, data_time.count(),
                      tasks.weight_of(tokens)};
  };
  return trainee;
}

/// Whether the loop has the validation of the weights that it left in the model.
bool validated_last(const TrainOutcome& outcome, EvaluateWith evaluate_with) {
  return outcome.best_update > 0 &&
         (evaluate_with == EvaluateWith::best ||
          (evaluate_with == EvaluateWith::last && outcome.best_update == outcome.updates));
}

}  // namespace

void TrainLmOptions::visit(Fields& f) {
  f("start_from", start_from, OneOf{},
    "a pre-trained model to go on training: a Hugging Face folder, or that of a run that trained one, or "
    "EXPERIMENT.yaml#ROW, the run in that row as `attnlab list` shows it; sizes and tokenizer are its; "
    "empty: `model` with random weights");
  f("model", model, "the decoder; vocabulary 0 takes the tokenizer's");
  f.require(start_from.empty() || dump(model) == dump(DecoderOptions()), "model",
            "has sizes of its own, but they are those of start_from");
  f("data", data, "documents to train on");
  f("documents", documents, Range{0, 1e9}, "train on the first N documents; 0: all");
  f("validation", validation, "documents held out of training");
  f.optional("mixture", mixture, mixes,
             "running text and answers to questions, each micro-batch of one of them; none: text");
  f.require(!mixes || !mixture.holds_nothing_out(), "mixture",
            "holds out the questions that it trains on: `questions` and `held_out` ask the same of the same "
            "documents "
            "(questions: {type: squality, split: train} and held_out: {type: squality} do not)");
  f("tokenizer", tokenizer, "from text to tokens");
  f.require(start_from.empty() || dump(tokenizer) == dump(TokenizerSource()), "tokenizer",
            "is chosen here, but it is that of start_from");
  f.require(!(data->holds_ids() || validation->holds_ids()) || tokenizer.bytes || !tokenizer.path.empty() ||
                !start_from.empty(),
            "tokenizer", "token ids are trained on with the tokenizer that made them: set tokenizer.path");
  f("context", context, Range{2, 1 << 20}, "tokens that a chunk predicts");
  f.require(
      !start_from.empty() || context <= model.max_positions, "context",
      fmt::format("{} tokens are more than the model's max_positions of {}", context, model.max_positions));
  f("batch_size", batch_size, Range{1, 65536}, "chunks in a micro-batch");
  f("batch_tokens", batch_tokens, Range{0, 1 << 24},
    "tokens of a micro-batch instead, a multiple of context; 0: `batch_size` says how many chunks");
  f.require(batch_tokens % context == 0, "batch_tokens",
            fmt::format("{} is no multiple of the {} tokens of a chunk", batch_tokens, context));
  f("bos", bos, {{"document", BosPolicy::document}, {"chunk", BosPolicy::chunk}},
    "where BOS stands in training and validation: document, at the start of each, so that few chunks show "
    "it; chunk, at the start of each chunk, in place of its first token, as perplexity reads chunks");
  f("validation_tokens", validation_tokens, Range{1, 1e12}, "validate on the first N tokens");
  f("validation_by_document", validation_by_document,
    "validate on the first N tokens of every document, which begins a chunk; the error is then over "
    "documents");
  train.policy.context = context;
  f("train", train, "the training loop");
  f.require(
      !train.policy.active() || model.attention->rows_of_sums() == 0, "train",
      fmt::format("drops tokens under train.policy, of which {}'s layers keep none", model.attention.name()));
  const std::string misfit = policy_misfit(*this);
  f.require(misfit.empty(), "train", fmt::format("has a policy that {}", misfit));
}

std::vector<Table> TrainLmOptions::tables() const {
  std::vector<Column> figures;
  for (const Headline& figure : further_figures(*this))
    figures.push_back({figure.name, Column::Type::real, figure.unit, figure.meaning});
  std::vector<Table> all = training_tables(figures);
  if (mixes) all.push_back(answers_table());
  return all;
}

std::vector<Headline> TrainLmOptions::headlines() const {
  std::vector<Headline> all{validation_figure(mixes)};
  std::ranges::copy(further_figures(*this), std::back_inserter(all));
  all.insert(all.end(), {training_seconds(), trained_tokens_per_second(), trained_numbers()});
  return all;
}

std::vector<Input> TrainLmOptions::start_inputs(const RunContext& context) const {
  if (start_from.empty()) return weights_input(context);
  if (!context.init_from.empty())
    user_error("start_from and init_from both name weights to start from: leave one of them out");
  return {model_input(start_from)};
}

std::vector<Input> TrainLmOptions::inputs(const RunContext& context) const {
  std::vector<Input> all = start_inputs(context);
  if (!start_from.empty() || !tokenizer.path.empty()) {
    const std::filesystem::path pieces =
        tokenizer_file(start_from.empty() ? std::filesystem::path(tokenizer.path) : model_folder(start_from));
    all.push_back(file_input("tokenizer", pieces));
    all.push_back(settings_input(pieces.parent_path()));
  }
  const std::string key = fmt::format("{} {} {} {} {}", data.name(), dump(*data), documents,
                                      validation.name(), dump(*validation));
  all.push_back({"texts", context.data.root.string(), key,
                 [data = data, documents = documents, validation = validation, place = context.data] {
                   return sha256(open_texts(*data, documents, place).checksum +
                                 open_texts(*validation, 0, place).checksum);
                 }});
  std::ranges::move(question_inputs(*this, context.data), std::back_inserter(all));
  return all;
}

HfModel TrainLmOptions::begin(const Tokenizer& pieces, const RunContext& context) const {
  if (start_from.empty()) {
    HfModel fresh = random_model(model, pieces, context.seed, context.device);
    if (!context.init_from.empty()) load_weights(*fresh.decoder, context.init_from);
    return fresh;
  }
  HfModel given = model_to_tune(start_from, pieces, context.device);
  if (this->context > given.config.decoder.max_positions)
    user_error("context: {} tokens are more than the {} positions of the model in {}", this->context,
               given.config.decoder.max_positions, start_from);
  return given;
}

void TrainLmOptions::run(const RunContext& context, RecordSink& record) const {
  if (data.name() == validation.name() && dump(*data) == dump(*validation))
    log_info(
        "warning: `validation` reads the texts of `data`: its perplexity is not of texts held out of "
        "training");
  record_inputs(question_inputs(*this, context.data), record);  // before all books are cut into tokens
  const LmTexts texts = open_all(*this, context.data);
  record_texts(texts, record);
  record_inputs(start_inputs(context), record);

  const HfModel begun = begin(texts.pieces, context);
  const DecoderOptions& sizes = begun.decoder->options();
  const int64_t parameters = parameter_count(sizes);
  log_info("{} tokens to train on, {} held out; vocabulary {}; {} parameters", texts.learned_tokens.size(),
           texts.held_out_tokens.size(), sizes.vocabulary, parameters);
  const LmLosses losses(begun.decoder, train.policy, context.seed);

  const std::optional<int64_t> first = bos == BosPolicy::chunk ? texts.pieces.bos_id() : std::nullopt;
  if (bos == BosPolicy::chunk && !first)
    user_error("bos: {} has no BOS to begin chunks with", texts.pieces.path());
  PackedChunks packed(texts.learned_tokens, this->context, chunks(), first, context.seed);
  std::optional<MixtureAnswers> answers;
  if (mixes) answers.emplace(*this, context, texts.pieces, begun.config.add_bos);
  MixedTasks mixed(mixes ? mixture.weights() : std::array{1.0, 0.0}, packed,
                   answers && answers->batches ? &*answers->batches : nullptr, context.seed);
  const HeldOutTasks unseen{texts.held_out_tokens, first, answers ? &answers->held_out : nullptr};
  const auto validate = [&] { return validate_tasks(losses, unseen, *this, context.device); };
  Trainee trainee = trainee_of(begun.decoder, losses, mixed, context.device);
  trainee.validate = [&] { return as_one(validate(), mixture); };
  const TrainOutcome outcome =
      attnlab::train(trainee, train, context.folder, context.seed, context.device, record);

  const torch::NoGradGuard no_grad;
  const bool known = !mixes && validated_last(outcome, train.evaluate_with);
  const TaskValidations last = known ? TaskValidations{outcome.best} : validate();
  save_language_model(context.folder / "model", begun, texts.pieces, texts.tokenizer_model);
  log_info("saved {}", (context.folder / "model").string());
  record_validations(last, *this, record);
  record.summarise(summary_of(trained_numbers(), static_cast<double>(parameters), 1, 0));
  summarise_training(outcome, context.device, record);
  record.flush();
}

}  // namespace attnlab
