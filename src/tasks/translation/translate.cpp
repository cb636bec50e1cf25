#include "tasks/translation/translate.h"

#include <chrono>

#include "config/writer.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/random.h"
#include "io/checkpoint.h"
#include "models/parameter_count.h"
#include "tasks/inputs.h"
#include "tasks/training_figures.h"
#include "tasks/translation/pair_batches.h"
#include "tasks/translation/pair_tensors.h"
#include "tasks/translation/translated_split.h"
#include "tasks/translation/translation_scores.h"
#include "tasks/translation/vocabulary_of_weights.h"
#include "train/ranks.h"
#include "train/train.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

const Headline padding_share{"padding_share", "1", "of the places in a training batch that hold no token",
                             Summary::Better::lower};

MicroBatch loss_of(Translator& model, const PairTensors& t, const PairBatch& batch,
                   const LabelSmoothing& smoothing) {
  const Tensor hidden_BTD =
      model->decode(t.target_input_BT, t.target_padding_BT, model->encode(t.source_BN, t.source_padding_BN));
  const ProjectedLoss loss =
      projected_cross_entropy(hidden_BTD.flatten(0, 1), model->projection(), {}, t.target_output_BT.flatten(),
                              {.epsilon = smoothing.epsilon,
                               .convention = smoothing.convention,
                               .ignored = TranslationVocabulary::pad});
  const auto tokens = static_cast<double>(batch.target_tokens);
  return {.loss = loss.smoothed / tokens,
          .examples = batch.rows,
          .tokens = batch.source_tokens + batch.target_tokens,
          .weight = tokens};
}

/// Perplexity, and BLEU as `training_bleu` asks for it.
Validation validated(const TranslateOptions& o, const TranslationData& data, Translator& model,
                     const RunContext& context) {
  Validation found = validation_of(target_losses(model, *data.validation, o, context.limit, context.device));
  if (o.training_bleu == TrainingBleu::none) return found;
  const TranslatedSplit split = translate_split(Split::validation, o, data, model, context);
  const CorpusFigure bleu = bleu_of(split);
  if (o.training_bleu == TrainingBleu::selects)
    return {bleu.value, bleu.standard_error, found.loss, std::ssize(split.translations)};
  found.figures = {{"bleu", bleu.value}};
  return found;
}

TrainOutcome train_on(const TranslateOptions& o, const TranslationData& data, Translator& model,
                      const RunContext& context, RecordSink& record) {
  PairBatches batches(*data.train, o.batching, derive_seed(context.seed, "shuffle"), context.folder);
  record.attribute("batches_cut", batches.cut());
  if (join_ranks().rank() == 0) batches.remember_cut();
  record.summarise(summary_of(padding_share, batches.padding_share(), batches.per_epoch()));
  if (batches.left_out() > 0)
    log_info("{} training pairs are longer than a batch or the positions and are left out",
             batches.left_out());
  Trainee trainee;
  trainee.model = model.ptr();
  trainee.about = {{vocabulary_of_weights, data.vocabulary->checksum()}};
  trainee.higher_is_better = o.training_bleu == TrainingBleu::selects;
  trainee.metric = trainee.higher_is_better ? "BLEU" : "perplexity";
  trainee.draws_by_micro_batch = true;
  trainee.micro_batches_per_epoch = batches.per_epoch();
  trainee.micro_batch = [&](int64_t m) {
    const auto started = std::chrono::steady_clock::now();
    const PairBatch batch = make_pair_batch(*data.train, batches.members(m), o.source_padding);
    const PairTensors tensors = to_tensors(batch, context.device);
    const std::chrono::duration<double> data_time = std::chrono::steady_clock::now() - started;
    MicroBatch made = loss_of(model, tensors, batch, o.label_smoothing);
    made.data_seconds = data_time.count();
    return made;
  };
  trainee.validate = [&] { return validated(o, data, model, context); };
  return attnlab::train(trainee, o.train, context.folder, context.seed, context.device, record);
}

void evaluate(const TranslateOptions& o, Split split, const TranslationData& data, Translator& model,
              const RunContext& context, RecordSink& record) {
  model->eval();
  TranslatedSplit done = translate_split(split, o, data, model, context);
  const SentencePairs& pairs = split == Split::test ? *data.test : *data.validation;
  done.losses = target_losses(model, pairs, o, context.limit, context.device);
  write_translations(done, record);
}

}  // namespace

void LabelSmoothing::visit(Fields& f) {
  using enum SmoothedTargets::Convention;
  f("epsilon", epsilon, Range{0, 0.99}, "probability that is spread over the vocabulary; 0: none");
  f("convention", convention, {{"fairseq", fairseq}, {"uniform", uniform}},
    "fairseq: ε/(V−1) to every other symbol, 1−ε to the target; uniform: ε/V to all, the target among them");
}

void TranslationDecoding::visit(Fields& f) {
  search.visit(f);
  f("batch_tokens", batch_tokens, Range{1, 1e9},
    no_effect("most source tokens of sentences that are translated together"));
  f("batch_sentences", batch_sentences, Range{1, 65536},
    no_effect("most sentences that are translated together"));
}

void TranslateOptions::visit(Fields& f) {
  f("data", data, "sentence pairs");
  f("batching", batching, "which pairs stand together in a micro-batch");
  f("source_padding", source_padding, {{"right", SourcePadding::right}, {"left", SourcePadding::left}},
    "side on which short sources are padded; left as fairseq does");
  f("model", model, "the translator");
  f("label_smoothing", label_smoothing, "of the training loss");
  f.optional("train", train, trains, "the training loop; none: only evaluate the weights of init_from");
  f("decoding", decoding, "how translations are looked for; that of a source without a word is empty");
  f("training_bleu", training_bleu,
    {{"none", TrainingBleu::none}, {"shown", TrainingBleu::shown}, {"selects", TrainingBleu::selects}},
    "BLEU at every validation of the training, of translations by `decoding`: none; shown, beside the "
    "perplexity; or selects, the best weights are those of the highest");
  f.require(training_bleu == TrainingBleu::none || !trains || train.validate_interval > 0, "training_bleu",
            "is computed at validations, and train.validate_interval is 0");
  f("validation_bleu", validation_bleu, "also translate the validation set at the end");
  f.require(decoding.search.min_length < batching.max_positions, "decoding",
            fmt::format("min_length {} and the end of a translation are more than the {} positions of "
                        "batching.max_positions",
                        decoding.search.min_length, batching.max_positions));
}

std::vector<Table> TranslateOptions::tables() const {
  std::vector<Column> figures;
  if (training_bleu == TrainingBleu::shown)
    figures.push_back({"bleu", Column::Type::real, "1", "BLEU on the validation split"});
  std::vector<Table> all = training_tables(figures);
  for (Table& table : translation_tables()) all.push_back(std::move(table));
  return all;
}

std::vector<Headline> TranslateOptions::headlines() const {
  std::vector<Headline> all = translation_figures(Split::test, data->tokenised());
  for (Headline& figure : translation_figures(Split::validation, data->tokenised()))
    all.push_back(std::move(figure));
  for (const Headline& figure :
       {training_seconds(), trained_tokens_per_second(), padding_share, harness_share(), trained_numbers()})
    all.push_back(figure);
  return all;
}

double TranslateOptions::work() const {
  const auto width = static_cast<double>(model.encoder.dim);
  const double layers = static_cast<double>(model.encoder.layers + model.decoder_layers);
  // Of epochs over data that is not open yet, the tokens of WMT'14: runs of one sweep mostly share their
  // data.
  constexpr double tokens_of_an_epoch = 120e6;
  const double tokens = train.epochs > 0
                            ? train.epochs * tokens_of_an_epoch
                            : static_cast<double>(train.updates * train.accumulate * batching.max_tokens);
  return trains ? 100.0 * tokens * layers * width * width : 0;
}

std::vector<Input> TranslateOptions::inputs(const RunContext& context) const {
  std::vector<Input> all = weights_input(context);
  all.push_back({"texts", context.data.root.string(), data.name() + " " + dump(*data),
                 [data = data, place = context.data] { return data->contents_checksum(place); }});
  return all;
}

Translator TranslateOptions::build_model(int64_t vocabulary, uint64_t seed, torch::Device device) const {
  torch::manual_seed(derive_seed(seed, "initialise"));
  Translator built(model, vocabulary, batching.max_positions);
  built->to(device);
  return built;
}

void TranslateOptions::run(const RunContext& context, RecordSink& record) const {
  const TranslationData pairs = data->open(context.data);
  const int64_t vocabulary = pairs.vocabulary->size();
  if (!context.init_from.empty()) check_vocabulary(context.init_from, *pairs.vocabulary, "that of the data");
  check_positions(*this, pairs, context);
  record.attribute("data_checksum", pairs.checksum);
  record.attribute("data_route", pairs.route);
  record.attribute("cleaning", pairs.cleaning.sentence());
  record.attribute("vocabulary", vocabulary);
  record_inputs(inputs(context), record);
  Translator translator = build_model(vocabulary, context.seed, context.device);
  if (!context.init_from.empty()) load_weights(*translator, context.init_from);
  const int64_t parameters = parameter_count(*translator);
  log_info("{} training, {} validation and {} test pairs; vocabulary {}; {} parameters", pairs.train->size(),
           pairs.validation->size(), pairs.test->size(), vocabulary, parameters);
  // Of several processes that train together, the first has the folder.
  if (join_ranks().rank() == 0) {
    fs::create_directories(context.folder / "vocabulary");
    pairs.vocabulary->save(context.folder / "vocabulary");
  }

  if (trains) summarise_training(train_on(*this, pairs, translator, context, record), context.device, record);
  record.summarise(summary_of(trained_numbers(), static_cast<double>(parameters), 1, 0));
  if (validation_bleu) evaluate(*this, Split::validation, pairs, translator, context, record);
  evaluate(*this, Split::test, pairs, translator, context, record);
  record.flush();
}

}  // namespace attnlab
