#include "tasks/speed/decode_figures.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "core/log.h"
#include "tasks/speed/model_step.h"
#include "tasks/speed/timed_decoder.h"
#include "tasks/task.h"

namespace attnlab {
namespace {

using Better = Summary::Better;
using Type = Column::Type;

/// Seconds a step of intervals [begin, end).
std::vector<double> steps_of(const std::vector<DecodeInterval>& intervals, std::size_t begin,
                             std::size_t end) {
  std::vector<double> all;
  for (std::size_t i = begin; i < end; ++i)
    all.push_back(intervals[i].seconds / static_cast<double>(intervals[i].tokens));
  return all;
}

double step_seconds(const std::vector<DecodeInterval>& intervals, std::size_t begin, std::size_t end) {
  return median(steps_of(intervals, begin, end));
}

std::vector<Headline> decode_headlines_of(int64_t threads) {
  const auto name = [&](const char* figure) { return with_threads(figure, threads); };
  return {
      {name("tokens_per_second"), "token/s",
       "of all texts together, median step to the logits; neither choosing a token nor the prompt is timed",
       Better::higher},
      {name("step_seconds"), "s", "a token of every text, median", Better::lower},
      {name("read_rate"), "byte/s", "memory read by the same threads before and after the steps, median",
       Better::neither},
      {name("read_share"), "1", "bytes of weights and live states a step needs, over time and read rate",
       Better::higher},
      {name("product_rate"), "FLOP/s", "of products of square matrices, measured with the read rate",
       Better::neither},
      {name("least_seconds"), "s",
       "least time of a step: weights and then caches, each read or multiplied at these rates",
       Better::neither},
      {name("bound_share"), "1", "the least time of a step over its time", Better::higher},
      {name("prompt_seconds"), "s", "one text read to the depth from which all go on", Better::lower},
      {name("prompt_tokens_per_second"), "token/s", "of that one text", Better::higher},
      {name("last_tenth"), "1", "median step of the last tenth of the tokens over that of the first",
       Better::lower},
      {name("tensor_growth"), "byte", "held by tensors after the last token more than after the first",
       Better::lower}};
}

/// Whatever the number of threads.
std::vector<Headline> decode_headlines_of_all() {
  return {{"batch", "1", "texts side by side: batch_size, or as many as memory_budget holds", Better::higher},
          {"cache_bytes", "byte", "allocated by the caches of all texts and layers", Better::lower},
          {"text_cache_bytes", "byte", "allocated by the caches of one text", Better::lower},
          {"weight_bytes", "byte", "weights that a step reads", Better::neither},
          {"resident_peak", "byte",
           "pages of opening the model, reading and decoding (CUDA: bytes of the device reserved), most at a "
           "time beyond those of before; the measurement of the read rate left out",
           Better::lower}};
}

}  // namespace

StepWeights step_weights(const Decoder& decoder) {
  const DecoderOptions& o = decoder->options();
  StepWeights all{.query_group = o.heads / o.kv_heads};
  const auto is_read = [&](const std::string& name) {
    if (name == "model.embed_tokens.weight") return o.tied_embeddings;
    return !name.starts_with("model.luna_state.") && !name.ends_with(".pack_query.weight");  // once a text
  };
  for (const auto& p : decoder->named_parameters())
    if (is_read(p.key())) {
      all.bytes += static_cast<int64_t>(p.value().nbytes());
      all.numbers += p.value().numel();
    }
  return all;
}

double least_step_seconds(const StepWeights& weights, const Decoded& all, int64_t number_bytes) {
  const auto phase = [&](double bytes, double products) {
    return std::max(bytes / all.read_rate, 2 * products / all.product_rate);
  };
  const auto cached = static_cast<double>(all.cache_bytes());
  return phase(static_cast<double>(weights.bytes), static_cast<double>(weights.numbers * all.batch)) +
         phase(cached, cached / static_cast<double>(number_bytes) * static_cast<double>(weights.query_group));
}

std::vector<Headline> decode_headlines(const std::vector<int64_t>& thread_counts) {
  std::vector<Headline> all;
  for (const int64_t threads : thread_counts)
    for (const Headline& h : decode_headlines_of(threads)) all.push_back(h);
  for (const Headline& h : decode_headlines_of_all()) all.push_back(h);
  return all;
}

Table decode_table() {
  return {"/decode",
          "steps of decoding, in the order in which they ran",
          {{"first", Type::integer, "token", "timed tokens of each text before this row"},
           {"tokens", Type::integer, "token", "of each text in this row"},
           {"threads", Type::integer, "1", "threads on the CPU"},
           {"seconds", Type::real, "s", "time of the row's steps"},
           {"cache_bytes", Type::integer, "byte", "allocated by the caches of all texts and layers"},
           {"tensor_bytes", Type::integer, "byte", "held by tensors on the device after the row"},
           {"resident_bytes", Type::integer, "byte", "pages of the process after the row"}}};
}

void write_decoded(const Decoded& all, int64_t threads, RecordSink& record) {
  for (const DecodeInterval& i : all.intervals) {
    const Value row[] = {i.first, i.tokens, threads, i.seconds, i.cache_bytes, i.tensors, i.resident};
    record.append("/decode", row);
  }
}

void summarise_decoded(const Decoded& all, const StepWeights& weights, int64_t number_bytes, int64_t threads,
                       RecordSink& record) {
  const std::size_t n = all.intervals.size(), tenth = std::max<std::size_t>(1, n / 10);
  const double seconds = step_seconds(all.intervals, 0, n);
  const double least = least_step_seconds(weights, all, number_bytes);
  const double bytes = static_cast<double>(weights.bytes + all.cache_bytes());
  const double growth = static_cast<double>(all.intervals.back().tensors - all.intervals.front().tensors);
  const double values[] = {static_cast<double>(all.batch) / seconds,
                           seconds,
                           all.read_rate,
                           share_of_rate("memory", bytes / seconds / all.read_rate),
                           all.product_rate,
                           least,
                           share_of_rate("bound", least / seconds),
                           all.prompt_seconds,
                           static_cast<double>(all.prompt_tokens) / all.prompt_seconds,
                           step_seconds(all.intervals, n - tenth, n) / step_seconds(all.intervals, 0, tenth),
                           growth};
  summarise_all(record, decode_headlines_of(threads), values, static_cast<int64_t>(n));
  summarise_quartiles(with_threads("step_seconds", threads), "s", steps_of(all.intervals, 0, n), record,
                      "timed steps");
  log_info(
      "{} thread(s), batch {}, after {} tokens: {:.1f} tokens/s, {:.2f} ms a step, {:.0f} % of the read rate "
      "of {:.1f} GB/s, {:.0f} % of the bound; caches hold {:.1f} MiB",
      at::get_num_threads(), all.batch, all.prompt_tokens, values[0], 1e3 * seconds, 100 * values[3],
      all.read_rate / 1e9, 100 * values[6], static_cast<double>(all.cache_bytes()) / (1 << 20));
}

void summarise_memory(const Decoded& all, const StepWeights& weights, RecordSink& record) {
  const double values[] = {static_cast<double>(all.batch), static_cast<double>(all.cache_bytes()),
                           static_cast<double>(all.cache_bytes()) / static_cast<double>(all.batch),
                           static_cast<double>(weights.bytes), static_cast<double>(all.resident_peak)};
  summarise_all(record, decode_headlines_of_all(), values, 1);
}

}  // namespace attnlab
