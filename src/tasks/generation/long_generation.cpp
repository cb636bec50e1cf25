#include "tasks/generation/long_generation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/log.h"
#include "core/random.h"
#include "core/stop.h"
#include "metrics/repetition.h"
#include "metrics/statistics.h"
#include "models/generate.h"
#include "tasks/generation/column_means.h"
#include "tasks/generation/prompts.h"
#include "tasks/inputs.h"
#include "tasks/language/chunk_scorer.h"
#include "tasks/layer_sizes.h"
#include "tasks/progress_file.h"

namespace attnlab {
namespace {

using Better = Summary::Better;
using Type = Column::Type;
using nlohmann::json;

constexpr int64_t longest_ngram = 4;  // of distinct-n; seq-rep-4 is over tokens
constexpr int64_t scored_at_once = 2048;
constexpr std::size_t nll_column = 2;  // of a description

/// What a text is described by, in the order of `descriptions`; NaN where a text is too short for one.
using Description = std::vector<double>;

/// Columns of /texts, and figures as their means.
std::vector<Headline> descriptions() {
  std::vector<Headline> all = {
      {"new_tokens", "token", "length of a text", Better::neither},
      {"new_words", "1", "words between white space", Better::neither},
      {"full_model_nll", "nat",
       "negative log-likelihood a token of the text under the model with a full cache", Better::lower},
      {"repetition", "1", "seq-rep-4: 1 − different 4-grams of tokens over all (Welleck et al. 2020)",
       Better::lower}};
  for (int64_t n = 1; n <= longest_ngram; ++n)
    all.push_back({fmt::format("distinct_{}", n), "1",
                   fmt::format("different {}-grams of words over all (Li et al. 2016)", n), Better::higher});
  return all;
}

Headline full_model_perplexity() {
  return {
      "full_model_perplexity", "1",
      "exponential of full_model_nll's mean: how likely the model itself finds the texts when it sees all "
      "of each",
      Better::lower};
}
Headline ended() { return {"ended", "1", "share of the texts that the model ended itself", Better::neither}; }
Headline speed() {
  return {"tokens_per_second", "token/s", "of all texts of a batch together, prompts left out",
          Better::higher};
}
Headline cache_size() {
  return {"cache_bytes", "byte",
          "keys, values and what the policy keeps beside them, as allocated at a text's end, the most",
          Better::lower};
}

/// A model with what its texts are made from.
struct Writer {
  HfModel model;
  Tokenizer tokenizer;
  std::vector<int64_t> prompt, protected_ids;
};

struct Progress {
  std::vector<Description> texts;
  int64_t ended = 0, cache_bytes = 0, timed_tokens = 0;
  double seconds = 0;

  int64_t next() const { return static_cast<int64_t>(texts.size()); }
  json to_json() const {
    return {{"texts", json_of_rows(texts)},
            {"ended", ended},
            {"cache_bytes", cache_bytes},
            {"timed_tokens", timed_tokens},
            {"seconds", seconds}};
  }
  static Progress from_json(const json& done) {
    Progress p;
    if (done.is_null()) return p;
    p.texts = rows_of_json(done.at("texts"));
    p.ended = done.at("ended");
    p.cache_bytes = done.at("cache_bytes");
    p.timed_tokens = done.at("timed_tokens");
    p.seconds = done.at("seconds");
    return p;
  }
};

Writer open_writer(const LongGenerationOptions& o, const RunContext& context) {
  Writer w;
  const auto folder = model_folder(o.model);
  const HfConfig config = read_hf_config(folder);
  check_layer_sizes(o.cache, config, folder);
  w.tokenizer = Tokenizer::open(tokenizer_place(o.tokenizer, folder));
  w.tokenizer.limit_to(config.decoder.vocabulary);
  PromptRule rule{.tokenizer = w.tokenizer, .chat = chat_of(o.chat, config, folder)};
  rule.with_bos = w.tokenizer.adds_bos().value_or(config.add_bos);
  rule.most_tokens = config.decoder.max_positions;
  rule.cut = Cut::refused;
  w.prompt = prompt_of(rule, "", {o.prompt, ""}, "prompt").ids;
  if (w.prompt.empty()) user_error("prompt is empty, and without BOS there is nothing to continue");
  const int64_t longest = static_cast<int64_t>(w.prompt.size()) + o.max_new_tokens;
  if (longest > config.decoder.max_positions && !o.past_training)
    user_error(
        "a prompt of {} tokens and {} more are longer than the {} positions of the model; past_training=true "
        "goes on",
        w.prompt.size(), o.max_new_tokens, config.decoder.max_positions);
  w.protected_ids = protected_ids(w.tokenizer, o.cache.protect);
  w.model = load_hf_folder(folder, {.type = type_of(o.precision), .device = context.device});
  log_info("{} texts from a prompt of {} tokens; {} parameters", o.texts, w.prompt.size(),
           parameter_count(config.decoder));
  return w;
}

/// Texts [first, first + count), each from its own random numbers, whatever else is in the batch.
Generated write_texts(const LongGenerationOptions& o, Writer& w, const RunContext& context, int64_t first,
                      int64_t count, Progress& progress) {
  const torch::TensorOptions activations = w.model.decoder->activations();
  const int64_t longest = static_cast<int64_t>(w.prompt.size()) + o.max_new_tokens;
  DecoderState states = make_states(o.cache.of_text(longest), state_shape(w.model.config.decoder),
                                    {.batch = count,
                                     .dtype = activations.dtype().toScalarType(),
                                     .device = activations.device(),
                                     .seed = derive_seed(context.seed, "policy"),
                                     .protected_ids = w.protected_ids,
                                     .record_expiry = false,
                                     .expected = longest});
  GenerateOptions options{.max_new_tokens = o.max_new_tokens, .sampling = o.sampling};
  if (!o.ignore_eos) options.eos_ids = w.model.config.eos_ids;
  options.surprisal = o.cache.policy->needs().surprisal;
  options.each_step = stop_here_if_requested;
  for (int64_t i = first; i < first + count; ++i)
    options.seeds.push_back(derive_seed(context.seed, "text", static_cast<uint64_t>(i)));
  const std::vector<std::vector<int64_t>> prompts(static_cast<std::size_t>(count), w.prompt);
  Generated made = generate(w.model.decoder, states, prompts, options);
  progress.cache_bytes = std::max(progress.cache_bytes, bytes_of(states) / count);
  progress.seconds += made.seconds;
  for (const Continuation& text : made.texts)  // the first token comes from the prompt
    progress.timed_tokens += static_cast<int64_t>(text.ids.size()) - 1;
  return made;
}

Description described(const Writer& w, ChunkScorer& scorer, const Continuation& made,
                      const std::string& text) {
  std::vector<int64_t> whole = w.prompt;
  whole.insert(whole.end(), made.ids.begin(), made.ids.end());
  const std::vector<double> nll = scorer.score(std::span(&whole, 1), false).chunks.front().nll;
  const auto own = static_cast<std::ptrdiff_t>(made.ids.size());
  const double sum = std::accumulate(nll.end() - own, nll.end(), 0.0);
  const std::vector<std::string> words = white_space_words(text);
  Description all{static_cast<double>(own), static_cast<double>(words.size()), sum / static_cast<double>(own),
                  1.0 - distinct(std::span<const int64_t>(made.ids), longest_ngram)};
  for (int64_t n = 1; n <= longest_ngram; ++n)
    all.push_back(distinct(std::span<const std::string>(words), n));
  return all;
}

void record_figures(const Progress& p, RecordSink& record) {
  summarise_means(descriptions(), p.texts, record);
  std::vector<double> nll;
  for (const Description& text : p.texts) nll.push_back(text[nll_column]);
  const Spread s = spread(nll);
  const double perplexity = std::exp(s.mean);
  record.summarise(summary_of(full_model_perplexity(), perplexity, s.n, perplexity * s.standard_error));
  const auto n = p.next();
  record.summarise(summary_of(ended(), static_cast<double>(p.ended) / static_cast<double>(n), n));
  record.summarise(summary_of(speed(), static_cast<double>(p.timed_tokens) / p.seconds, n));
  record.summarise(summary_of(cache_size(), static_cast<double>(p.cache_bytes), n));
}

}  // namespace

void LongGenerationOptions::visit(Fields& f) {
  visit_pretrained(f);
  f("prompt", prompt, OneOf{}, "what every text answers or continues; the paper's unless another is given");
  f("template", chat, chat_words(), "chat format that the prompt is put into; folder: the model's own");
  f("texts", texts, Range{1, 1e9}, "how many, each from a seed of its own");
  f("max_new_tokens", max_new_tokens, Range{2, 1 << 24}, "tokens of a text at most");
  f("ignore_eos", ignore_eos, "go on past the tokens that end a text, until max_new_tokens");
  f("sampling", sampling, "how the next token is chosen; temperature 0 writes the same text every time");
  f("past_training", past_training, "allow texts longer than the model's max_position_embeddings");
  f("cache", cache, "what each layer keeps of the tokens that it has read or written");
  f("batch_size", batch_size, Range{1, 65536}, no_effect("texts side by side"));
}

std::vector<Table> LongGenerationOptions::tables() const {
  Table texts{"/texts",
              "every text",
              {{"text", Type::integer, "1", "which, from 0: equal numbers have equal seeds in every run"},
               {"stopped_by", Type::text, "1", "eos or max_new_tokens"},
               {"generated", Type::text, "1", "the text"}}};
  for (const Headline& h : descriptions()) texts.columns.push_back({h.name, Type::real, h.unit, h.meaning});
  return {texts};
}

std::vector<Headline> LongGenerationOptions::headlines() const {
  std::vector<Headline> all = descriptions();
  all.insert(all.begin(), full_model_perplexity());
  for (const Headline& h : {ended(), speed(), cache_size()}) all.push_back(h);
  return all;
}

std::vector<Input> LongGenerationOptions::inputs(const RunContext&) const { return pretrained_inputs(*this); }

void LongGenerationOptions::run(const RunContext& context, RecordSink& record) const {
  refuse_init_from(context, "long_generation");
  const Checksums identity = checksums_of(inputs(context));
  const int64_t count = context.limit > 0 ? std::min(context.limit, texts) : texts;
  Writer writer = open_writer(*this, context);
  const ProgressFile file(context.folder / "checkpoint" / "texts.json", identity, {"/texts"});
  Progress progress = Progress::from_json(file.open(record));
  if (progress.next() > 0) log_info("{} texts are done already", progress.next());
  record_checksums(identity, record);
  ChunkScorer scorer(writer.model.decoder, CacheOptions(), {}, scored_at_once, 0);
  while (progress.next() < count) {
    const int64_t first = progress.next(), batch = std::min(batch_size, count - first);
    const Generated made = write_texts(*this, writer, context, first, batch, progress);
    for (int64_t i = 0; i < batch; ++i) {
      const Continuation& one = made.texts[static_cast<std::size_t>(i)];
      const std::string text = text_after(writer.tokenizer, writer.prompt, one.ids);
      const Description told = described(writer, scorer, one, text);
      std::vector<Value> row{first + i, std::string(name_of(one.stopped_by)), text};
      row.insert(row.end(), told.begin(), told.end());
      record.append("/texts", row);
      progress.texts.push_back(told);
      progress.ended += one.stopped_by == StoppedBy::eos ? 1 : 0;
    }
    file.save(progress.to_json(), record);
    log_progress(fmt::format("{} of {} texts, {:.1f} tokens/s", progress.next(), count,
                             static_cast<double>(progress.timed_tokens) / progress.seconds));
  }
  record_figures(progress, record);
  record.flush();
}

}  // namespace attnlab
