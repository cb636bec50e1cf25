#include "tasks/speed/step_speed.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "attention/luna.h"
#include "attention/softmax.h"
#include "core/error.h"
#include "core/log.h"
#include "core/random.h"
#include "core/stop.h"
#include "tasks/inputs.h"
#include "tasks/speed/step_memory.h"

namespace attnlab {
namespace {

using Better = Summary::Better;
using Type = Column::Type;

/// One cell of the comparison: the models side by side at a length, a dropout and a number of threads.
struct Cell {
  int64_t length, threads;
  double dropout;
};

struct Measured {
  std::vector<double> seconds;
  double flops = 0;
  StepMemory memory;
};

std::vector<Cell> cells_of(const StepSpeedOptions& o) {
  std::vector<Cell> cells;
  for (const int64_t n : o.lengths)
    for (const double p : o.dropouts)
      for (const int64_t t : o.thread_counts) cells.push_back({n, t, p});
  return cells;
}

std::string suffix(const StepSpeedOptions& o, const Cell& cell) {
  std::string s;
  if (o.lengths.size() > 1) s += fmt::format("_n{}", cell.length);
  if (o.dropouts.size() > 1) s += fmt::format("_dropout{:g}", cell.dropout);
  if (o.thread_counts.size() > 1) s += fmt::format("_{}threads", cell.threads);
  return s;
}

/// "; 5.70 x fused", or nothing where that model is not in the comparison.
std::string times(double ratio, const char* reference) {
  return std::isnan(ratio) ? "" : fmt::format("; {:.2f} x {}", ratio, reference);
}

/// Interleaves the models, round by round, so that a noisy minute falls on all of them; returns the machine's
/// rate of matrix products, measured in the same rounds.
double time_cell(const StepSpeedOptions& o, const Cell& cell, const std::vector<SpeedModel>& models,
                 std::vector<Measured>& measured, RecordSink& record) {
  at::set_num_threads(static_cast<int>(cell.threads));
  std::vector<ModelStep> steps;
  for (const SpeedModel& m : models) steps.emplace_back(o.step_of(m, cell.length));
  ProductRate product(o.product_size, torch::kCPU, Precision::fp32);
  std::vector<double> rates;
  for (int64_t round = -o.warm_up; round < o.repetitions; ++round) {
    const double rate = product.measure();
    if (round >= 0) rates.push_back(rate);
    for (size_t i = 0; i < steps.size(); ++i) {
      stop_here_if_requested();
      const double seconds = seconds_of(torch::kCPU, [&] { steps[i].run(Pass::train); });
      log_progress(fmt::format("n {} dropout {:g} threads {}: round {} of {}, {} {:.3f} s", cell.length,
                               cell.dropout, cell.threads, round + 1, o.repetitions, models[i].name,
                               seconds));
      if (round < 0) continue;
      measured[i].seconds.push_back(seconds);
      measured[i].flops = steps[i].flops(Pass::train);
      const Value row[] = {round,        models[i].name, cell.length,       o.batch_size, cell.dropout,
                           cell.threads, seconds,        measured[i].flops, rate};
      record.append("/speed", row);
    }
    record.flush();
  }
  return median(rates);
}

}  // namespace

void StepSpeedOptions::visit(Fields& f) {
  f("model", model, "the classifier; its attention is replaced by each of `models`");
  f("models", models, OneOf{},
    "models of the comparison: textbook, fused or luna-<l>, and flags +recompute, +torch-dropout, +plain, "
    "+residual-dropout (none on attention weights)");
  f("lengths", lengths, Range{1, 1 << 20}, "tokens in a sequence");
  f("dropouts", dropouts, Range{0, 0.9}, "dropout on residual branches and on attention weights");
  f("thread_counts", thread_counts, Range{1, 1024}, "threads inside an operator");
  f("batch_size", batch_size, Range{1, 65536}, "sequences");
  f("vocabulary", vocabulary, Range{8, 1 << 24}, "token ids are drawn below it");
  f("repetitions", repetitions, Range{1, 1000}, "timed steps of each model; the median is reported");
  f("warm_up", warm_up, Range{0, 100}, "untimed steps of each model");
  f("product_size", product_size, Range{64, 16384},
    "side of the square matrices that measure the machine's fp32 rate");
}

std::vector<Table> StepSpeedOptions::tables() const {
  return {
      {"/speed",
       "training steps, in the order in which they ran",
       {{"repetition", Type::integer, "1", "round; every model runs once in each"},
        {"model", Type::text, "1", "model"},
        {"n", Type::integer, "token", "length"},
        {"batch", Type::integer, "1", "sequences"},
        {"dropout", Type::real, "1", "dropout"},
        {"threads", Type::integer, "1", "threads"},
        {"seconds", Type::real, "s", "forward, backward and optimiser"},
        {"flops", Type::real, "FLOP", "matrix products of the step as executed, multiply and add apart"},
        {"product_rate", Type::real, "FLOP/s", "the machine's fp32 matrix-product rate in the same round"}}},
      {"/memory",
       "memory of one step above parameters, gradients and optimiser state, each in its own process",
       {{"model", Type::text, "1", "model"},
        {"n", Type::integer, "token", "length"},
        {"batch", Type::integer, "1", "sequences"},
        {"dropout", Type::real, "1", "dropout"},
        {"threads", Type::integer, "1", "threads"},
        {"allocator_peak", Type::integer, "byte", "most bytes held by tensors"},
        {"resident_peak", Type::integer, "byte", "most pages resident; -1 where the kernel cannot say"}}},
      {"/ratios",
       "medians, and what they are to the Transformers of the same cell",
       {{"model", Type::text, "1", "model"},
        {"n", Type::integer, "token", "length"},
        {"batch", Type::integer, "1", "sequences"},
        {"dropout", Type::real, "1", "dropout"},
        {"threads", Type::integer, "1", "threads"},
        {"seconds", Type::real, "s", "median of the repetitions"},
        {"tokens_per_second", Type::real, "token/s", "batch·n / seconds"},
        {"flop_rate", Type::real, "FLOP/s", "matrix products of the step / seconds"},
        {"product_share", Type::real, "1", "flop_rate over the machine's measured rate of matrix products"},
        {"times_textbook", Type::real, "1", "speed, as a multiple of the textbook Transformer's"},
        {"times_fused", Type::real, "1", "speed, as a multiple of the fused Transformer's"}}}};
}

std::vector<Headline> StepSpeedOptions::headlines() const {
  std::vector<Headline> all;
  for (const Cell& cell : cells_of(*this)) {
    const std::string tail = suffix(*this, cell);
    all.push_back(
        {"product_rate" + tail, "FLOP/s", "the machine's fp32 matrix-product rate", Better::neither});
    for (const std::string& name : models)
      all.push_back({"seconds_" + name + tail, "s", "median time of one training step", Better::lower});
  }
  return all;
}

StepSetting StepSpeedOptions::step_of(const SpeedModel& m, int64_t length) const {
  StepSetting setting;
  setting.model = m.options;
  setting.vocabulary = vocabulary;
  setting.batch = batch_size;
  setting.length = length;
  return setting;
}

SpeedModel StepSpeedOptions::named(const std::string& name, double dropout) const {
  SpeedModel m{name, model};
  m.options.encoder.dropout = m.options.encoder.attention_dropout = dropout;
  std::vector<std::string> parts;
  for (size_t at = 0; at <= name.size();) {
    const size_t end = std::min(name.find('+', at), name.size());
    parts.push_back(name.substr(at, end - at));
    at = end + 1;
  }
  const bool is_luna = parts[0].rfind("luna-", 0) == 0;
  auto& attention = m.options.encoder.attention;
  const auto bad = [&](const std::string& what) {
    user_error(
        "models: '{}' is no model of this comparison: {}; write textbook, fused or luna-<l>, with flags "
        "+recompute, +residual-dropout, +torch-dropout (textbook) or +plain (luna)",
        name, what);
  };
  attention.select(is_luna ? "luna" : "softmax");
  auto* luna = dynamic_cast<LunaOptions*>(&*attention);
  auto* softmax = dynamic_cast<SoftmaxOptions*>(&*attention);
  if (is_luna) {
    const std::string digits = parts[0].substr(5);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), luna->projection_length);
    if (error != std::errc() || end != digits.data() + digits.size() || luna->projection_length < 1)
      bad("'" + digits + "' is no projection length");
  } else if (parts[0] == "textbook" || parts[0] == "fused") {
    softmax->implementation =
        parts[0] == "fused" ? SoftmaxOptions::Implementation::sdpa : SoftmaxOptions::Implementation::eager;
  } else {
    bad("'" + parts[0] + "' is unknown");
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i] == "recompute")
      m.options.encoder.recompute = true;
    else if (parts[i] == "residual-dropout")
      m.options.encoder.attention_dropout = 0;
    else if (parts[i] == "plain" && is_luna)
      luna->kernel = LunaOptions::Kernel::plain;
    else if (parts[i] == "torch-dropout" && parts[0] == "textbook")
      softmax->torch_dropout = true;
    else
      bad("'+" + parts[i] + "' is unknown");
  }
  return m;
}

void StepSpeedOptions::run(const RunContext& context, RecordSink& record) const {
  refuse_weights(context, "step_speed");
  if (!context.device.is_cpu()) user_error("device: task step_speed measures the CPU; set device=cpu");
  for (const Table& t : tables()) record.truncate(t.path, 0);  // a resumed run measures everything anew
  const int before = at::get_num_threads();
  const std::vector<Cell> cells = cells_of(*this);
  std::vector<std::vector<SpeedModel>> compared;
  std::vector<std::vector<Measured>> measured;
  for (const Cell& cell : cells) {
    auto& list = compared.emplace_back();
    for (const std::string& name : models) list.push_back(named(name, cell.dropout));
    measured.emplace_back(list.size());
  }
  for (size_t c = 0; c < cells.size();
       ++c)  // all of memory first: its processes are forked off a quiet parent
    for (size_t i = 0; i < compared[c].size(); ++i) {
      stop_here_if_requested();
      Measured& m = measured[c][i];
      m.memory =
          memory_apart(models[i], step_of(compared[c][i], cells[c].length), Pass::train, cells[c].threads);
      const Value row[] = {models[i],        cells[c].length,    batch_size,       cells[c].dropout,
                           cells[c].threads, m.memory.allocator, m.memory.resident};
      record.append("/memory", row);
      log_info("{} at n {}, dropout {:g}, {} thread(s): allocator peak {:.0f} MiB, resident peak {:.0f} MiB",
               models[i], cells[c].length, cells[c].dropout, cells[c].threads,
               static_cast<double>(m.memory.allocator) / (1 << 20),
               static_cast<double>(m.memory.resident) / (1 << 20));
    }
  torch::manual_seed(derive_seed(context.seed, "step_speed"));
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  for (size_t c = 0; c < cells.size(); ++c) {
    const Cell& cell = cells[c];
    const double rate = time_cell(*this, cell, compared[c], measured[c], record);
    const std::string tail = suffix(*this, cell);
    record.summarise({"product_rate" + tail, rate, "FLOP/s", "the machine's fp32 matrix-product rate, median",
                      Better::neither, repetitions, none});
    const auto seconds_of = [&](const char* name) {
      const auto at = std::find(models.begin(), models.end(), name);
      return at == models.end() ? none
                                : median(measured[c][static_cast<size_t>(at - models.begin())].seconds);
    };
    const double textbook = seconds_of("textbook"), fused = seconds_of("fused");
    for (size_t i = 0; i < models.size(); ++i) {
      const double s = median(measured[c][i].seconds);
      const double tokens = static_cast<double>(batch_size * cell.length) / s;
      const double flop_rate = measured[c][i].flops / s;
      const Value row[] = {models[i],    cell.length,  batch_size,
                           cell.dropout, cell.threads, s,
                           tokens,       flop_rate,    share_of_rate(models[i], flop_rate / rate),
                           textbook / s, fused / s};
      record.append("/ratios", row);
      log_info("{:24} n {} dropout {:g} threads {}: {:.3f} s, {:.0f} GFLOP/s = {:.0f} % of {:.0f}{}{}",
               models[i], cell.length, cell.dropout, cell.threads, s, flop_rate / 1e9, 100 * flop_rate / rate,
               rate / 1e9, times(textbook / s, "textbook"), times(fused / s, "fused"));
      summarise_quartiles("seconds_" + models[i] + tail, "s", measured[c][i].seconds, record);
      record.summarise({"seconds_" + models[i] + tail, s, "s", "median time of one training step",
                        Better::lower, repetitions, none});
    }
    record.flush();
  }
  at::set_num_threads(before);
}

}  // namespace attnlab
