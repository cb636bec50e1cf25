#include "tasks/classification/classify.h"

#include <algorithm>
#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "config/writer.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/log.h"
#include "core/output.h"
#include "core/plain_text.h"
#include "core/random.h"
#include "core/stop.h"
#include "data/shuffled.h"
#include "io/checkpoint.h"
#include "models/parameter_count.h"
#include "tasks/classification/classify_evaluation.h"
#include "tasks/classification/classify_floors.h"
#include "tasks/classification/classify_shuffles.h"
#include "tasks/inputs.h"
#include "tasks/token_tensors.h"
#include "tasks/training_figures.h"
#include "train/train.h"

namespace attnlab {
namespace {

/// Serves micro-batches in the order of their number, planning an epoch when it is entered.
class TrainingBatches {
 public:
  TrainingBatches(const ClassifyOptions& options, const LabelledSequences& data, uint64_t seed)
      : options_(options),
        data_(data),
        seed_(derive_seed(seed, "shuffle")),
        lengths_(token_lengths(data, options.encoding)) {
    per_epoch_ = static_cast<int64_t>(epoch(0).size());
  }
  int64_t per_epoch() const { return per_epoch_; }
  TokenBatch batch(int64_t m) {
    const auto& plan = epoch(m / per_epoch_);
    return make_batch(data_, plan[static_cast<size_t>(m % per_epoch_)], options_.encoding, options_.layout());
  }

 private:
  const std::vector<std::vector<int64_t>>& epoch(int64_t number) {
    if (number != planned_) {
      plan_ = plan_epoch(lengths_, options_.batching, seed_, number);
      planned_ = number;
    }
    return plan_;
  }

  const ClassifyOptions& options_;
  const LabelledSequences& data_;
  uint64_t seed_;
  std::vector<int64_t> lengths_;
  int64_t per_epoch_ = 0, planned_ = -1;
  std::vector<std::vector<int64_t>> plan_;
};

std::vector<double> values_of(const torch::Tensor& logits) {
  const torch::Tensor d = logits.to(torch::kDouble).contiguous();
  return {d.const_data_ptr<double>(), d.const_data_ptr<double>() + d.numel()};
}

/// Answers lines with the class of each.
class LineClassifier {
 public:
  LineClassifier(const ClassifyOptions& options, const RunContext& context)
      : options_(options),
        device_(context.device),
        classifier_(options.build_model(context.seed, context.device)) {
    load_weights(*classifier_, evaluated_weights(options.trains, options.train.evaluate_with, context));
    classifier_->eval();
  }

  /// Throws UserError where the line is none that can be classified.
  nlohmann::json answer(const std::string& line) {
    if (line.empty()) user_error("empty text: nothing to classify");
    refuse_wide_encoding(line, "the text");
    const std::vector<uint8_t> symbols = options_.data->encode(line);
    const EncodingOptions& encoding = options_.encoding;
    const TokenBatch batch = make_batch({symbols}, encoding, options_.layout());
    const torch::Tensor logits = classifier_->forward(to_tensors(batch, device_).ids_BN, {})[0].cpu();
    const torch::Tensor probabilities = logits.to(torch::kDouble).softmax(0);
    const auto best = logits.argmax().item<int64_t>();
    const auto full = static_cast<int64_t>(symbols.size()) + encoding.cls + encoding.eos;
    return {{"label", options_.data->class_names()[static_cast<size_t>(best)]},
            {"probability", probabilities[best].item<double>()},
            {"probabilities", values_of(probabilities)},
            {"logits", values_of(logits)},
            {"tokens", batch.lengths.front()},
            {"truncated", full > encoding.max_length}};
  }

 private:
  const ClassifyOptions& options_;
  torch::Device device_;
  Classifier classifier_;
};

}  // namespace

void EvaluationOptions::visit(Fields& f) {
  f("batch_size", batch_size, Range{1, 65536}, no_effect("examples evaluated at a time"));
  f("byte_count_floor", byte_count_floor,
    no_effect("also fit a logistic regression on symbol counts of the same texts, the floor to be beaten"));
  f("test_curve", test_curve,
    "also evaluate on test at every validation, and report the best of it under its own name: LRA's text "
    "task has no validation half, and published accuracies were probably selected on test");
  f("precision", precision, {{"fp32", Precision::fp32}, {"tf32", Precision::tf32}, {"bf16", Precision::bf16}},
    "matrix products of validations and of the last evaluation: on a GPU tf32 (fp32 numbers, products of 19 "
    "bits; on the CPU as fp32) and bf16 (by autocast, as training with it) take a fraction of fp32's time");
  f("shuffles", shuffles, shuffle_names(),
    "also evaluate on test with the symbols of each text shuffled, seeded: words, within the words between "
    "white space; text, over all that the model reads of it. What is lost is what was learned of their "
    "order");
  f.require(std::set(shuffles.begin(), shuffles.end()).size() == shuffles.size(), "shuffles",
            "names one twice");
}

void ClassifyOptions::visit(Fields& f) {
  f("data", data, "labelled sequences");
  f("encoding", encoding, "from sequences to tokens");
  f("batching", batching, "from tokens to batches");
  f("model", model, "the classifier");
  f.optional("train", train, trains, "the training loop; none: only evaluate the weights of init_from");
  f("evaluation", evaluation, "what is measured at the end");
  f.require(
      !data->trains_on_validation() || !trains || train.evaluate_with == EvaluateWith::last, "train",
      "on reviews that are held out too (data.train_on_held_out), no update can be selected on them: set "
      "evaluate_with: last");
  f.require(data->symbol_count() == 256 || std::count(evaluation.shuffles.begin(), evaluation.shuffles.end(),
                                                      name_of(Shuffle::words)) == 0,
            "evaluation", "shuffles within words need data of bytes; these have other symbols");
}

std::vector<Table> ClassifyOptions::tables() const {
  std::vector<Table> all = training_tables();
  all.push_back(example_table(Split::validation));
  all.push_back(example_table(Split::test));
  all.push_back(floor_table());
  for (const std::string& name : evaluation.shuffles) all.push_back(shuffled_table(shuffle_named(name)));
  return all;
}

std::vector<Headline> ClassifyOptions::headlines() const {
  std::vector<Headline> all{accuracy_on(Split::test), above_byte_counts()};
  for (const std::string& name : evaluation.shuffles)
    for (const Headline& h : shuffled_headlines(shuffle_named(name))) all.push_back(h);
  all.insert(all.end(), {accuracy_on(Split::validation), accuracy_selected_on_test(), byte_count_floor(),
                         majority_floor(), training_seconds(), trained_numbers()});
  return all;
}

Classifier ClassifyOptions::build_model(uint64_t seed, torch::Device device) const {
  torch::manual_seed(derive_seed(seed, "initialise"));
  Classifier built(model, layout().vocabulary(), encoding.max_length,
                   static_cast<int64_t>(data->class_names().size()));
  built->to(device);
  return built;
}

std::vector<Input> ClassifyOptions::inputs(const RunContext& context) const {
  std::vector<Input> all = weights_input(context);
  if (!data->generated())
    all.push_back({"data", context.data.root.string(), data.name() + " " + dump(*data),
                   [data = data, place = context.data] { return data->open(place).checksum; }});
  return all;
}

void ClassifyOptions::run(const RunContext& context, RecordSink& record) const {
  const LabelledSplits splits = data->open(context.data);
  record.attribute("data_checksum", splits.checksum);
  record_inputs(weights_input(context), record);
  record.attribute("vocabulary", layout().vocabulary());
  Classifier classifier = build_model(context.seed, context.device);
  if (!context.init_from.empty()) load_weights(*classifier, context.init_from);
  const int64_t parameters = parameter_count(*classifier);
  log_info("{} training, {} validation and {} test examples; {} parameters", splits.train->size(),
           splits.validation->size(), splits.test->size(), parameters);

  ClassifierEvaluation evaluate(*this, context);
  if (trains) {
    TrainingBatches batches(*this, *splits.train, context.seed);
    TestCurve curve(context.folder);
    Trainee trainee;
    trainee.model = classifier.ptr();
    trainee.micro_batches_per_epoch = batches.per_epoch();
    trainee.micro_batch = [&](int64_t m) {
      const auto started = std::chrono::steady_clock::now();
      const TokenTensors batch = to_tensors(batches.batch(m), context.device);
      const std::chrono::duration<double> data_time = std::chrono::steady_clock::now() - started;
      const torch::Tensor loss =
          torch::cross_entropy_loss(classifier->forward(batch.ids_BN, batch.padding_BN), batch.labels_B);
      const int64_t examples = batch.ids_BN.size(0);
      return MicroBatch{loss, examples, batch.tokens, data_time.count(), static_cast<double>(examples)};
    };
    trainee.validate = [&] {
      if (evaluation.test_curve) curve.add(evaluate(classifier, *splits.test).validation());
      return evaluate(classifier, *splits.validation).validation();
    };
    const TrainOutcome outcome =
        attnlab::train(trainee, train, context.folder, context.seed, context.device, record);
    summarise_training(outcome, context.device, record);
    if (evaluation.test_curve) curve.summarise(record);
  }
  record.summarise(summary_of(trained_numbers(), static_cast<double>(parameters), 1, 0));
  evaluate(classifier, *splits.validation).write(Split::validation, *splits.validation, record);
  const SplitResults on_test = evaluate(classifier, *splits.test);
  on_test.write(Split::test, *splits.test, record);
  for (const std::string& name : evaluation.shuffles) {
    const Shuffle what = shuffle_named(name);
    const ShuffledSequences shuffled(*splits.test, encoding, what, context.seed);
    write_shuffled(what, evaluate(classifier, shuffled), on_test, shuffled, record);
  }
  write_floors(*this, splits, on_test, context.limit, record);
  record.flush();
}

int64_t ClassifyOptions::predict(const RunContext& context, std::istream& in, std::ostream& out) const {
  LineClassifier classifier(*this, context);
  const torch::NoGradGuard no_grad;
  TextLines lines(in, "standard input", {.by_nuls = false});
  StrayBytes stray;
  int64_t refused = 0;
  for (std::string line; lines.next(line);) {
    stop_here_if_requested();
    nlohmann::json answer;
    try {
      answer = classifier.answer(line);
      stray.look_at(line, fmt::format("line {}", lines.number()));
    } catch (const UserError& e) {
      answer["error"] = e.what();
      ++refused;
    }
    answer["line"] = lines.number();
    out << json_text(answer) << '\n';
    flush_output(out);
  }
  stray.tell("lines", "read as they are");
  return refused;
}

}  // namespace attnlab
