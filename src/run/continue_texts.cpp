#include "run/continue_texts.h"

#include <algorithm>
#include <array>
#include <istream>
#include <optional>
#include <ostream>
#include <string_view>
#include <utility>

#include "config/experiment.h"
#include "config/reader.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/output.h"
#include "core/random.h"
#include "io/hf_folder.h"
#include "io/state_file.h"
#include "models/generate.h"
#include "run/device.h"
#include "run/prompts.h"
#include "tasks/model_folder.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

torch::ScalarType type_for(const std::string& precision, torch::ScalarType stored) {
  if (precision == "fp32") return torch::kFloat;
  if (precision == "bf16") return torch::kBFloat16;
  return stored;
}

/// A model with its tokenizer, ready to continue texts.
struct Continuer {
  ContinueOptions options;
  torch::Device device = torch::kCPU;
  HfModel model;
  Tokenizer tokenizer;
  PromptRules rules;
  std::vector<int64_t> protected_ids;
  StoredText before;    ///< what all lines go on from; no ids where nothing was loaded
  DecoderState states;  ///< of it
  int64_t refused = 0;  ///< lines that the reader let through and the cache did not
};

/// The formats to choose from; none stands for the folder's own.
std::vector<std::pair<std::string, ChatFormat>> chat_choices() {
  std::vector<std::pair<std::string, ChatFormat>> choices{{"folder", ChatFormat::none}};
  choices.insert(choices.end(), chat_formats.begin(), chat_formats.end());
  return choices;
}

DecoderState new_states(const Continuer& c, const CacheOptions& cache, int64_t batch) {
  return make_states(cache, state_shape(c.model.config.decoder),
                     {.batch = batch,
                      .dtype = c.model.decoder->activations().dtype().toScalarType(),
                      .device = c.device,
                      .seed = static_cast<uint64_t>(c.options.seed),
                      .protected_ids = c.protected_ids,
                      .record_expiry = c.options.with_kept});
}

/// What was read before, and the checksum of the model, which says whether it is the one that reads on.
void open_state(Continuer& c, const fs::path& folder) {
  const std::string &load = c.options.load_state, &save = c.options.save_state;
  if (load.empty() && save.empty()) return;
  if (!c.options.cache.policy->unbounded())
    user_error("save_state and load_state keep what cache.policy=full remembers, and not yet what {} does",
               c.options.cache.policy.name());
  c.before.model = checksum_of_model(folder);
  if (load.empty()) return;
  c.states = new_states(c, c.options.cache, 1);
  c.before = load_state_file(load, c.before.model, c.states);
  c.rules.before = static_cast<int64_t>(c.before.ids.size());
  c.rules.with_bos = false;
}

void prepare(Continuer& c, const fs::path& folder, const std::vector<std::string>& overrides) {
  c.options = read_options<ContinueOptions>(with_overrides({}, overrides));
  const HfConfig config = read_hf_config(folder);
  c.tokenizer = Tokenizer::open(tokenizer_place(c.options.tokenizer, folder));
  c.tokenizer.limit_to(config.decoder.vocabulary);
  c.protected_ids = protected_ids(c.tokenizer, c.options.cache.protect);
  const AddBos add = c.options.add_bos;
  c.rules.tokenizer = &c.tokenizer;
  c.rules.chat = chat_of(c.options.chat, config, folder);
  c.rules.with_bos =
      add == AddBos::model ? c.tokenizer.adds_bos().value_or(config.add_bos) : add == AddBos::always;
  c.rules.special = c.options.special;
  c.rules.vocabulary = config.decoder.vocabulary;
  c.rules.most_tokens = c.options.beyond_positions ? 0 : config.decoder.max_positions;
  if (c.rules.with_bos && !c.tokenizer.bos_id())
    user_error("{} has no BOS token, and texts were to begin with one; add_bos=false begins without",
               c.tokenizer.path());
  c.device = choose_device(c.options.device);
  set_threads(c.options.threads);
  const HfLoadOptions load{.type = type_for(c.options.precision, config.type), .device = c.device};
  check_cache(c.options.cache, state_shape(config.decoder));
  c.model = load_hf_folder(folder, load);
  open_state(c, folder);
}

/// Ids that the loaded states have read.
int64_t read_before(const Continuer& c) {
  return c.before.ids.empty() ? 0 : static_cast<int64_t>(c.before.ids.size()) - 1;
}

GenerateOptions generate_options(const Continuer& c, const std::vector<TextPrompt>& prompts) {
  GenerateOptions g;
  g.max_new_tokens = c.options.max_new_tokens;
  g.read = read_before(c);
  g.sampling = c.options.sampling;
  if (!c.options.ignore_eos) g.eos_ids = c.model.config.eos_ids;
  g.last_position = c.options.beyond_positions ? -1 : c.model.config.decoder.max_positions - 1;
  g.surprisal = c.options.cache.policy->needs().surprisal;
  for (const TextPrompt& prompt : prompts)
    g.seeds.push_back(
        derive_seed(static_cast<uint64_t>(c.options.seed), "sampling", static_cast<uint64_t>(prompt.line)));
  return g;
}

/// The ids before a prompt, and its own.
std::vector<int64_t> whole(const Continuer& c, const TextPrompt& prompt) {
  std::vector<int64_t> ids = c.before.ids;
  ids.insert(ids.end(), prompt.ids.begin(), prompt.ids.end());
  return ids;
}

ordered_json line_of(const Continuer& c, const TextPrompt& prompt, const Continuation& made) {
  ordered_json line;
  if (!prompt.id.is_null()) line["id"] = prompt.id;
  line["prompt"] = prompt.text;
  line["text"] = text_after(c.tokenizer, whole(c, prompt), made.ids);
  line["ids"] = made.ids;
  line["prompt_tokens"] = prompt.ids.size();
  if (!c.states.empty()) line["read_before"] = c.before.ids.size();
  if (c.options.with_prompt_ids) line["prompt_ids"] = prompt.ids;
  line["new_tokens"] = made.ids.size();
  line["stopped_by"] = name_of(made.stopped_by);
  return line;
}

/// Positions of the tokens that are still kept, a list for each layer and in it one for each group of heads
/// that decides by itself; null of a layer that keeps all. A prompt in a batch is padded on the left to
/// `longest`.
ordered_json kept_positions(const DecoderState& states, int64_t sequence, int64_t padding) {
  ordered_json layers = ordered_json::array();
  for (const auto& state : states) {
    const torch::Tensor expiry = state->expiry();
    ordered_json groups;
    for (int64_t g = 0; expiry.defined() && g < expiry.size(1); ++g) {
      const torch::Tensor row = expiry[sequence][g].contiguous();
      ordered_json positions = ordered_json::array();
      for (int64_t t = padding; t < row.size(0); ++t)
        if (row.const_data_ptr<int64_t>()[t] == -1) positions.push_back(t - padding);
      groups.push_back(std::move(positions));
    }
    layers.push_back(std::move(groups));
  }
  return layers;
}

/// What the whole batch shares.
void add_batch_figures(ordered_json& line, const Generated& all, const CacheOptions& cache,
                       const DecoderState& states) {
  int64_t tokens = 0;  // each text's first comes from its prompt
  for (const Continuation& text : all.texts) tokens += static_cast<int64_t>(text.ids.size()) - 1;
  line["batch"] = all.texts.size();
  line["prompt_seconds"] = all.prompt_seconds;
  line["seconds"] = all.seconds;
  line["tokens_per_second"] = tokens > 0 ? ordered_json(static_cast<double>(tokens) / all.seconds) : nullptr;
  line["policy"] = cache.policy.name();
  line["size"] = cache.policy->unbounded() ? ordered_json() : ordered_json(cache.size);
  line["cache_bytes"] = bytes_of(states);
}

/// Of so many texts that have read what was loaded, or nothing.
DecoderState first_states(const Continuer& c, const CacheOptions& cache, int64_t batch) {
  if (c.states.empty()) return new_states(c, cache, batch);
  return copy_of(c.states, torch::zeros({batch}, torch::kLong));
}

/// Reads all of a text but its last id, and writes the states. Returns how many ids they have read.
int64_t keep_state(Continuer& c, const std::vector<int64_t>& ids, DecoderState& states) {
  const int64_t read = static_cast<int64_t>(ids.size()) - 1;
  read_ahead(c.model.decoder, states, {ids.begin(), ids.end() - 1}, read_before(c));
  save_state_file(c.options.save_state, states, {ids, c.before.model});
  return read;
}

/// A line for each prompt, whose caches are alike.
std::vector<ordered_json> continued(Continuer& c, const CacheOptions& cache,
                                    const std::vector<TextPrompt>& prompts) {
  DecoderState states = first_states(c, cache, static_cast<int64_t>(prompts.size()));
  std::vector<std::vector<int64_t>> ids;
  std::size_t longest = 0;
  for (const TextPrompt& prompt : prompts) {
    ids.push_back(whole(c, prompt));
    longest = std::max(longest, prompt.ids.size());
  }
  GenerateOptions options = generate_options(c, prompts);
  if (!c.options.save_state.empty()) options.read = keep_state(c, ids.front(), states);
  const Generated all = generate(c.model.decoder, states, ids, options);
  std::vector<ordered_json> lines;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    lines.push_back(line_of(c, prompts[i], all.texts[i]));
    add_batch_figures(lines.back(), all, cache, states);
    const auto padding = static_cast<int64_t>(longest - prompts[i].ids.size());
    if (c.options.with_kept) lines.back()["kept"] = kept_positions(states, static_cast<int64_t>(i), padding);
  }
  return lines;
}

/// A share of each prompt is a cache of its own size: such prompts go through the model one by one.
std::vector<ordered_json> continued(Continuer& c, const std::vector<TextPrompt>& prompts) {
  const CacheOptions& cache = c.options.cache;
  if (cache.share.empty())
    return prompts.empty() ? std::vector<ordered_json>{} : continued(c, cache, prompts);
  std::vector<ordered_json> lines;
  for (const TextPrompt& prompt : prompts) {
    const auto tokens = static_cast<int64_t>(prompt.ids.size());
    lines.push_back(continued(c, cache.of_text(tokens), {prompt}).front());
  }
  return lines;
}

/// A line for each prompt. What one asks of the cache (a share of its own length, more protected tokens than
/// there is room for) and cannot have stops no other: they are continued one by one then.
std::vector<ordered_json> answered(Continuer& c, const std::vector<TextPrompt>& prompts) {
  try {
    return continued(c, prompts);
  } catch (const UserError& wrong) {
    if (!c.options.save_state.empty()) throw;
    if (prompts.size() == 1) {
      ++c.refused;
      return {refusal(prompts.front().source, wrong.what())};
    }
  }
  std::vector<ordered_json> lines;
  for (const TextPrompt& prompt : prompts) lines.push_back(answered(c, {prompt}).front());
  return lines;
}

void answer_batch(Continuer& c, const PromptBatch& batch, std::ostream& out) {
  const std::vector<ordered_json> made = answered(c, batch.prompts);
  auto next = made.begin();
  for (const auto& answer : batch.answers) out << json_text(answer ? *answer : *next++) << '\n';
  flush_output(out);
}

}  // namespace

void ContinueOptions::visit(Fields& f) {
  f("max_new_tokens", max_new_tokens, Range{1, 1 << 24}, "tokens to add at most");
  sampling.visit(f);
  f("seed", seed, Range{0, 9e15}, "of the random numbers, which differ from line to line");
  f("batch", batch, Range{1, 65536}, "lines to continue together");
  f("add_bos", add_bos, {{"model", AddBos::model}, {"true", AddBos::always}, {"false", AddBos::never}},
    "whether a text begins with BOS; model: as its tokenizer_config.json says, or its tokenizer.json");
  f("ignore_eos", ignore_eos, "go on past the tokens that end a text, until max_new_tokens");
  f("tokenizer", tokenizer, OneOf{}, "tokenizer's file; empty: the one in the model's folder");
  f("special", special, {{"tokens", SpecialTokens::as_tokens}, {"text", SpecialTokens::as_text}},
    "what a special token that is written out in a prompt is read as");
  f("template", chat, chat_choices(),
    "the chat format that {\"messages\": …} are written in; folder: the one that its chat template has the "
    "markers of");
  f("with_prompt_ids", with_prompt_ids, "the prompt's token ids in the answer");
  f("with_kept", with_kept, "in the answer the positions that each layer still keeps at the end");
  f("save_state", save_state, OneOf{},
    "a safetensors file to write what the layers remember of the one line of input, to go on from later");
  f("load_state", load_state, OneOf{},
    "such a file: every line, which may be empty, goes on from the text in it");
  f("beyond_positions", beyond_positions, "go on past the positions that the model is trained for");
  f("precision", precision, OneOf{{"auto", "fp32", "bf16"}},
    "type of the weights and activations; auto: as they are stored");
  f("device", device, OneOf{{"auto", "cpu", "cuda"}}, "where to compute");
  f("threads", threads, Range{0, 4096}, "threads of the CPU; 0: all cores");
  f("cache", cache, "what the decoder's layers remember");
}

int64_t continue_texts(const fs::path& folder, const std::vector<std::string>& overrides, std::istream& in,
                       std::ostream& out) {
  Continuer c;
  prepare(c, folder, overrides);
  const bool saves = !c.options.save_state.empty();
  PromptReader reader(c.rules, saves ? 1 : c.options.batch, in);
  for (PromptBatch batch = reader.next(); !batch.answers.empty(); batch = reader.next()) {
    answer_batch(c, batch, out);
    if (saves && !reader.next().answers.empty())
      user_error("save_state keeps the state of one text, and there is a second line, which was not read");
  }
  reader.stray().tell("lines", as_replacement);
  return reader.refused() + c.refused;
}

}  // namespace attnlab
