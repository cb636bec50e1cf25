#include "tasks/speed/decode_speed.h"

#include <ATen/Parallel.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/random.h"
#include "core/stop.h"
#include "tasks/speed/decode_figures.h"
#include "tasks/speed/decoding.h"
#include "tasks/speed/model_step.h"
#include "tasks/speed/read_rate.h"
#include "tasks/speed/step_memory.h"

namespace attnlab {
namespace {

constexpr int64_t rate_repetitions = 3;  // before the steps, and after them
constexpr int64_t square_size = 1024;

/// What the device can do, measured beside the steps so that a busy minute falls on both.
class DeviceRates {
 public:
  DeviceRates(int64_t read_bytes, torch::Device device, torch::Dtype type)
      : read_bytes_(read_bytes), device_(device), narrow_(device.is_cuda() && type == torch::kBFloat16) {}

  /// Not between the steps: what it reads drives the weights out of the caches. Keeps nothing.
  void measure() {
    const ReadRate read(read_bytes_, device_);
    ProductRate product(device_.is_cuda() ? 8192 : square_size, device_,
                        narrow_ ? Precision::bf16 : Precision::fp32);
    for (int64_t i = 0; i < rate_repetitions; ++i) {
      reads_.push_back(read.measure());
      products_.push_back(product.measure());
    }
  }
  double read() const { return median(reads_); }
  double product() const { return median(products_); }

 private:
  int64_t read_bytes_;
  torch::Device device_;
  bool narrow_;
  std::vector<double> reads_, products_;
};

/// The most pages that were resident, or bytes of a GPU reserved, beyond those of the beginning.
class ResidentPeak {
 public:
  explicit ResidentPeak(torch::Device device) : device_(device) {
    restart();
    before_ = device.is_cpu() ? resident_bytes() : device_bytes(device).reserved;
  }
  int64_t before() const { return before_; }
  int64_t highest() const { return highest_; }
  void look() {
    const int64_t peak = device_.is_cpu() ? resident_bytes_peak() : device_bytes(device_).reserved_peak;
    highest_ = std::max(highest_, peak - before_);
  }
  /// Runs what does not count.
  void leave_out(const std::function<void()>& work) {
    look();
    work();
    restart();
  }

 private:
  void restart() {
    if (!device_.is_cpu()) return reset_device_peaks(device_, /*give_back=*/true);
    release_freed_pages();
    reset_resident_bytes_peak();
  }

  torch::Device device_;
  int64_t before_ = 0, highest_ = 0;
};

std::vector<DecodeInterval> timed_steps(const DecodeSpeedOptions& o, torch::Device device,
                                        Decoding& decoding) {
  std::vector<DecodeInterval> all;
  for (int64_t i = 0; i < o.warm_up; ++i) decoding.step();
  for (int64_t done = 0; done < o.tokens;) {
    stop_here_if_requested();
    DecodeInterval interval{done, std::min(o.interval, o.tokens - done)};
    interval.seconds = seconds_of(device, [&] {
      for (int64_t i = 0; i < interval.tokens; ++i) decoding.step();
    });
    interval.cache_bytes = decoding.cache_bytes();
    interval.tensors = held_by_tensors(device);
    interval.resident = resident_bytes();
    all.push_back(interval);
    done += interval.tokens;
  }
  return all;
}

/// `batch` 0: as many texts as the budget holds, but no more than batch_size.
Decoded decode(const DecodeSpeedOptions& o, const Decoder& decoder, uint64_t seed, int64_t batch,
               ResidentPeak& peak) {
  const torch::Device device = decoder->tensors().device();
  DeviceRates rates(o.read_bytes, device, decoder->activations().dtype().toScalarType());
  std::unique_ptr<Decoding> decoding;
  Decoded all;
  // A GPU's first call of anything loads kernels, makes handles and checks operators: the first text is not
  // timed.
  if (device.is_cuda()) Decoding(decoder, o.cache, o.context, o.steps(), seed);
  all.prompt_seconds = seconds_of(
      device, [&] { decoding = std::make_unique<Decoding>(decoder, o.cache, o.context, o.steps(), seed); });
  all.prompt_tokens = decoding->prompt_tokens();
  if (batch == 0) {
    batch = texts_that_fit(*decoding, {o.budget_bytes(), peak.before()});
    if (o.batch_size > 0) batch = std::min(batch, o.batch_size);
  }
  all.batch = batch;
  peak.leave_out([&] { rates.measure(); });
  decoding->fill(batch);
  all.intervals = timed_steps(o, device, *decoding);
  peak.leave_out([&] {
    decoding.reset();
    release_freed_pages();
    rates.measure();
  });
  all.read_rate = rates.read();
  all.product_rate = rates.product();
  return all;
}

}  // namespace

void DecodeSpeedOptions::visit(Fields& f) {
  decoder.visit(f);
  f("cache", cache, "what each layer keeps of the tokens that it has read");
  f("batch_size", batch_size, Range{0, 65536},
    "texts side by side; with memory_budget at most so many, 0: as many as fit");
  f("memory_budget", memory_budget, Range{0, 1 << 20},
    "GiB of main memory, or of the GPU's, that weights, caches and what the steps need may take together, "
    "beyond what the process held before: the batch is then the largest that fits (TOVA's throughput); 0: "
    "batch_size texts whatever they take");
  f("context", context, Range{2, 1 << 24},
    "tokens of each text that have been read after the last timed step");
  f("tokens", tokens, Range{1, 1 << 24}, "timed steps");
  f("warm_up", warm_up, Range{0, 1 << 16}, "untimed steps before them");
  f("interval", interval, Range{1, 1 << 24}, "steps that are timed together, a row of /decode");
  visit_thread_counts(f, thread_counts);
  f("read_bytes", read_bytes, Range{1 << 20, 1e12},
    "bytes that the measurement of the read rate goes through");
  f.require(context > steps(), "context",
            fmt::format("of {} tokens leaves none to be read before {} steps", context, steps()));
  f.require(batch_size > 0 || memory_budget > 0, "batch_size",
            "of 0 means as many texts as memory_budget holds, which is not set");
  f.require(cache.protect.empty(), "cache", "protects strings, but the tokens here are drawn at random");
}

std::vector<Table> DecodeSpeedOptions::tables() const { return {decode_table()}; }

std::vector<Headline> DecodeSpeedOptions::headlines() const { return decode_headlines(thread_counts); }

int64_t DecodeSpeedOptions::steps() const {
  return tokens + warm_up + (memory_budget > 0 ? fitting_steps : 0);
}

int64_t DecodeSpeedOptions::budget_bytes() const {
  return static_cast<int64_t>(memory_budget * static_cast<double>(1 << 30));
}

/// Of a text's caches, where weights are random.
int64_t DecodeSpeedOptions::text_bytes(torch::DeviceType device) const {
  const DecoderOptions d = decoder.sizes.resolved();
  if (const int64_t rows = d.attention->rows_of_sums(); rows > 0)  // in fp32
    return d.layers * d.heads * rows * 2 * d.head_dim * static_cast<int64_t>(sizeof(float));
  int64_t states = 0;
  for (const int64_t size : sizes_of_layers(cache.of_text(context), d.layers))
    states += (size == 0 ? context : size + 1) * 2 * d.kv_heads * d.head_dim;
  const int64_t computed = device == torch::kCPU ? 4 : decoder.number_bytes();  // see activations()
  return states * cache_number_bytes(computed);
}

int64_t DecodeSpeedOptions::cache_number_bytes(int64_t computed) const {
  switch (cache.precision) {
    case CachePrecision::bf16:
      return 2;
    case CachePrecision::fp32:
      return 4;
    case CachePrecision::model:
      break;
  }
  return computed;
}

int64_t DecodeSpeedOptions::expected_batch(torch::DeviceType device) const {
  if (memory_budget == 0) return batch_size;
  const int64_t left = budget_bytes() - decoder.number_bytes() * parameter_count(decoder.sizes);
  const int64_t fit = std::max<int64_t>(1, left / text_bytes(device));
  return batch_size == 0 ? fit : std::min(fit, batch_size);
}

double DecodeSpeedOptions::work() const {
  if (!decoder.random()) return 0;
  const double read = static_cast<double>(context) +
                      static_cast<double>(tokens) * static_cast<double>(expected_batch(torch::kCPU));
  return 2.0 * read * static_cast<double>(parameter_count(decoder.sizes));
}

int64_t DecodeSpeedOptions::memory(torch::DeviceType device) const {
  if (!decoder.random()) return budget_bytes();
  const int64_t weights = decoder.number_bytes() * parameter_count(decoder.sizes);
  const int64_t states = text_bytes(device) * expected_batch(device);
  // The rates are measured when one text has been read.
  return weights + std::max(states, text_bytes(device) + read_bytes);
}

std::vector<Input> DecodeSpeedOptions::inputs(const RunContext&) const { return decoder.inputs(); }

void DecodeSpeedOptions::run(const RunContext& context, RecordSink& record) const {
  record.truncate("/decode", 0);  // a resumed run measures everything anew
  refuse_init_from(context, "decode_speed");
  torch::manual_seed(derive_seed(context.seed, "decode_speed"));
  ResidentPeak peak(context.device);
  const Decoder timed = decoder.open(context.device);
  record_inputs(decoder.inputs(), record);
  const StepWeights weights = step_weights(timed);
  const auto computed = static_cast<int64_t>(timed->activations().dtype().itemsize());
  int64_t batch = memory_budget > 0 ? 0 : batch_size;
  Decoded all;
  for_thread_counts(thread_counts, [&](int64_t threads) {
    all = decode(*this, timed, context.seed, batch, peak);
    batch = all.batch;
    write_decoded(all, at::get_num_threads(), record);
    summarise_decoded(all, weights, cache_number_bytes(computed), threads, record);
  });
  all.resident_peak = peak.highest();
  summarise_memory(all, weights, record);
  record.flush();
}

}  // namespace attnlab
