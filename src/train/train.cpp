#include "train/train.h"

#include <fmt/ranges.h>

#include <array>
#include <chrono>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "core/random.h"
#include "core/steps.h"
#include "core/stop.h"
#include "io/checkpoint.h"
#include "train/best_weights.h"
#include "train/report.h"
#include "train/resume.h"
#include "train/snapshots.h"
#include "train/step.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

/// ", bleu 23.1034" of each further figure.
std::string further(const Validation& found) {
  std::string text;
  for (const ValidationFigure& figure : found.figures)
    text += fmt::format(", {} {:.4f}", figure.name, figure.value);
  return text;
}

/// One session of training: from the start or a checkpoint to the end or a request to stop.
class Session {
 public:
  Session(Trainee& trainee, const TrainOptions& options, const fs::path& folder, uint64_t seed,
          torch::Device device, RecordSink& record, Ranks& ranks)
      : trainee_(trainee),
        options_(options),
        folder_(folder),
        device_(device),
        record_(record),
        ranks_(ranks),
        planned_(options.planned_updates(trainee.micro_batches_per_epoch)),
        snapshot_interval_(options.snapshot_interval(trainee.micro_batches_per_epoch)),
        parameters_(trainable_parameters(*trainee.model)),
        optimizer_(options.optimizer->make(*trainee.model)),
        best_(folder, options.save, trainee.about),
        snapshots_(folder, options.save, trainee.about) {
    state_.seed = seed;
  }

  TrainOutcome run() {
    start();
    while (go_on()) update();
    if (!first()) throw Dismissed();
    finish();
    return outcome();
  }

 private:
  bool first() const { return ranks_.rank() == 0; }
  void refuse_ranks() const;
  void start();
  void take_up();
  void share_state();
  bool go_on();
  void between_updates();
  void forget_rows_after_checkpoint();
  bool validates() const { return trainee_.validate && options_.validate_interval > 0; }
  bool out_of_patience() const {
    return options_.patience > 0 && state_.validations_without_better >= options_.patience;
  }
  bool finished() const { return state_.update >= planned_ || out_of_patience(); }
  bool validation_due() const;
  bool checkpoint_due() const;
  bool saves_validation() const;
  bool snapshot_due() const;
  double rate_of(int64_t update) const;
  void update();
  void validate();
  void take_snapshot();
  bool is_better(const Validation& found) const;
  void save();
  [[noreturn]] void leave(int signal);
  void finish();
  void take_best();
  void take_average();
  TrainOutcome outcome() const;

  Trainee& trainee_;
  const TrainOptions& options_;
  const fs::path folder_;
  const torch::Device device_;
  RecordSink& record_;
  Ranks& ranks_;
  const int64_t planned_, snapshot_interval_;
  const NamedTensors parameters_;
  const std::unique_ptr<Optimizer> optimizer_;
  TrainState state_;
  BestWeights best_;
  Snapshots snapshots_;
  Stopwatch session_, since_save_, since_progress_;
  int64_t session_updates_ = 0;
  bool unsaved_ = false;               // updates or a validation since the last save
  double validating_ = 0;              // seconds of the last validation
  std::optional<double> saving_ = {};  // seconds of this session's last save
};

void Session::refuse_ranks() const {
  if (ranks_.size() == 1) return;
  refuse_mixed_devices(ranks_, device_);
  ensure(trainee_.draws_by_micro_batch, "a trainee that several ranks can share: draws_by_micro_batch");
  if (options_.accumulate % ranks_.size() != 0)
    user_error("train.accumulate: {} micro-batches cannot be shared evenly by {} processes",
               options_.accumulate, ranks_.size());
}

void Session::start() {
  if (first()) ranks_.release(true);
  refuse_ranks();
  torch::manual_seed(derive_seed(state_.seed, "training"));
  trainee_.model->train();
  if (options_.precision == Precision::bf16 && device_.is_cpu())
    log_info("precision bf16 on a CPU is usually slower than fp32");
  if (first() && planned_ > 1 && rate_of(planned_) > rate_of(planned_ - 1))
    log_info(
        "warning: the learning rate still rises at the last of {} updates: the schedule's warm-up is no "
        "shorter than the training",
        planned_);
  together(ranks_, [&] {
    if (first()) take_up();
  });
  share_state();
}

/// Goes on from the folder's checkpoint, if there is one.
void Session::take_up() {
  if (options_.save && fs::exists(last_checkpoint(folder_))) {
    state_ = resume_last(folder_, {*trainee_.model, *optimizer_, device_}, state_.seed);
    log_info("resuming after update {} of {}", state_.update, planned_);
  } else if (options_.save) {
    for (const fs::path& file : {best_checkpoint(folder_), average_checkpoint(folder_)})
      fs::remove(file);  // of a run that was killed before its first whole checkpoint
  }
  if (options_.save && options_.evaluate_with != EvaluateWith::best)
    fs::remove(best_checkpoint(folder_));  // which earlier versions kept here too
  best_.settle(state_);
  snapshots_.keep_only(state_.snapshots);
  forget_rows_after_checkpoint();
}

/// Gives the other ranks what the first begins with: numbers, weights, the optimiser's memory.
void Session::share_state() {
  if (ranks_.size() == 1) return;
  std::string text = to_text(state_);
  ranks_.broadcast(text, 0);
  if (!first()) state_ = state_from_text(text, "what the first rank says");
  for (const NamedTensors& tensors : {module_tensors(*trainee_.model), optimizer_->state()})
    for (auto [name, tensor] : tensors) ranks_.broadcast(tensor, 0);
}

/// What is due between two updates, by the first rank; then all agree on whether there is another.
bool Session::go_on() {
  together(ranks_, [&] {
    if (first()) between_updates();
  });
  // The first's word counts, which alone validates; a last validation that a signal cut short is still due.
  const bool done = first() && finished() && !validation_due();
  std::array<double, 2> words{done ? 1.0 : 0.0, static_cast<double>(stop_requested())};
  ranks_.largest(words);
  if (words[0] > 0) return false;
  if (words[1] > 0) leave(static_cast<int>(words[1]));
  return true;
}

void Session::forget_rows_after_checkpoint() {
  for (const Table& table : training_tables()) {
    const int64_t kept = state_.rows[table.path], there = record_.rows(table.path);
    if (there < kept)
      user_error(
          "the record in {} has {} rows in {} where its checkpoint was made after {}: start over with "
          "--fresh",
          folder_.string(), there, table.path, kept);
    if (there > kept) record_.truncate(table.path, kept);
  }
}

void Session::between_updates() {
  if (checkpoint_due()) save();
  const bool validates_now = validation_due();
  if (validates_now) validate();
  const bool snapshot = snapshot_due();
  if (snapshot) take_snapshot();
  if (validates_now && !snapshot && saves_validation()) save();
}

bool Session::validation_due() const {
  if (!validates() || state_.update == 0 || state_.validated_update == state_.update) return false;
  return state_.update % options_.validate_interval == 0 || finished();
}

bool Session::checkpoint_due() const {
  if (!options_.save || !unsaved_) return false;
  if (options_.checkpoint_interval > 0 && state_.update % options_.checkpoint_interval == 0) return true;
  return options_.checkpoint_seconds > 0 && since_save_.seconds() >= options_.checkpoint_seconds;
}

/// Whether a validation is saved before training goes on, so that a session that is killed later does not pay
/// for it again. It is where it took as long as a save takes: saving then at most doubles the time of
/// validations, however short their interval. A session that has saved nothing yet does not know that time
/// and saves, so that every session that lives for one validation and one save leaves a later state than it
/// found: a run that is killed over and over, as a queue with a time limit does, gets on.
bool Session::saves_validation() const {
  if (finished()) return false;  // finish() does
  return !saving_ || validating_ >= *saving_;
}

bool Session::snapshot_due() const {
  if (options_.evaluate_with != EvaluateWith::average || state_.update == 0) return false;
  if (!state_.snapshots.empty() && state_.snapshots.back() == state_.update) return false;
  if (snapshot_interval_ == 0) return state_.validated_update == state_.update;
  return state_.update % snapshot_interval_ == 0 || finished();
}

/// The state that counts a snapshot is saved at once, and only then is the oldest one given up: whatever
/// state a session resumes from, its snapshots are there, and at most one more.
void Session::take_snapshot() {
  snapshots_.take(*trainee_.model, state_.update);
  state_.snapshots.push_back(state_.update);
  if (std::ssize(state_.snapshots) > options_.average_newest)
    state_.snapshots.erase(state_.snapshots.begin());
  save();
  snapshots_.keep_only(state_.snapshots);
}

double Session::rate_of(int64_t update) const {
  return options_.schedule->rate(options_.learning_rate, update - 1, planned_);
}

void Session::update() {
  step_begins(state_.update + 1);
  const Stopwatch all;
  const Stopwatch compute;
  const StepResult step =
      do_update(trainee_, options_, parameters_, *optimizer_, device_,
                {state_.update + 1, state_.micro_batch, rate_of(state_.update + 1), state_.seed}, ranks_);
  const double computing = compute.seconds() - step.data_seconds;
  ++state_.update;
  ++session_updates_;
  unsaved_ = true;
  state_.micro_batch += options_.accumulate;
  state_.examples += step.examples;
  state_.tokens += step.tokens;
  state_.interval.updates += 1;
  state_.interval.tokens += step.tokens;
  state_.interval.loss += step.loss;
  state_.interval.gradient_norm += step.gradient_norm;
  state_.interval.seconds += compute.seconds();

  const double taken = all.seconds();
  state_.seconds.steps += taken;
  state_.seconds.harness += taken - computing;
  if (state_.update % options_.log_interval == 0) {
    if (first()) report_interval(record_, state_, rate_of(state_.update), device_);
    state_.interval = Interval{};
    const double recording = all.seconds() - taken;
    state_.seconds.steps += recording;
    state_.seconds.harness += recording;
  }
  constexpr double progress_pause = 0.25;
  if (first() && since_progress_.seconds() >= progress_pause) {
    report_progress(state_, planned_, step.loss, session_updates_, session_.seconds());
    since_progress_ = {};
  }
}

void Session::validate() {
  const Stopwatch watch;
  trainee_.model->eval();
  Validation found;
  try {
    const torch::NoGradGuard no_grad;
    found = trainee_.validate();
  } catch (const Interrupted&) {
    trainee_.model->train();
    return;  // and leaves; the next session begins with this validation
  }
  trainee_.model->train();
  const bool better = is_better(found);
  state_.validated_update = state_.update;
  state_.validations_without_better = better ? 0 : state_.validations_without_better + 1;
  if (better) {
    state_.best_update = state_.update;
    state_.best = found;
    if (options_.evaluate_with == EvaluateWith::best) best_.keep(*trainee_.model, state_, trainee_.metric);
  }
  unsaved_ = true;
  validating_ = watch.seconds();
  state_.seconds.validation += validating_;
  report_validation(record_, state_, found, better);
  const bool has_error = std::isfinite(found.standard_error);
  log_info("update {}: validation {} {:.4f}{}, loss {:.4f}, n {}{}{}", state_.update, trainee_.metric,
           found.value, has_error ? fmt::format(" ± {:.4f}", found.standard_error) : "", found.loss, found.n,
           further(found), better ? ", best so far" : "");
}

bool Session::is_better(const Validation& found) const {
  if (!std::isfinite(found.value) || !std::isfinite(found.loss)) return false;
  if (state_.best_update == 0) return true;
  return trainee_.higher_is_better ? found.value > state_.best.value : found.value < state_.best.value;
}

void Session::save() {
  if (!options_.save) return;
  const Stopwatch watch;
  record_.flush();  // before the checkpoint, which counts its rows
  for (const Table& table : training_tables()) state_.rows[table.path] = record_.rows(table.path);
  save_last(folder_, {*trainee_.model, *optimizer_, device_}, state_, trainee_.about);
  best_.settle(state_);
  saving_ = watch.seconds();
  state_.seconds.checkpoints += *saving_;
  since_save_ = {};
  unsaved_ = false;
}

void Session::leave(int signal) {
  together(ranks_, [&] {
    if (first()) save();
  });
  log_info("stopped after update {} of {}{}", state_.update, planned_,
           options_.save ? "" : ", and nothing was saved, as save is false");
  throw Interrupted(signal);
}

void Session::finish() {
  if (state_.interval.updates > 0) report_interval(record_, state_, rate_of(state_.update), device_);
  state_.interval = Interval{};
  if (unsaved_) save();
  if (out_of_patience() && state_.update < planned_)
    log_info("stopped early: {} validations without a better one", state_.validations_without_better);
  report_times(record_, state_);
  record_.flush();
  if (options_.evaluate_with == EvaluateWith::best) take_best();
  if (options_.evaluate_with == EvaluateWith::average) take_average();
  trainee_.model->eval();
}

void Session::take_best() {
  if (state_.best_update > 0) return best_.take(*trainee_.model, state_);
  log_info("no validation chose a best update: evaluating the last weights");
}

void Session::take_average() {
  const auto there = std::ssize(state_.snapshots);
  const std::string updates = fmt::format("{}", fmt::join(state_.snapshots, ", "));
  if (there == 0) return log_info("no snapshot was taken: evaluating the last weights");
  if (there < options_.average_newest)
    log_info("averaging {} snapshots where average_newest asks for {}: the run took no more", there,
             options_.average_newest);
  log_info("evaluating the mean of the weights after updates {}", updates);
  snapshots_.average(*trainee_.model, state_.snapshots);
  record_.attribute("averaged_updates", updates);
}

TrainOutcome Session::outcome() const {
  const auto share = [](double part, double whole) { return whole > 0 ? part / whole : 0.0; };
  TrainOutcome outcome;
  outcome.updates = state_.update;
  outcome.best_update = state_.best_update;
  outcome.best = state_.best;
  outcome.seconds = state_.seconds.total();
  outcome.tokens_per_second = share(static_cast<double>(state_.tokens), state_.seconds.steps);
  outcome.harness_share = share(state_.seconds.harness, state_.seconds.steps);
  outcome.stopped_early = state_.update < planned_;
  outcome.averaged_updates = state_.snapshots;
  return outcome;
}

}  // namespace

TrainOutcome train(Trainee& trainee, const TrainOptions& options, const fs::path& folder, uint64_t seed,
                   torch::Device device, RecordSink& record) {
  ensure(trainee.model && trainee.micro_batch, "a model and micro-batches to train on");
  return Session(trainee, options, folder, seed, device, record, join_ranks()).run();
}

}  // namespace attnlab
