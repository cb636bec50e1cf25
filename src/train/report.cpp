#include "train/report.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>

#include "core/log.h"
#include "core/memory.h"

namespace attnlab {
namespace {

constexpr const char* train_table = "/train";
constexpr const char* validation_table = "/eval/validation_curve";

double ratio(double above, double below) { return below > 0 ? above / below : 0.0; }

std::string duration(double seconds) {
  const auto s = static_cast<int64_t>(seconds + 0.5);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
}

}  // namespace

std::vector<Table> training_tables(const std::vector<Column>& figures) {
  using Type = Column::Type;
  std::vector<Table> tables{
      {train_table,
       "one row a logging interval",
       {{"step", Type::integer, "1", "updates done"},
        {"loss", Type::real, "nat", "training loss, mean over the interval"},
        {"learning_rate", Type::real, "1", "learning rate of the interval's last update"},
        {"gradient_norm", Type::real, "1", "L2 norm of the gradient before clipping, mean over the interval"},
        {"tokens_per_second", Type::real, "token/s",
         "tokens trained on a second, over the interval's updates"},
        {"examples", Type::integer, "1", "examples trained on since the start"},
        {"seconds", Type::real, "s",
         "time since the start over all sessions, validations and checkpoints included"},
        {"resident_bytes", Type::integer, "byte", "resident memory of the process"},
        {"device_bytes_peak", Type::integer, "byte",
         "most memory held by tensors on the GPU since the session began; 0 on the CPU"}}},
      {validation_table,
       "one row a validation",
       {{"step", Type::integer, "1", "updates done"},
        {"value", Type::real, "1", "selection metric on the validation split"},
        {"standard_error", Type::real, "1", "standard error of the selection metric"},
        {"loss", Type::real, "nat", "mean loss on the validation split"},
        {"n", Type::integer, "1", "validation examples"},
        {"best", Type::integer, "1", "1 where this was the best validation so far"},
        {"seconds", Type::real, "s", "time since the start over all sessions"}}},
  };
  std::ranges::copy(figures, std::back_inserter(tables.back().columns));
  return tables;
}

void report_interval(RecordSink& record, const TrainState& state, double learning_rate,
                     torch::Device device) {
  const Interval& i = state.interval;
  const auto updates = static_cast<double>(i.updates);
  const std::array<Value, 9> row{state.update,
                                 i.loss / updates,
                                 learning_rate,
                                 i.gradient_norm / updates,
                                 ratio(static_cast<double>(i.tokens), i.seconds),
                                 state.examples,
                                 state.seconds.total(),
                                 resident_bytes(),
                                 device.is_cuda() ? cuda_bytes_peak(device.index()) : 0};
  record.append(train_table, row);
  record.flush();
}

void report_validation(RecordSink& record, const TrainState& state, const Validation& found, bool better) {
  std::vector<Value> row{state.update, found.value,     found.standard_error, found.loss,
                         found.n,      int64_t{better}, state.seconds.total()};
  for (const ValidationFigure& figure : found.figures) row.emplace_back(figure.value);
  record.append(validation_table, row);
  record.flush();
}

void report_progress(const TrainState& state, int64_t planned, double loss, int64_t session_updates,
                     double session_seconds) {
  const double rate = ratio(static_cast<double>(session_updates), session_seconds);
  const double left = ratio(static_cast<double>(planned - state.update), rate);
  log_progress(fmt::format(
      "training {}/{} ({:.0f} %)  loss {:.4f}  {:.3g} updates/s  {:.0f} tokens/s  {} left", state.update,
      planned, 100.0 * ratio(static_cast<double>(state.update), static_cast<double>(planned)), loss, rate,
      ratio(static_cast<double>(state.tokens), state.seconds.steps), duration(left)));
}

Headline harness_share() {
  return {"harness_share", "1", "fraction of update_seconds spent on data, logging and the record",
          Summary::Better::lower};
}

void report_times(RecordSink& record, const TrainState& state) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const int64_t n = std::max<int64_t>(1, state.update);
  const auto write = [&](const char* name, double value, const char* unit, const char* meaning,
                         Summary::Better better) {
    record.summarise({name, value, unit, meaning, better, n, none});
  };
  using Better = Summary::Better;
  write("update_seconds", state.seconds.steps, "s", "time of all updates, logging included", Better::lower);
  write("validation_seconds", state.seconds.validation, "s", "time of all validations", Better::lower);
  write("checkpoint_seconds", state.seconds.checkpoints, "s", "time of writing all checkpoints",
        Better::lower);
  const Headline harness = harness_share();
  write(harness.name.c_str(), ratio(state.seconds.harness, state.seconds.steps), harness.unit.c_str(),
        harness.meaning.c_str(), harness.better);
}

}  // namespace attnlab
