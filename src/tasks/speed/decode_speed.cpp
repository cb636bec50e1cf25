#include "tasks/speed/decode_speed.h"

#include <ATen/Parallel.h>

#include "core/error.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/random.h"
#include "core/stop.h"
#include "tasks/speed/model_step.h"
#include "tasks/speed/read_rate.h"

namespace attnlab {
namespace {

using Better = Summary::Better;
using Type = Column::Type;

constexpr int64_t read_repetitions = 3;  // before the steps, and after them

/// Tokens between two rows of /decode.
struct Interval {
  int64_t first = 0, tokens = 0;  ///< the how-manieth timed token it begins with, and how many a text
  double seconds = 0;
  int64_t cache_bytes = 0, tensors = 0, resident = 0;  ///< held at its end
};

struct Decoded {
  std::vector<Interval> intervals;
  double prompt_seconds = 0, read_rate = 0;
  int64_t cache_bytes() const { return intervals.back().cache_bytes; }
};

/// What a step reads: all weights but the embedding table, of which it takes one row a text.
int64_t weight_bytes(const Decoder& decoder) {
  int64_t bytes = 0;
  for (const auto& p : decoder->named_parameters())
    if (decoder->options().tied_embeddings || p.key() != "model.embed_tokens.weight")
      bytes += static_cast<int64_t>(p.value().nbytes());
  return bytes;
}

/// A batch of texts on their way through one decoder.
class Decoding {
 public:
  Decoding(const DecodeSpeedOptions& o, Decoder decoder, uint64_t seed)
      : decoder_(std::move(decoder)), device_(decoder_->tensors().device()) {
    const torch::InferenceMode inference;
    decoder_->reserve_positions(o.context);
    states_ = make_states(o.cache.of_text(o.context), state_shape(decoder_->options()),
                          {.batch = 1,
                           .dtype = decoder_->activations().dtype().toScalarType(),
                           .device = device_,
                           .seed = seed,
                           .record_expiry = false,
                           .expected = o.context});
    // One text is read, and all go on from there: their states are as large as if each had been read.
    position_ = o.context - o.tokens - o.warm_up;
    const torch::Tensor prompt_1T = ids(1, position_);
    decoder_->forward(prompt_1T, torch::arange(position_, prompt_1T.options()).unsqueeze(0), {}, states_);
    for (auto& state : states_) state->reorder(torch::zeros({o.batch_size}, torch::kLong));
    next_NB1_ = ids(o.tokens + o.warm_up, o.batch_size).unsqueeze(-1);
  }

  void step() {
    const torch::InferenceMode inference;
    const torch::Tensor ids_B1 = next_NB1_[read_++];
    const torch::Tensor hidden_B1D =
        decoder_->forward(ids_B1, torch::full_like(ids_B1, position_++), {}, states_);
    logits_BV_ = decoder_->logits(hidden_B1D.select(1, 0));
  }

  int64_t cache_bytes() const { return bytes_of(states_); }

 private:
  torch::Tensor ids(int64_t rows, int64_t columns) const {
    return torch::randint(decoder_->options().vocabulary, {rows, columns}, torch::kLong).to(device_);
  }

  Decoder decoder_;
  torch::Device device_;
  int64_t position_ = 0, read_ = 0;
  DecoderState states_;
  torch::Tensor next_NB1_, logits_BV_;
};

Decoded decode(const DecodeSpeedOptions& o, const Decoder& decoder, uint64_t seed) {
  const torch::Device device = decoder->tensors().device();
  const ReadRate read(o.read_bytes, device);
  std::unique_ptr<Decoding> decoding;
  Decoded all;
  all.prompt_seconds = seconds_of(device, [&] { decoding = std::make_unique<Decoding>(o, decoder, seed); });
  // Not between the steps: what it reads drives the weights out of the caches.
  std::vector<double> rates;
  const auto measure_read_rate = [&] {
    for (int64_t i = 0; i < read_repetitions; ++i) rates.push_back(read.measure());
  };
  measure_read_rate();
  for (int64_t i = 0; i < o.warm_up; ++i) decoding->step();
  for (int64_t done = 0; done < o.tokens;) {
    stop_here_if_requested();
    Interval interval{done, std::min(o.interval, o.tokens - done)};
    interval.seconds = seconds_of(device, [&] {
      for (int64_t i = 0; i < interval.tokens; ++i) decoding->step();
    });
    interval.cache_bytes = decoding->cache_bytes();
    interval.tensors = tensor_bytes();
    interval.resident = resident_bytes();
    all.intervals.push_back(interval);
    done += interval.tokens;
  }
  measure_read_rate();
  all.read_rate = median(rates);
  return all;
}

/// Median seconds a step of intervals [begin, end).
double step_seconds(const std::vector<Interval>& intervals, std::size_t begin, std::size_t end) {
  std::vector<double> all;
  for (std::size_t i = begin; i < end; ++i)
    all.push_back(intervals[i].seconds / static_cast<double>(intervals[i].tokens));
  return median(all);
}

std::vector<Headline> headlines_of(int64_t threads) {
  const auto name = [&](const char* figure) { return with_threads(figure, threads); };
  return {{name("tokens_per_second"), "token/s", "of all texts together, median step", Better::higher},
          {name("step_seconds"), "s", "a token of every text, median", Better::lower},
          {name("read_rate"), "byte/s", "memory read by the same threads before and after the steps, median",
           Better::neither},
          {name("read_share"), "1", "bytes of weights and live states a step needs, over time and read rate",
           Better::higher},
          {name("prompt_seconds"), "s", "one text read to the depth from which all go on", Better::lower},
          {name("last_tenth"), "1", "median step of the last tenth of the tokens over that of the first",
           Better::lower},
          {name("tensor_growth"), "byte", "held by tensors after the last token more than after the first",
           Better::lower}};
}

/// Whatever the number of threads.
std::vector<Headline> headlines_of_all() {
  return {{"cache_bytes", "byte", "allocated by the caches of all texts and layers", Better::lower},
          {"weight_bytes", "byte", "weights that a step reads", Better::neither}};
}

void write_rows(const Decoded& all, int64_t threads, RecordSink& record) {
  for (const Interval& i : all.intervals) {
    const Value row[] = {i.first, i.tokens, threads, i.seconds, i.cache_bytes, i.tensors, i.resident};
    record.append("/decode", row);
  }
}

void summarise(const DecodeSpeedOptions& o, const Decoded& all, int64_t threads, int64_t weights,
               RecordSink& record) {
  const std::size_t n = all.intervals.size(), tenth = std::max<std::size_t>(1, n / 10);
  const double seconds = step_seconds(all.intervals, 0, n);
  const double bytes = static_cast<double>(weights + all.cache_bytes());
  const double growth = static_cast<double>(all.intervals.back().tensors - all.intervals.front().tensors);
  const double values[] = {static_cast<double>(o.batch_size) / seconds,
                           seconds,
                           all.read_rate,
                           bytes / seconds / all.read_rate,
                           all.prompt_seconds,
                           step_seconds(all.intervals, n - tenth, n) / step_seconds(all.intervals, 0, tenth),
                           growth};
  summarise_all(record, headlines_of(threads), values, static_cast<int64_t>(n));
  log_info(
      "{} thread(s), batch {}, {} tokens deep: {:.1f} tokens/s, {:.2f} ms a step, {:.0f} % of the read "
      "rate of {:.1f} GB/s; caches hold {:.1f} MiB",
      at::get_num_threads(), o.batch_size, o.context, values[0], 1e3 * seconds, 100 * values[3],
      all.read_rate / 1e9, static_cast<double>(all.cache_bytes()) / (1 << 20));
}

}  // namespace

void DecodeSpeedOptions::visit(Fields& f) {
  decoder.visit(f);
  f("cache", cache, "what each layer keeps of the tokens that it has read");
  f("batch_size", batch_size, Range{1, 65536}, "texts side by side");
  f("context", context, Range{2, 1 << 24},
    "tokens of each text that have been read after the last timed step");
  f("tokens", tokens, Range{1, 1 << 24}, "timed steps");
  f("warm_up", warm_up, Range{0, 1 << 16}, "untimed steps before them");
  f("interval", interval, Range{1, 1 << 24}, "steps that are timed together, a row of /decode");
  visit_thread_counts(f, thread_counts);
  f("read_bytes", read_bytes, Range{1 << 20, 1e12},
    "bytes that the measurement of the read rate goes through");
  f.require(context > tokens + warm_up, "context",
            fmt::format("of {} tokens leaves none to be read before {} steps", context, tokens + warm_up));
  f.require(cache.protect.empty(), "cache", "protects strings, but the tokens here are drawn at random");
}

std::vector<Table> DecodeSpeedOptions::tables() const {
  return {{"/decode",
           "steps of decoding, in the order in which they ran",
           {{"first", Type::integer, "token", "timed tokens of each text before this row"},
            {"tokens", Type::integer, "token", "of each text in this row"},
            {"threads", Type::integer, "1", "threads on the CPU"},
            {"seconds", Type::real, "s", "time of the row's steps"},
            {"cache_bytes", Type::integer, "byte", "allocated by the caches of all texts and layers"},
            {"tensor_bytes", Type::integer, "byte", "held by tensors on the CPU after the row"},
            {"resident_bytes", Type::integer, "byte", "pages of the process after the row"}}}};
}

std::vector<Headline> DecodeSpeedOptions::headlines() const {
  std::vector<Headline> all;
  for (const int64_t threads : thread_counts)
    for (const Headline& h : headlines_of(threads)) all.push_back(h);
  for (const Headline& h : headlines_of_all()) all.push_back(h);
  return all;
}

double DecodeSpeedOptions::work() const {
  if (!decoder.random()) return 0;
  const double read =
      static_cast<double>(context) + static_cast<double>(tokens) * static_cast<double>(batch_size);
  return 2.0 * read * static_cast<double>(parameter_count(decoder.sizes));
}

int64_t DecodeSpeedOptions::memory(torch::DeviceType device) const {
  if (!decoder.random()) return 0;
  const DecoderOptions d = decoder.sizes.resolved();
  const int64_t each = decoder.number_bytes(),
                computed = device == torch::kCPU ? 4 : each;  // see activations()
  const int64_t of_state = cache.precision == CachePrecision::bf16   ? 2
                           : cache.precision == CachePrecision::fp32 ? 4
                                                                     : computed;
  int64_t states = 0;
  for (const int64_t size : sizes_of_layers(cache.of_text(context), d.layers))
    states += (size == 0 ? context : size + 1) * 2 * d.kv_heads * d.head_dim;
  // Reordering holds a layer's old and new states at once; the prompt is read by one text.
  return of_state * (states * batch_size + states * batch_size / d.layers) + each * parameter_count(d) +
         read_bytes;
}

std::vector<Input> DecodeSpeedOptions::inputs(const RunContext&) const { return decoder.inputs(); }

void DecodeSpeedOptions::run(const RunContext& context, RecordSink& record) const {
  record.truncate("/decode", 0);  // a resumed run measures everything anew
  if (!context.init_from.empty())
    user_error("task decode_speed reads its weights from `model`, not from init_from");
  torch::manual_seed(derive_seed(context.seed, "decode_speed"));
  const Decoder timed = decoder.open(context.device);
  record_inputs(decoder.inputs(), record);
  const int64_t weights = weight_bytes(timed);
  Decoded all;
  for_thread_counts(thread_counts, [&](int64_t threads) {
    all = decode(*this, timed, context.seed);
    write_rows(all, at::get_num_threads(), record);
    summarise(*this, all, threads, weights, record);
  });
  const double whole[] = {static_cast<double>(all.cache_bytes()), static_cast<double>(weights)};
  summarise_all(record, headlines_of_all(), whole, 1);
  record.flush();
}

}  // namespace attnlab
