#include "tasks/speed/translation_speed.h"

#include <ATen/Parallel.h>

#include "core/log.h"
#include "core/random.h"
#include "core/stop.h"
#include "data/translation/pairs.h"
#include "kernels/projected_cross_entropy.h"
#include "models/beam_search.h"
#include "models/parameter_count.h"
#include "models/translator_steps.h"
#include "tasks/inputs.h"
#include "tasks/speed/model_step.h"
#include "tasks/speed/step_memory.h"
#include "tasks/training_figures.h"
#include "train/gradients.h"
#include "train/optimizer.h"

namespace attnlab {
namespace {

using Better = Summary::Better;
using Type = Column::Type;

constexpr int64_t first_word = 4;  // ids below it mean something

/// The translator, its sentences, and the two things that are timed.
class TranslationWork {
 public:
  TranslationWork(const TranslationSpeedOptions& o, torch::Device device)
      : o_(o),
        device_(device),
        model_(o.model, o.vocabulary, std::max(o.source_length, o.target_length + 1)) {
    model_->to(device);
    source_BN_ =
        torch::randint(first_word, o.vocabulary, {o.sentences, o.source_length}, torch::kLong).to(device);
    target_BT_ =
        torch::randint(first_word, o.vocabulary, {o.sentences, o.target_length}, torch::kLong).to(device);
    parameters_ = trainable_parameters(*model_);
    optimizer_ = AdamOptions().make(*model_);
  }

  /// What the step before has left; a step's own memory is beyond what is held then.
  void forget() { forget_gradients(parameters_); }
  void train() {
    model_->train();
    forget();
    const Tensor hidden_BTD = model_->decode(target_BT_, {}, model_->encode(source_BN_, {}));
    projected_cross_entropy(hidden_BTD.flatten(0, 1), model_->projection(), {}, target_BT_.flatten(),
                            {.epsilon = o_.label_smoothing})
        .smoothed.div(static_cast<double>(target_BT_.numel()))
        .backward();
    optimizer_->step(1e-4);
  }

  /// A beam search in which no text may end before the last token.
  void decode() {
    model_->eval();
    const torch::NoGradGuard no_grad;  // not InferenceMode, which threads of the kernels would not inherit
    TranslatorSteps steps(model_, model_->encode(source_BN_, {}));
    const BeamOptions search{.beam = o_.beam,
                             .max_length_a = 0,
                             .max_length_b = o_.target_length,
                             .max_length = o_.target_length,
                             .min_length = o_.target_length};
    SearchBatch batch;
    batch.source_lengths.assign(static_cast<size_t>(o_.sentences), o_.source_length);
    constexpr int64_t eos = TranslationVocabulary::eos;
    batch.symbols = {.start = eos, .end = eos, .padding = TranslationVocabulary::pad};
    batch.each_step = [&] {
      stop_here_if_requested();
      state_bytes_ = steps.bytes();
    };
    beam_search(steps, batch, search);
  }

  double train_flops() const { return 3 * forward_flops(); }
  int64_t state_bytes() const { return state_bytes_; }
  int64_t parameters() const { return parameter_count(*model_); }

 private:
  double forward_flops() const {
    return static_cast<double>(o_.sentences) * model_->flops(o_.source_length, o_.target_length);
  }

  const TranslationSpeedOptions& o_;
  torch::Device device_;
  Translator model_;
  Tensor source_BN_, target_BT_;
  NamedTensors parameters_;
  std::unique_ptr<Optimizer> optimizer_;
  int64_t state_bytes_ = 0;
};

struct TimedPhase {
  std::string name;
  std::function<void()> work;
  std::vector<double> seconds = {};
};

Headline figure_of(const std::string& phase, const char* figure, const char* unit, const char* meaning,
                   Better better) {
  return {phase + "_" + figure, unit,
          fmt::format("{}, {}", phase == "train" ? "training step" : "decoding", meaning), better};
}

std::vector<Headline> phase_figures(const std::string& phase) {
  std::vector<Headline> all{figure_of(phase, "seconds", "s", "median time of a batch", Better::lower),
                            figure_of(phase, "tokens_per_second", "token/s",
                                      phase == "train" ? "source and target tokens over the median time"
                                                       : "target tokens over the median time",
                                      Better::higher)};
  if (phase == "train") {
    all.push_back(
        figure_of(phase, "flop_rate", "FLOP/s", "matrix products over the median time", Better::higher));
    all.push_back(figure_of(phase, "product_share", "1",
                            "flop_rate over the device's rate of matrix products", Better::higher));
    all.push_back(figure_of(phase, "allocator_peak", "byte", "most bytes held by tensors above those before",
                            Better::lower));
  } else {
    all.push_back(
        figure_of(phase, "state_bytes", "byte", "kept at the last token for all texts", Better::lower));
  }
  return all;
}

}  // namespace

void TranslationSpeedOptions::visit(Fields& f) {
  f("model", model, "the translator");
  f("vocabulary", vocabulary, Range{8, 1 << 24}, "token ids are drawn below it");
  f("source_length", source_length, Range{1, 1 << 20}, "tokens of a source");
  f("target_length", target_length, Range{1, 1 << 20}, "tokens of a target; what is decoded");
  f("sentences", sentences, Range{1, 65536}, "pairs in a batch");
  f("phases", phases, OneOf{{"train", "decode"}}, "what is measured");
  f.require(!phases.empty(), "phases", "must name train, decode or both");
  f("beam", beam, Range{1, 1024}, "hypotheses a sentence while decoding");
  f("label_smoothing", label_smoothing, Range{0, 0.99}, "of the training loss");
  f("repetitions", repetitions, Range{1, 1000}, "timed batches of each phase; the median is reported");
  f("warm_up", warm_up, Range{1, 100}, "untimed batches of each phase before the timed ones");
  f("product_size", product_size, Range{1, 65536},
    "side of the square matrices that measure the device's rate between the batches");
}

std::vector<Table> TranslationSpeedOptions::tables() const {
  return {{"/speed",
           "batches, in the order in which they ran",
           {{"repetition", Type::integer, "1", "round; every phase runs once in each"},
            {"phase", Type::text, "1", "train or decode"},
            {"threads", Type::integer, "1", "threads on the CPU"},
            {"seconds", Type::real, "s", "time of the batch"},
            {"product_rate", Type::real, "FLOP/s", "the device's matrix-product rate in the same round"}}}};
}

std::vector<Headline> TranslationSpeedOptions::headlines() const {
  std::vector<Headline> all;
  for (const std::string& phase : phases)
    for (const Headline& h : phase_figures(phase)) all.push_back(h);
  all.push_back(trained_numbers());
  return all;
}

double TranslationSpeedOptions::work() const {
  const auto pairs = static_cast<double>(sentences * (repetitions + warm_up));
  const auto sizes = static_cast<double>(model.encoder.dim) * static_cast<double>(model.encoder.dim);
  return 100 * pairs * sizes * static_cast<double>(source_length + beam * target_length);
}

void TranslationSpeedOptions::run(const RunContext& context, RecordSink& record) const {
  refuse_weights(context, "translation_speed");
  for (const Table& t : tables()) record.truncate(t.path, 0);  // a resumed run measures everything anew
  torch::manual_seed(derive_seed(context.seed, "speed"));
  TranslationWork work(*this, context.device);
  std::vector<TimedPhase> timed;
  for (const std::string& name : phases)
    timed.push_back({name, [&work, train = name == "train"] { train ? work.train() : work.decode(); }});
  int64_t peak = 0;
  for (TimedPhase& phase : timed)
    for (int64_t i = 0; i < warm_up; ++i) {
      work.forget();
      const HeldTensors held(context.device);
      phase.work();
      if (phase.name == "train") peak = held.peak();
    }
  ProductRate product(product_size, context.device, Precision::fp32);
  std::vector<double> rates;
  for (int64_t round = 0; round < repetitions; ++round) {
    rates.push_back(product.measure());
    for (TimedPhase& phase : timed) {
      stop_here_if_requested();
      phase.seconds.push_back(seconds_of(context.device, phase.work));
      log_progress(
          fmt::format("{}: {} of {}, {:.4f} s", phase.name, round + 1, repetitions, phase.seconds.back()));
      const Value row[] = {round, phase.name, static_cast<int64_t>(at::get_num_threads()),
                           phase.seconds.back(), rates.back()};
      record.append("/speed", row);
    }
    record.flush();
  }
  for (const TimedPhase& phase : timed) {
    const double seconds = median(phase.seconds), rate = work.train_flops() / seconds;
    const bool train = phase.name == "train";
    const auto tokens =
        static_cast<double>(sentences * (train ? source_length + target_length : target_length));
    std::vector<double> values{seconds, tokens / seconds};
    if (train)
      values.insert(values.end(),
                    {rate, share_of_rate(phase.name, rate / median(rates)), static_cast<double>(peak)});
    else
      values.push_back(static_cast<double>(work.state_bytes()));
    summarise_all(record, phase_figures(phase.name), values, repetitions);
    log_info("{}: {:.4f} s, {:.0f} tokens/s{}", phase.name, seconds, tokens / seconds,
             train ? fmt::format(", {:.1f} GFLOP/s = {:.0f} % of matrix products", rate / 1e9,
                                 100 * rate / median(rates))
                   : "");
  }
  record.summarise(summary_of(trained_numbers(), static_cast<double>(work.parameters()), 1, 0));
  record.flush();
}

}  // namespace attnlab
