#include "tasks/language/perplexity_kept.h"

#include <cmath>

#include "data/token_kinds.h"
#include "tasks/task.h"

namespace attnlab {
namespace {

using Better = Summary::Better;
using Type = Column::Type;

constexpr const char* kLife =
    "steps in which a token was attended to, its own counted, and until the chunk's end where it was kept";

Headline kept_headline(const char* name, const char* unit, std::string meaning) {
  return {name, unit, std::move(meaning), Better::neither};
}

struct ClassFigure {
  TokenKind kind;
  const char* name;
  const char* meaning;  ///< "life of …"
};

/// A figure for every class that has a text; the paper's four first.
constexpr ClassFigure class_figures[] = {
    {TokenKind::period, "life_period", "a period"},
    {TokenKind::newline, "life_newline", "a line's end"},
    {TokenKind::possessive, "life_possessive", "'s"},
    {TokenKind::closing_quote, "life_closing_quote", "a closing quotation mark"},
    {TokenKind::opening_quote, "life_opening_quote", "an opening quotation mark"},
    {TokenKind::comma, "life_comma", "a comma"},
    {TokenKind::dollar, "life_dollar", "$"},
    {TokenKind::closing_bracket, "life_closing_bracket", "a closing bracket"},
    {TokenKind::opening_bracket, "life_opening_bracket", "an opening bracket"},
    {TokenKind::punctuation, "life_punctuation", "other punctuation"},
    {TokenKind::digits, "life_digits", "numerals"},
    {TokenKind::capitalised, "life_capitalised", "what begins with a capital letter"},
    {TokenKind::other, "life_other", "all other words and their pieces"}};

/// In the order of kept_headlines().
std::vector<KeptFigure> figures_of(std::span<const KeptChunk> chunks) {
  std::vector<KeptFigure> figures{mean_life(chunks), recent_share(chunks), first_life(chunks),
                                  first_life_share(chunks)};
  for (const ClassFigure& of_class : class_figures)
    figures.push_back(class_life(chunks, static_cast<std::size_t>(of_class.kind)));
  figures.push_back(censored_share(chunks));
  return figures;
}

void record_layers(std::span<const KeptChunk> chunks, RecordSink& record) {
  const auto tokens = static_cast<double>(tokens_of(chunks)), n = static_cast<double>(chunks.size());
  record.truncate("/kept/layers", 0);
  for (const KeptLayer& layer : sum_of_layers(chunks)) {
    const Value row[] = {layer.layer, layer.life / tokens, layer.recent / layer.steps, layer.first_life / n,
                         layer.censored / tokens};
    record.append("/kept/layers", row);
  }
}

void record_class(std::string_view name, int64_t tokens, const KeptFigure& life, RecordSink& record) {
  const Value row[] = {std::string(name), tokens, life.value, life.standard_error};
  record.append("/kept/classes", row);
}

void record_classes(std::span<const KeptChunk> chunks, RecordSink& record) {
  record.truncate("/kept/classes", 0);
  record_class("all", tokens_of(chunks), mean_life(chunks), record);
  for (std::size_t i = 0; i < token_kind_names.size(); ++i)
    if (const int64_t tokens = tokens_of_class(chunks, i); tokens > 0)
      record_class(token_kind_names[i], tokens, class_life(chunks, i), record);
}

}  // namespace

std::vector<Table> kept_tables() {
  return {
      {"/kept/layers",
       "how long each layer kept tokens, over the chunks with recorded expiry",
       {{"layer", Type::integer, "1", "from 0; layers that keep all tokens are left out"},
        {"mean_life", Type::real, "step", kLife},
        {"recent_share", Type::real, "1",
         "of the n states live after a step the share among the n most recent tokens, mean over the steps "
         "after which anything had been dropped"},
        {"first_token_life", Type::real, "step",
         "of a chunk's first token, BOS where it has one, mean over the chunks"},
        {"censored_share", Type::real, "1", "share of the tokens that were kept to the chunk's end"}}},
      {"/kept/classes",
       "how long tokens of each class were kept, mean over layers, over the chunks with recorded expiry",
       {{"class", Type::text, "1", "by the token's text (src/data/token_kinds.h)"},
        {"tokens", Type::integer, "token", "of the class"},
        {"mean_life", Type::real, "step", kLife},
        {"standard_error", Type::real, "step", "of the mean life, over chunks"}}}};
}

std::vector<Headline> kept_headlines() {
  const std::string steps =
      ": steps in which it was attended to, its own counted; until the chunk's end "
      "where it was kept; mean over layers";
  std::vector<Headline> all{
      kept_headline("mean_life", "step", "life of a token" + steps),
      kept_headline("recent_share", "1",
                    "of the n states that are live after a step the share that is among the n most recent "
                    "tokens; mean over the steps after which anything had been dropped, and layers"),
      kept_headline("first_token_life", "step",
                    "life of a chunk's first token, BOS where it has one" + steps),
      kept_headline("first_token_life_share", "1", "the same as a share of the chunk's length")};
  for (const ClassFigure& of_class : class_figures)
    all.push_back(kept_headline(of_class.name, "step", "life of " + std::string(of_class.meaning) + steps));
  all.push_back(
      kept_headline("censored_share", "1", "share of the tokens that were kept to the chunk's end"));
  return all;
}

StackedExpiry stacked_expiry(const ScoredChunk& scored) {
  StackedExpiry stacked;
  std::vector<torch::Tensor> of_layers;
  for (std::size_t layer = 0; layer < scored.expiry.size(); ++layer) {
    if (!scored.expiry[layer].defined()) continue;
    stacked.layers.push_back(static_cast<int64_t>(layer));
    of_layers.push_back(scored.expiry[layer]);
  }
  if (!of_layers.empty()) stacked.expiry_LGT = torch::stack(of_layers).contiguous();
  return stacked;
}

std::optional<KeptChunk> kept_of(const ChunkJob& job, const ScoredChunk& scored, const Tokenizer* tokenizer) {
  const StackedExpiry stacked = stacked_expiry(scored);
  if (stacked.layers.empty()) return std::nullopt;
  const torch::Tensor& expiry_LGT = stacked.expiry_LGT;
  std::vector<int64_t> kinds;
  if (tokenizer)
    for (const TokenKind kind : kinds_of(*tokenizer, job.ids)) kinds.push_back(static_cast<int64_t>(kind));
  return kept_chunk({{expiry_LGT.const_data_ptr<int64_t>(), static_cast<std::size_t>(expiry_LGT.numel())},
                     stacked.layers,
                     expiry_LGT.size(1),
                     expiry_LGT.size(2)},
                    kinds, static_cast<int64_t>(token_kind_names.size()));
}

void record_kept(std::span<const KeptChunk> chunks, RecordSink& record) {
  if (chunks.empty()) return;
  record_layers(chunks, record);
  record_classes(chunks, record);
  const std::vector<Headline> headlines = kept_headlines();
  const std::vector<KeptFigure> figures = figures_of(chunks);
  for (std::size_t i = 0; i < headlines.size(); ++i) {
    if (std::isnan(figures[i].value)) continue;  // nothing was dropped, or no token is of that class
    record.summarise(
        summary_of(headlines[i], figures[i].value, figures[i].chunks, figures[i].standard_error));
  }
}

}  // namespace attnlab
