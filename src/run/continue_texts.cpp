#include "run/continue_texts.h"

#include <algorithm>
#include <istream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string_view>
#include <utility>

#include "config/experiment.h"
#include "config/reader.h"
#include "core/error.h"
#include "core/random.h"
#include "io/hf_folder.h"
#include "models/generate.h"
#include "run/device.h"
#include "tasks/model_folder.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

torch::ScalarType type_for(const std::string& precision, torch::ScalarType stored, torch::Device device) {
  if (precision == "fp32") return torch::kFloat;
  if (precision == "bf16") return torch::kBFloat16;
  // CPUs compute in fp16 through conversions at best, and few of its operators exist.
  return stored == torch::kHalf && device.is_cpu() ? torch::kFloat : stored;
}

/// A model with its tokenizer, ready to continue texts.
struct Continuer {
  ContinueOptions options;
  torch::Device device = torch::kCPU;
  HfModel model;
  Tokenizer tokenizer;
  bool with_bos = true;
  std::vector<int64_t> protected_ids;
};

Continuer prepare(const fs::path& folder, const std::vector<std::string>& overrides) {
  Continuer c;
  c.options = read_options<ContinueOptions>(with_overrides({}, overrides));
  const HfConfig config = read_hf_config(folder);
  c.tokenizer = Tokenizer::open(folder / "tokenizer.model");
  c.tokenizer.check_vocabulary(config.decoder.vocabulary);
  c.protected_ids = protected_ids(c.tokenizer, c.options.cache.protect);
  c.with_bos = c.options.add_bos == AddBos::model ? config.add_bos : c.options.add_bos == AddBos::always;
  c.device = choose_device(c.options.device);
  set_threads(c.options.threads);
  const HfLoadOptions load{.type = type_for(c.options.precision, config.type, c.device), .device = c.device};
  c.model = load_hf_folder(folder, load);
  return c;
}

/// A line of input.
struct TextPrompt {
  int64_t line = 0;  ///< from 1
  std::string text;
  std::vector<int64_t> ids;
};

TextPrompt encoded(const Continuer& c, int64_t line, std::string text) {
  TextPrompt prompt{line, std::move(text), {}};
  prompt.ids = c.tokenizer.encode(prompt.text, c.with_bos);
  const int64_t range = c.model.config.decoder.max_positions;
  if (prompt.ids.empty()) user_error("line {} is empty, and without BOS there is nothing to continue", line);
  if (!c.options.beyond_positions && static_cast<int64_t>(prompt.ids.size()) > range)
    user_error(
        "line {} has {} tokens, and the model is trained for {} positions; beyond_positions=true reads on",
        line, prompt.ids.size(), range);
  return prompt;
}

/// The next `count` lines, fewer at the end.
std::vector<TextPrompt> next_prompts(const Continuer& c, std::istream& in, int64_t& line, int64_t count) {
  std::vector<TextPrompt> prompts;
  std::string text;
  while (static_cast<int64_t>(prompts.size()) < count && std::getline(in, text))
    prompts.push_back(encoded(c, ++line, std::move(text)));
  return prompts;
}

GenerateOptions generate_options(const Continuer& c, const std::vector<TextPrompt>& prompts) {
  GenerateOptions g;
  g.max_new_tokens = c.options.max_new_tokens;
  g.sampling = c.options.sampling;
  g.eos_ids = c.model.config.eos_ids;
  g.last_position = c.options.beyond_positions ? -1 : c.model.config.decoder.max_positions - 1;
  g.surprisal = c.options.cache.policy->needs().surprisal;
  for (const TextPrompt& prompt : prompts)
    g.seeds.push_back(
        derive_seed(static_cast<uint64_t>(c.options.seed), "sampling", static_cast<uint64_t>(prompt.line)));
  return g;
}

std::string text_after(const Tokenizer& tokenizer, const std::vector<int64_t>& prompt,
                       const std::vector<int64_t>& ids) {
  TextStream stream(tokenizer, prompt);
  std::string text;
  for (const int64_t id : ids)
    if (id < tokenizer.size()) text += stream.push(id);  // a padded table has ids that are no pieces
  return text + stream.finish();
}

nlohmann::ordered_json line_of(const Continuer& c, const TextPrompt& prompt, const Continuation& made) {
  return {{"prompt", prompt.text},
          {"text", text_after(c.tokenizer, prompt.ids, made.ids)},
          {"ids", made.ids},
          {"prompt_tokens", prompt.ids.size()},
          {"new_tokens", made.ids.size()},
          {"stopped_by", name_of(made.stopped_by)}};
}

/// What the whole batch shares.
void add_batch_figures(nlohmann::ordered_json& line, const Continuer& c, const Generated& all,
                       const DecoderState& states) {
  int64_t tokens = 0;  // each text's first comes from its prompt
  for (const Continuation& text : all.texts) tokens += static_cast<int64_t>(text.ids.size()) - 1;
  line["batch"] = all.texts.size();
  line["prompt_seconds"] = all.prompt_seconds;
  line["seconds"] = all.seconds;
  line["tokens_per_second"] =
      tokens > 0 ? nlohmann::ordered_json(static_cast<double>(tokens) / all.seconds) : nullptr;
  line["policy"] = c.options.cache.policy.name();
  line["size"] = c.options.cache.policy->unbounded() ? nlohmann::ordered_json()
                                                     : nlohmann::ordered_json(c.options.cache.size);
  line["cache_bytes"] = bytes_of(states);
}

void continue_batch(Continuer& c, const std::vector<TextPrompt>& prompts, std::ostream& out) {
  const torch::ScalarType type = c.model.decoder->tensors().dtype().toScalarType();
  DecoderState states = make_states(c.options.cache, state_shape(c.model.config.decoder),
                                    {.batch = static_cast<int64_t>(prompts.size()),
                                     .dtype = type,
                                     .device = c.device,
                                     .seed = static_cast<uint64_t>(c.options.seed),
                                     .protected_ids = c.protected_ids,
                                     .record_expiry = false});
  std::vector<std::vector<int64_t>> ids;
  for (const TextPrompt& prompt : prompts) ids.push_back(prompt.ids);
  const Generated all = generate(c.model.decoder, states, ids, generate_options(c, prompts));
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    nlohmann::ordered_json line = line_of(c, prompts[i], all.texts[i]);
    add_batch_figures(line, c, all, states);
    out << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  }
  out.flush();
}

}  // namespace

void ContinueOptions::visit(Fields& f) {
  f("max_new_tokens", max_new_tokens, Range{1, 1 << 24}, "tokens to add at most");
  sampling.visit(f);
  f("seed", seed, Range{0, 9e15}, "of the random numbers, which differ from line to line");
  f("batch", batch, Range{1, 65536}, "lines to continue together");
  f("add_bos", add_bos, {{"model", AddBos::model}, {"true", AddBos::always}, {"false", AddBos::never}},
    "whether a text begins with BOS; model: as its tokenizer_config.json says");
  f("beyond_positions", beyond_positions, "go on past the positions that the model is trained for");
  f("precision", precision, OneOf{{"auto", "fp32", "bf16"}},
    "type of the weights and activations; auto: as they are stored");
  f("device", device, OneOf{{"auto", "cpu", "cuda"}}, "where to compute");
  f("threads", threads, Range{0, 4096}, "threads of the CPU; 0: all cores");
  f("cache", cache, "what the decoder's layers remember");
}

void continue_texts(const fs::path& folder, const std::vector<std::string>& overrides, std::istream& in,
                    std::ostream& out) {
  Continuer c = prepare(folder, overrides);
  int64_t line = 0;
  for (auto prompts = next_prompts(c, in, line, c.options.batch); !prompts.empty();
       prompts = next_prompts(c, in, line, c.options.batch))
    continue_batch(c, prompts, out);
}

}  // namespace attnlab
