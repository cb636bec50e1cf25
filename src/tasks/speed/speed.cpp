#include "tasks/speed/speed.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "core/log.h"
#include "core/random.h"
#include "core/stop.h"
#include "tasks/inputs.h"
#include "tasks/speed/step_estimate.h"
#include "tasks/speed/step_memory.h"
#include "tasks/speed/step_traffic.h"

namespace attnlab {
namespace {

using Better = Summary::Better;
using Type = Column::Type;

constexpr double kMiB = 1 << 20;

/// One of the two things that are measured, and what was found.
struct Phase {
  std::string name;
  Pass pass;
  double flops = 0;
  double traffic = Summary::unknown;  ///< bytes
  int64_t runs = 1;                   ///< steps that are timed together
  std::vector<double> seconds = {};
  StepMemory memory = {};
};

/// A headline of one phase; the words follow "of one training step" or "of one inference".
Headline headline(const std::string& phase, const char* figure, const char* unit, const char* meaning,
                  Better better) {
  return {phase + "_" + figure, unit,
          fmt::format("{}, {}", phase == "train" ? "training step" : "inference", meaning), better};
}

std::vector<Headline> headlines_of(const std::string& phase) {
  return {
      headline(phase, "seconds", "s", "median time", Better::lower),
      headline(phase, "tokens_per_second", "token/s", "batch times length over the median time",
               Better::higher),
      headline(phase, "flop_rate", "FLOP/s", "matrix products as executed over the median time",
               Better::higher),
      headline(phase, "product_share", "1", "flop_rate over the device's own rate of matrix products",
               Better::higher),
      headline(phase, "allocator_peak", "byte",
               "most bytes held by tensors above parameters, gradients and optimiser state", Better::lower),
      headline(phase, "resident_peak", "byte",
               "most pages resident above those before (CUDA: most device memory reserved)", Better::lower),
  };
}

/// Every phase once.
void run_all(ModelStep& step, const std::vector<Phase>& phases) {
  for (const Phase& phase : phases) {
    stop_here_if_requested();
    step.run(phase.pass);
  }
}

/// Every phase once in each round, and products of matrices beside them, whose rates it returns.
std::vector<double> time_rounds(const SpeedOptions& o, ModelStep& step, torch::Device device,
                                std::vector<Phase>& phases, RecordSink& record) {
  ProductRate product(o.product_size > 0 ? o.product_size
                      : device.is_cuda() ? 8192
                                         : 2048,
                      device, o.precision);
  product.measure();  // the first one makes the library's buffers
  std::vector<double> rates;
  for (int64_t round = 0; round < o.repetitions; ++round) {
    rates.push_back(product.measure());
    for (Phase& phase : phases) {
      stop_here_if_requested();
      phase.seconds.push_back(seconds_of(device, phase.runs, [&] { step.run(phase.pass); }));
      log_progress(fmt::format("{} tokens, {}: {} of {}, {:.4f} s", o.length, phase.name, round + 1,
                               o.repetitions, phase.seconds.back()));
      const Value row[] = {round,
                           phase.name,
                           o.length,
                           o.batch_size,
                           static_cast<int64_t>(at::get_num_threads()),
                           phase.seconds.back(),
                           phase.flops,
                           rates.back()};
      record.append("/speed", row);
    }
    record.flush();
  }
  return rates;
}

void write_memory(const SpeedOptions& o, const Phase& phase, RecordSink& record) {
  const Value row[] = {phase.name,
                       o.length,
                       o.batch_size,
                       static_cast<int64_t>(at::get_num_threads()),
                       phase.memory.allocator,
                       phase.memory.resident};
  record.append("/memory", row);
}

/// On CUDA, where nothing is left behind by an earlier step but what the allocator gives back when asked.
StepMemory memory_here(ModelStep& step, Pass pass, torch::Device device) {
  const MemoryMeter meter(device);
  step.run(pass);
  return meter.peaks();
}

void summarise(const SpeedOptions& o, const Phase& phase, double product_rate, RecordSink& record) {
  const double seconds = median(phase.seconds);
  const double rate = phase.flops / seconds;
  const double tokens = static_cast<double>(o.batch_size * o.length) / seconds;
  const double resident =
      phase.memory.resident < 0 ? Summary::unknown : static_cast<double>(phase.memory.resident);
  const double values[] = {seconds,
                           tokens,
                           rate,
                           share_of_rate(phase.name + ", products", rate / product_rate),
                           static_cast<double>(phase.memory.allocator),
                           resident};
  const std::vector<Headline> figures = headlines_of(phase.name);
  for (size_t i = 0; i < figures.size(); ++i) {
    const bool of_time = i < 4;
    record.summarise(summary_of(figures[i], values[i], of_time ? o.repetitions : 1));
  }
  summarise_quartiles(phase.name + "_seconds", "s", phase.seconds, record);
  record.summarise({phase.name + "_flops", phase.flops, "FLOP",
                    "matrix products as executed, multiply and add apart", Better::neither, 1, 0.0});
  record.summarise({phase.name + "_traffic", phase.traffic, "byte",
                    "read and written by products, attention and optimiser, at least", Better::neither, 1,
                    0.0});
  log_info(
      "{}: {:.4f} s, {:.0f} tokens/s, {:.1f} GFLOP/s = {:.0f} % of matrix products; allocator peak {:.1f} "
      "MiB, resident peak {}",
      phase.name, seconds, tokens, rate / 1e9, 100 * rate / product_rate,
      static_cast<double>(phase.memory.allocator) / kMiB,
      phase.memory.resident < 0 ? "unknown" : fmt::format("{:.1f} MiB", resident / kMiB));
}

}  // namespace

void SpeedOptions::visit(Fields& f) {
  f("model", model, "the classifier");
  f("length", length, Range{1, 1 << 20}, "tokens in a sequence; the model is built for as many");
  f("batch_size", batch_size, Range{1, 65536}, "sequences");
  f("vocabulary", vocabulary, Range{8, 1 << 24}, "token ids are drawn below it");
  f("precision", precision, {{"fp32", Precision::fp32}, {"bf16", Precision::bf16}},
    "bf16: matrix products in bfloat16 by autocast, parameters and updates in fp32; for CUDA");
  f("phases", phases, OneOf{{"train", "infer"}},
    "what is measured: training steps (forward, backward, AdamW), inference (evaluation mode, no graph)");
  f.require(!phases.empty(), "phases", "must name train, infer or both");
  f.require(phases.size() < 2 || (phases.size() == 2 && phases[0] != phases[1]), "phases",
            "names a phase twice");
  f("repetitions", repetitions, Range{1, 1000},
    "timed steps of each phase, on a GPU as many together as take 50 ms; the median is reported");
  f("warm_up", warm_up, Range{1, 100}, "untimed steps of each phase before the timed ones");
  f("product_size", product_size, Range{0, 65536},
    "side of the square matrices that measure the device's rate, between the steps and in their precision; "
    "0: 2048 on the CPU, 8192 on CUDA");
}

std::vector<Table> SpeedOptions::tables() const {
  return {
      {"/speed",
       "steps, in the order in which they ran",
       {{"repetition", Type::integer, "1", "round; every phase runs once in each"},
        {"phase", Type::text, "1", "train or infer"},
        {"n", Type::integer, "token", "length"},
        {"batch", Type::integer, "1", "sequences"},
        {"threads", Type::integer, "1", "threads on the CPU"},
        {"seconds", Type::real, "s", "time of the step; on a GPU a mean over steps that take 50 ms together"},
        {"flops", Type::real, "FLOP", "matrix products of the step as executed, multiply and add apart"},
        {"product_rate", Type::real, "FLOP/s",
         "the device's matrix-product rate in the same round and precision"}}},
      {"/memory",
       "peaks of one step above parameters, gradients and optimiser state",
       {{"phase", Type::text, "1", "train or infer"},
        {"n", Type::integer, "token", "length"},
        {"batch", Type::integer, "1", "sequences"},
        {"threads", Type::integer, "1", "threads on the CPU"},
        {"allocator_peak", Type::integer, "byte", "most bytes held by tensors"},
        {"resident_peak", Type::integer, "byte",
         "most pages resident, −1 where the kernel cannot say; on CUDA most device memory reserved"}}}};
}

std::vector<Headline> SpeedOptions::headlines() const {
  std::vector<Headline> all;
  for (const std::string& phase : phases)
    for (const Headline& h : headlines_of(phase)) all.push_back(h);
  all.push_back({"parameters", "1", "trained numbers", Better::neither});
  return all;
}

StepSetting SpeedOptions::setting(torch::Device device) const {
  return {model, vocabulary, batch_size, length, device, precision};
}

double SpeedOptions::work() const {
  const StepEstimate estimate = estimate_step(setting(torch::kCPU));
  double round = 0;
  for (const std::string& phase : phases)
    round += phase == "train" ? estimate.train_flops : estimate.infer_flops;
  return round * static_cast<double>(warm_up + 1 + repetitions);
}

int64_t SpeedOptions::memory(torch::DeviceType device) const {
  const StepEstimate estimate = estimate_step(setting(torch::Device(device)));
  double peak = 0;
  for (const std::string& phase : phases)
    peak = std::max(peak, phase == "train" ? estimate.train_bytes : estimate.infer_bytes);
  return process_bytes(estimate, peak, device);
}

void SpeedOptions::run(const RunContext& context, RecordSink& record) const {
  refuse_weights(context, "speed");
  for (const Table& t : tables()) record.truncate(t.path, 0);  // a resumed run measures everything anew
  torch::manual_seed(derive_seed(context.seed, "speed"));
  const StepSetting step_setting = setting(context.device);
  const bool cpu = context.device.is_cpu();
  std::vector<Phase> measured;
  for (const std::string& name : phases) {
    stop_here_if_requested();
    const Pass pass = name == "train" ? Pass::train : Pass::infer;
    measured.push_back({name, pass});
    if (cpu) measured.back().memory = memory_apart("the model", step_setting, pass, at::get_num_threads());
  }
  ModelStep step(step_setting);
  // The first steps bring in the libraries' own buffers, which are not the step's.
  for (int64_t i = 0; i < warm_up; ++i) run_all(step, measured);
  const std::optional<StepTraffic> traffic = step_traffic(step_setting);
  for (Phase& phase : measured) {
    if (!cpu) phase.memory = memory_here(step, phase.pass, context.device);
    phase.flops = step.flops(phase.pass);
    if (traffic) phase.traffic = phase.pass == Pass::train ? traffic->train_bytes : traffic->infer_bytes;
    write_memory(*this, phase, record);
  }
  // Each measurement of memory gave back what the phases before it had: no timed step asks for it anew.
  if (!cpu) run_all(step, measured);
  for (Phase& phase : measured)
    phase.runs = runs_between_waits(context.device, [&] { step.run(phase.pass); });
  const double rate = median(time_rounds(*this, step, context.device, measured, record));
  record.summarise({"parameters", static_cast<double>(step.parameters()), "1", "trained numbers",
                    Better::neither, 1, 0.0});
  record.summarise({"product_rate", rate, "FLOP/s", "the device's matrix-product rate, median",
                    Better::neither, repetitions, Summary::unknown});
  log_info("{} tokens, batch {}, {} thread(s), {}: {:.0f} GFLOP/s of matrix products", length, batch_size,
           at::get_num_threads(), context.device.str(), rate / 1e9);
  for (const Phase& phase : measured) summarise(*this, phase, rate, record);
  record.flush();
}

}  // namespace attnlab
