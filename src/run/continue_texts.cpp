#include "run/continue_texts.h"

#include <algorithm>
#include <istream>
#include <optional>
#include <ostream>
#include <string_view>
#include <utility>

#include "config/experiment.h"
#include "config/reader.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/plain_text.h"
#include "core/random.h"
#include "io/hf_folder.h"
#include "models/generate.h"
#include "run/device.h"
#include "tasks/model_folder.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

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
  c.tokenizer = Tokenizer::open(folder);
  c.tokenizer.check_vocabulary(config.decoder.vocabulary);
  c.protected_ids = protected_ids(c.tokenizer, c.options.cache.protect);
  c.with_bos = c.options.add_bos == AddBos::model ? c.tokenizer.adds_bos().value_or(config.add_bos)
                                                  : c.options.add_bos == AddBos::always;
  if (c.with_bos && !c.tokenizer.bos_id())
    user_error("{} has no BOS token, and texts were to begin with one; add_bos=false begins without",
               c.tokenizer.path());
  c.device = choose_device(c.options.device);
  set_threads(c.options.threads);
  const HfLoadOptions load{.type = type_for(c.options.precision, config.type, c.device), .device = c.device};
  c.model = load_hf_folder(folder, load);
  return c;
}

/// A line of input that can be continued.
struct TextPrompt {
  int64_t line = 0;  ///< from 1
  std::string text;
  std::vector<int64_t> ids;
};

/// Throws UserError where the line is none that can be continued.
TextPrompt encoded(const Continuer& c, int64_t line, const std::string& text) {
  refuse_wide_encoding(text, fmt::format("line {}", line));
  TextPrompt prompt{line, text, c.tokenizer.encode(text, c.with_bos)};
  const int64_t range = c.model.config.decoder.max_positions;
  if (prompt.ids.empty()) user_error("line {} is empty, and without BOS there is nothing to continue", line);
  if (!c.options.beyond_positions && static_cast<int64_t>(prompt.ids.size()) > range)
    user_error(
        "line {} has {} tokens, and the model is trained for {} positions; beyond_positions=true reads on",
        line, prompt.ids.size(), range);
  return prompt;
}

/// Lines of input that are answered together: their prompts, and in their order what is to be written. A line
/// that cannot be continued has its answer at once, the others get theirs from the model.
struct PromptBatch {
  std::vector<TextPrompt> prompts;
  std::vector<std::optional<ordered_json>> answers;
};

/// Reads lines and sorts them into those that can be continued and those that cannot.
class PromptReader {
 public:
  PromptReader(const Continuer& c, std::istream& in) : c_(c), lines_(in, "standard input") {}

  /// As many lines as hold a batch of prompts, fewer at the end; where the first is none that can be
  /// continued, it alone, so that nobody waits for its answer. No answers: the end.
  PromptBatch next() {
    PromptBatch batch;
    std::string text;
    while (static_cast<int64_t>(batch.prompts.size()) < c_.options.batch && lines_.next(text)) {
      try {
        batch.prompts.push_back(encoded(c_, lines_.number(), text));
        batch.answers.emplace_back();
        stray_.look_at(text, fmt::format("line {}", lines_.number()));
      } catch (const UserError& e) {
        ++refused_;
        batch.answers.emplace_back(ordered_json{{"prompt", text}, {"error", e.what()}});
        if (batch.prompts.empty()) break;
      }
    }
    return batch;
  }

  int64_t refused() const { return refused_; }
  const StrayBytes& stray() const { return stray_; }

 private:
  const Continuer& c_;
  TextLines lines_;
  StrayBytes stray_;
  int64_t refused_ = 0;
};

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

ordered_json line_of(const Continuer& c, const TextPrompt& prompt, const Continuation& made) {
  return {{"prompt", prompt.text},
          {"text", text_after(c.tokenizer, prompt.ids, made.ids)},
          {"ids", made.ids},
          {"prompt_tokens", prompt.ids.size()},
          {"new_tokens", made.ids.size()},
          {"stopped_by", name_of(made.stopped_by)}};
}

/// What the whole batch shares.
void add_batch_figures(ordered_json& line, const Continuer& c, const Generated& all,
                       const DecoderState& states) {
  int64_t tokens = 0;  // each text's first comes from its prompt
  for (const Continuation& text : all.texts) tokens += static_cast<int64_t>(text.ids.size()) - 1;
  line["batch"] = all.texts.size();
  line["prompt_seconds"] = all.prompt_seconds;
  line["seconds"] = all.seconds;
  line["tokens_per_second"] = tokens > 0 ? ordered_json(static_cast<double>(tokens) / all.seconds) : nullptr;
  line["policy"] = c.options.cache.policy.name();
  line["size"] = c.options.cache.policy->unbounded() ? ordered_json() : ordered_json(c.options.cache.size);
  line["cache_bytes"] = bytes_of(states);
}

/// A line for each prompt.
std::vector<ordered_json> continued(Continuer& c, const std::vector<TextPrompt>& prompts) {
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
  std::vector<ordered_json> lines;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    lines.push_back(line_of(c, prompts[i], all.texts[i]));
    add_batch_figures(lines.back(), c, all, states);
  }
  return lines;
}

void answer_batch(Continuer& c, const PromptBatch& batch, std::ostream& out) {
  std::vector<ordered_json> made;
  if (!batch.prompts.empty()) made = continued(c, batch.prompts);
  auto next = made.begin();
  for (const auto& answer : batch.answers) out << json_text(answer ? *answer : *next++) << '\n';
  out.flush();
}

}  // namespace

void ContinueOptions::visit(Fields& f) {
  f("max_new_tokens", max_new_tokens, Range{1, 1 << 24}, "tokens to add at most");
  sampling.visit(f);
  f("seed", seed, Range{0, 9e15}, "of the random numbers, which differ from line to line");
  f("batch", batch, Range{1, 65536}, "lines to continue together");
  f("add_bos", add_bos, {{"model", AddBos::model}, {"true", AddBos::always}, {"false", AddBos::never}},
    "whether a text begins with BOS; model: as its tokenizer_config.json says, or its tokenizer.json");
  f("beyond_positions", beyond_positions, "go on past the positions that the model is trained for");
  f("precision", precision, OneOf{{"auto", "fp32", "bf16"}},
    "type of the weights and activations; auto: as they are stored");
  f("device", device, OneOf{{"auto", "cpu", "cuda"}}, "where to compute");
  f("threads", threads, Range{0, 4096}, "threads of the CPU; 0: all cores");
  f("cache", cache, "what the decoder's layers remember");
}

int64_t continue_texts(const fs::path& folder, const std::vector<std::string>& overrides, std::istream& in,
                       std::ostream& out) {
  Continuer c = prepare(folder, overrides);
  PromptReader reader(c, in);
  for (PromptBatch batch = reader.next(); !batch.answers.empty(); batch = reader.next())
    answer_batch(c, batch, out);
  reader.stray().tell("lines", as_replacement);
  return reader.refused();
}

}  // namespace attnlab
