#include "tasks/speed/score_speed.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "attention/shape.h"
#include "core/error.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/random.h"
#include "core/stop.h"
#include "tasks/language/chunk_scorer.h"
#include "tasks/speed/model_step.h"
#include "tasks/speed/step_memory.h"

namespace attnlab {
namespace {

using Better = Summary::Better;
using Type = Column::Type;
using Chunks = std::vector<std::vector<int64_t>>;

/// One of the two caches that are compared.
struct Reader {
  const char* name;
  ChunkScorer scorer;
  double flops;
  std::vector<double> seconds = {};
  int64_t runs = 0;  ///< scorings that are timed together
  int64_t peak = 0;  ///< bytes of tensors above those held before
};

Chunks random_chunks(int64_t number, int64_t length, int64_t vocabulary) {
  Chunks chunks;
  for (int64_t i = 0; i < number; ++i) {
    const torch::Tensor ids_T = torch::randint(vocabulary, {length}, torch::kLong);
    chunks.emplace_back(ids_T.const_data_ptr<int64_t>(), ids_T.const_data_ptr<int64_t>() + length);
  }
  return chunks;
}

/// Of scoring one chunk.
double text_flops(const Decoder& decoder, const CacheOptions& cache, int64_t length) {
  return scoring_flops(decoder->options(), sizes_of_layers(cache, decoder->options().layers), length);
}

Reader reader(const ScoreSpeedOptions& o, const Decoder& decoder, const char* name, const CacheOptions& cache,
              uint64_t seed) {
  return {name, ChunkScorer(decoder, cache, {}, o.slice, seed, /*timed=*/true),
          static_cast<double>(o.batch_size) * text_flops(decoder, cache, o.length)};
}

/// Rounds of a product of matrices and of both caches, so that a busy minute falls on all of them. Returns
/// the median rate of products.
double time_rounds(const ScoreSpeedOptions& o, const Chunks& chunks, const torch::TensorOptions& tensors,
                   std::vector<Reader>& readers, RecordSink& record) {
  const torch::Device device = tensors.device();
  const auto type = tensors.dtype().toScalarType();
  if (type != torch::kFloat && type != torch::kBFloat16)
    user_error(
        "task score_speed measures the machine in fp32 or bf16, and the weights of {} are neither: set "
        "precision",
        o.decoder.model);
  const int64_t side = device.is_cuda() ? std::max<int64_t>(o.product_size, 8192) : o.product_size;
  ProductRate product(side, device, type == torch::kBFloat16 ? Precision::bf16 : Precision::fp32);
  std::vector<double> rates;
  for (int64_t round = -o.warm_up; round < o.repetitions; ++round) {
    const double rate = product.measure();
    for (Reader& r : readers) {
      stop_here_if_requested();
      const auto score = [&] { r.scorer.score(chunks, /*with_expiry=*/false); };
      if (r.runs == 0) r.runs = runs_between_waits(device, score);
      const HeldTensors held(device);
      const double seconds = seconds_of(device, r.runs, score);
      r.peak = std::max(r.peak, held.peak());
      if (round < 0) continue;
      r.seconds.push_back(seconds);
      const Value row[] = {round, r.name, int64_t{at::get_num_threads()}, seconds, r.flops, rate};
      record.append("/score", row);
    }
    if (round >= 0) rates.push_back(rate);
    record.flush();
  }
  return median(rates);
}

std::vector<Headline> scoring_headlines(int64_t threads) {
  const auto name = [&](const char* figure) { return with_threads(figure, threads); };
  return {{name("fraction_of_full"), "1",
           "time under the cache over time under a full one, median of the rounds", Better::lower},
          {name("tokens_per_second"), "token/s", "read and scored under the cache, median", Better::higher},
          {name("full_tokens_per_second"), "token/s", "the same under a full cache", Better::neither},
          {name("product_rate"), "FLOP/s", "the machine's rate of matrix products in the same rounds, median",
           Better::neither},
          {name("product_share"), "1", "operations of the products needed, over time and rate of products",
           Better::higher},
          {name("full_product_share"), "1", "the same under a full cache", Better::neither}};
}

/// Whatever the number of threads.
std::vector<Headline> scoring_headlines_of_all() {
  return {
      {"token_flops", "FLOP/token", "of the matrix products needed under the cache, mean", Better::neither},
      {"full_token_flops", "FLOP/token", "the same under a full cache", Better::neither},
      {"peak_bytes", "byte",
       "most held by tensors on the device above the weights, the lanes' own working memory left out",
       Better::lower},
      {"full_peak_bytes", "byte", "the same under a full cache", Better::neither}};
}

void summarise(const ScoreSpeedOptions& o, const Reader& full, const Reader& bounded, double rate,
               int64_t threads, RecordSink& record) {
  std::vector<double> fractions;
  for (std::size_t i = 0; i < full.seconds.size(); ++i)
    fractions.push_back(bounded.seconds[i] / full.seconds[i]);
  const double tokens = static_cast<double>(o.batch_size * o.length);
  const double seconds = median(bounded.seconds), full_seconds = median(full.seconds);
  const double values[] = {median(fractions),
                           tokens / seconds,
                           tokens / full_seconds,
                           rate,
                           share_of_rate("bounded cache, products", bounded.flops / seconds / rate),
                           share_of_rate("full cache, products", full.flops / full_seconds / rate)};
  summarise_all(record, scoring_headlines(threads), values, o.repetitions);
  summarise_quartiles(with_threads("fraction_of_full", threads), "1", fractions, record);
  log_info(
      "{} thread(s), {} x {} tokens: {:.0f} tokens/s, {:.2f} of the time of a full cache ({:.0f} tokens/s); "
      "{:.0f} and {:.0f} % of {:.0f} GFLOP/s",
      at::get_num_threads(), o.batch_size, o.length, values[1], values[0], values[2], 100 * values[4],
      100 * values[5], rate / 1e9);
}

}  // namespace

double scoring_flops(const DecoderOptions& sizes, const std::vector<int64_t>& kept, int64_t length) {
  const DecoderOptions d = sizes.resolved();
  double flops = product_flops(length - 1, d.dim, d.vocabulary);  // nothing follows the last token
  for (const int64_t k : kept)
    flops += d.attention->flops(d, k, length) + product_flops(length, d.dim, 3 * d.ffn_dim);
  return flops;
}

void ScoreSpeedOptions::visit(Fields& f) {
  decoder.visit(f);
  f("cache", cache, "what each layer keeps of the tokens that it has read; a full cache is always beside it");
  f("length", length, Range{2, 1 << 24}, "tokens of a chunk, all read and all but the first scored");
  f("batch_size", batch_size, Range{1, 65536}, "chunks side by side");
  f("slice", slice, Range{0, 1 << 24},
    "tokens of a chunk that go through the layers at a time; 0: 8192 on the CPU, on a GPU all");
  f("repetitions", repetitions, Range{1, 1000}, "timed rounds; medians are reported");
  f("warm_up", warm_up, Range{0, 100}, "untimed rounds before them");
  visit_thread_counts(f, thread_counts);
  f("product_size", product_size, Range{64, 16384},
    "side of the square matrices that measure the machine's rate of products; on CUDA at least 8192");
  f.require(cache.protect.empty(), "cache", "protects strings, but the tokens here are drawn at random");
  f.require(cache.prompt == Prompt::per_step && !cache.policy->needs().prefill_only, "cache",
            "drops states after a prompt or a piece of it; a text that is scored here has none");
  f.require(!cache.policy->needs().surprisal, "cache",
            "has a policy that reads token by token; what is measured here is reading layer by layer");
}

std::vector<Table> ScoreSpeedOptions::tables() const {
  return {
      {"/score",
       "scorings of the same chunks, in the order in which they ran",
       {{"repetition", Type::integer, "1", "round; both caches run once in each"},
        {"cache", Type::text, "1", "full, or bounded: the run's own"},
        {"threads", Type::integer, "1", "threads on the CPU"},
        {"seconds", Type::real, "s", "all chunks through all layers, logits and losses included"},
        {"flops", Type::real, "FLOP", "matrix products needed, multiply and add apart"},
        {"product_rate", Type::real, "FLOP/s", "the machine's rate of matrix products in the same round"}}}};
}

std::vector<Headline> ScoreSpeedOptions::headlines() const {
  std::vector<Headline> all;
  for (const int64_t threads : thread_counts)
    for (const Headline& h : scoring_headlines(threads)) all.push_back(h);
  for (const Headline& h : scoring_headlines_of_all()) all.push_back(h);
  return all;
}

double ScoreSpeedOptions::work() const {
  if (!decoder.random()) return 0;
  const std::vector<int64_t> full(static_cast<std::size_t>(decoder.sizes.layers), 0);
  return 2 * static_cast<double>(batch_size * (repetitions + warm_up)) *
         static_cast<double>(thread_counts.size()) * scoring_flops(decoder.sizes, full, length);
}

int64_t ScoreSpeedOptions::memory(torch::DeviceType device) const {
  if (!decoder.random()) return 0;
  const DecoderOptions d = decoder.sizes.resolved();
  const int64_t states = 2 * d.kv_heads * d.head_dim * d.layers * length;
  const int64_t activations =
      std::min(slice_length(slice, torch::Device(device)), length) * (6 * d.dim + 3 * d.ffn_dim);
  const int64_t logits = device == torch::kCUDA ? int64_t{3} << 30 : int64_t{64} << 20;
  const int64_t products = 3 * product_size * product_size;
  return decoder.number_bytes() * (batch_size * (states + activations) + products + parameter_count(d)) +
         logits;
}

std::vector<Input> ScoreSpeedOptions::inputs(const RunContext&) const { return decoder.inputs(); }

void ScoreSpeedOptions::run(const RunContext& context, RecordSink& record) const {
  record.truncate("/score", 0);  // a resumed run measures everything anew
  refuse_init_from(context, "score_speed");
  torch::manual_seed(derive_seed(context.seed, "score_speed"));
  const Decoder timed = decoder.open(context.device);
  record_inputs(decoder.inputs(), record);
  const Chunks chunks = random_chunks(batch_size, length, timed->options().vocabulary);
  int64_t bounded_peak = 0, full_peak = 0;
  for_thread_counts(thread_counts, [&](int64_t threads) {
    std::vector<Reader> readers = {reader(*this, timed, "full", {}, context.seed),
                                   reader(*this, timed, "bounded", cache.of_text(length), context.seed)};
    const Reader &full = readers[0], &bounded = readers[1];
    const double rate = time_rounds(*this, chunks, timed->activations(), readers, record);
    summarise(*this, full, bounded, rate, threads, record);
    full_peak = std::max(full_peak, full.peak);
    bounded_peak = std::max(bounded_peak, bounded.peak);
  });
  const double values[] = {
      text_flops(timed, cache.of_text(length), length) / static_cast<double>(length),
      text_flops(timed, {}, length) / static_cast<double>(length),
      static_cast<double>(bounded_peak),
      static_cast<double>(full_peak),
  };
  summarise_all(record, scoring_headlines_of_all(), values, repetitions);
  record.flush();
}

}  // namespace attnlab
