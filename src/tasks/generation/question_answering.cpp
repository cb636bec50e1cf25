#include "tasks/generation/question_answering.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "core/random.h"
#include "io/hf_folder.h"
#include "tasks/generation/answerer.h"
#include "tasks/generation/question_record.h"
#include "tasks/inputs.h"
#include "tasks/layer_sizes.h"
#include "tasks/progress_file.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

struct QuestionInputs {
  fs::path folder;  ///< of the model
  HfConfig config;
  PromptRule rule;
  std::shared_ptr<QuestionSet> documents;
  int64_t count = 0;  ///< documents to ask about, from the first
  std::vector<int64_t> protected_ids;
  Checksums identity;
};

void check_positions(const QuestionAnsweringOptions& o, const HfConfig& config) {
  const int64_t positions = config.decoder.max_positions;
  if (o.past_training || o.most_tokens() + o.new_tokens() <= positions) return;
  user_error(
      "prompts of {} tokens and answers of {} are longer than the {} positions of the model; "
      "past_training=true reads on, length={} stays within them",
      o.most_tokens(), o.new_tokens(), positions, std::max<int64_t>(1, positions - o.new_tokens()));
}

QuestionInputs open_inputs(const QuestionAnsweringOptions& o, const RunContext& context) {
  QuestionInputs in;
  in.folder = model_folder(o.model);
  in.config = read_hf_config(in.folder);
  check_positions(o, in.config);
  check_layer_sizes(o.cache, in.config, in.folder);
  in.rule.tokenizer = Tokenizer::open(tokenizer_place(o.tokenizer, in.folder));
  in.rule.tokenizer.limit_to(in.config.decoder.vocabulary);
  in.rule.chat = chat_of(o.chat, in.config, in.folder);
  in.rule.with_bos = in.rule.tokenizer.adds_bos().value_or(in.config.add_bos);
  in.rule.most_tokens = o.most_tokens();
  in.rule.cut = o.baseline ? Cut::end : o.benchmark->cut();
  in.protected_ids = protected_ids(in.rule.tokenizer, o.cache.protect);
  in.documents = o.benchmark->open(context.data, in.rule.tokenizer, template_tokens(in.rule));
  in.count = in.documents->size();
  for (const int64_t most : {o.documents, context.limit})
    if (most > 0) in.count = std::min(in.count, most);
  in.identity = checksums_of(o.inputs(context));
  return in;
}

Answerer make_answerer(const QuestionAnsweringOptions& o, const QuestionInputs& in,
                       const RunContext& context) {
  const HfModel model = load_hf_folder(in.folder, {.type = type_of(o.precision), .device = context.device});
  log_info("{} of {} documents; {} parameters, {}", in.count, in.documents->size(),
           parameter_count(model.config.decoder),
           torch::toString(model.decoder->tensors().dtype().toScalarType()));
  return {model.decoder, in.rule.tokenizer,
          AnswererOptions{.cache = o.kept(),
                          .protected_ids = in.protected_ids,
                          .new_tokens = o.new_tokens(),
                          .last_position = o.past_training ? -1 : in.config.decoder.max_positions - 1,
                          .eos_ids = in.config.eos_ids,
                          .batch_size = o.batch_size,
                          .share = o.share_document,
                          .seed = derive_seed(context.seed, "policy")}};
}

std::vector<QuestionPrompt> prompts_of(const QuestionAnsweringOptions& o, const QuestionInputs& in,
                                       const QuestionDocument& document) {
  std::vector<QuestionPrompt> prompts;
  for (const Question& question : document.questions)
    prompts.push_back(prompt_of(in.rule, document.text, o.benchmark->frame(question), question.id));
  return prompts;
}

/// A prompt that loses its middle gets its template on top of its length, and joins anew where it was cut.
void check_positions_of(const QuestionPrompt& prompt, const QuestionAnsweringOptions& o,
                        const HfConfig& config, const std::string& name) {
  const auto tokens = static_cast<int64_t>(prompt.ids.size());
  const int64_t positions = config.decoder.max_positions, over = tokens + o.new_tokens() - positions;
  if (over <= 0) return;
  user_error(
      "{}: its prompt has {} tokens with its template, and {} of an answer are longer together than the {} "
      "positions of the model; past_training=true reads on, length={} stays within them",
      name, tokens, o.new_tokens(), positions, std::max<int64_t>(1, o.most_tokens() - over));
}

/// Of the documents from `first` on, before a model is loaded: otherwise one long question late in the set
/// ends a run of hours. Questions that are made to fit a length take long to make, and are alike.
void require_room_for_all(const QuestionAnsweringOptions& o, const QuestionInputs& in, int64_t first) {
  if (in.rule.cut == Cut::refused) return;
  for (int64_t i = first; i < in.count; ++i) {
    const QuestionDocument document = in.documents->read(i);
    for (const Question& question : document.questions)
      require_room(in.rule, document.text, o.benchmark->frame(question), question.id);
    if (in.rule.cut != Cut::middle || o.past_training) continue;
    const std::vector<QuestionPrompt> prompts = prompts_of(o, in, document);
    for (std::size_t q = 0; q < prompts.size(); ++q)
      check_positions_of(prompts[q], o, in.config, document.questions[q].id);
  }
}

void tell(const QuestionAnsweringOptions& o, const QuestionProgress& p, int64_t documents) {
  const ScoreRows shares = o.benchmark->shares(p.scores);
  double sum = 0;
  for (const auto& row : shares) sum += row.front();
  log_progress(fmt::format(
      "{} of {} documents, {} questions, {} {:.4f}, {:.0f} tokens/s read, {:.0f} written", p.next, documents,
      shares.size(), o.benchmark->figures().front().name, sum / static_cast<double>(shares.size()),
      static_cast<double>(p.read_tokens) / p.read_seconds,
      static_cast<double>(p.new_tokens) / p.answer_seconds));
}

}  // namespace

void QuestionAnsweringOptions::visit(Fields& f) {
  visit_pretrained(f);
  f("benchmark", benchmark, "whose questions, in which words, and how answers are measured");
  f("documents", documents, Range{0, 1e15}, "ask about the first so many documents; 0: all");
  f("template", chat, chat_words(),
    "chat format that a prompt is put into; none: the bare text, for base models; folder: the model's own");
  f("length", length, Range{2, 1 << 24},
    "tokens that a prompt may have, document and question together; longer ones are cut as the benchmark "
    "says");
  f("max_new_tokens", max_new_tokens, Range{0, 1 << 24}, "of an answer; 0: as the benchmark was published");
  f("past_training", past_training,
    "allow prompts and answers longer than the model's max_position_embeddings together");
  f("cache", cache, "what each layer keeps of the tokens that it has read; a share is one of `length`");
  f("baseline", baseline,
    "truncated context, no policy: prompts are cut to cache.size tokens and read with a full cache (TOVA "
    "§5)");
  f("batch_size", batch_size, Range{1, 65536}, no_effect("questions of one document side by side"));
  f("share_document", share_document,
    no_effect("read a document once and ask each question from a copy of what is kept, where policy and way "
              "of reading permit it; false: every prompt anew"));
  f.require(!baseline || cache.of_text(length).size >= 2, "baseline",
            "cuts prompts to cache.size tokens, which must be at least 2");
}

int64_t QuestionAnsweringOptions::most_tokens() const {
  return baseline ? std::min(length, cache.of_text(length).size) : length;
}

std::vector<Input> QuestionAnsweringOptions::inputs(const RunContext& context) const {
  std::vector<Input> all = benchmark->inputs(context.data);
  for (Input& input : pretrained_inputs(*this)) all.push_back(std::move(input));
  return all;
}

std::string name_of(QuestionVisible visible) {
  return visible == QuestionVisible::no ? "no" : visible == QuestionVisible::yes ? "yes" : "nothing dropped";
}

QuestionVisible question_visible(const CacheOptions& cache, int64_t layers, int64_t prompt_tokens) {
  int64_t smallest = prompt_tokens;
  for (const int64_t size : sizes_of_layers(cache, layers))
    if (size > 0) smallest = std::min(smallest, size);
  if (smallest == prompt_tokens) return QuestionVisible::nothing_dropped;
  if (cache.prompt == Prompt::one_shot || cache.policy->needs().prefill_only) return QuestionVisible::yes;
  // States are dropped behind each piece, and behind each token where there are none.
  const int64_t piece = cache.prompt == Prompt::pieces ? cache.piece : 1;
  const int64_t before_the_last = (prompt_tokens - 1) / piece * piece;
  return before_the_last <= smallest ? QuestionVisible::yes : QuestionVisible::no;
}

void QuestionAnsweringOptions::run(const RunContext& context, RecordSink& record) const {
  refuse_init_from(context, "question_answering");
  const QuestionInputs in = open_inputs(*this, context);
  const ProgressFile file(context.folder / "checkpoint" / "questions.json", in.identity,
                          {"/answers", "/documents"});
  QuestionProgress progress = QuestionProgress::from_json(file.open(record));
  if (progress.next > 0) log_info("{} documents are done already", progress.next);
  record_checksums(in.identity, record);
  if (!in.config.stored_as.empty()) record.attribute("weights_stored_as", in.config.stored_as);
  record.attribute("prompt_template", std::string(name_of(in.rule.chat.format)));
  record.attribute("documents_in_set", in.documents->size());
  if (progress.next < in.count) {
    require_room_for_all(*this, in, progress.next);
    Answerer answerer = make_answerer(*this, in, context);
    while (progress.next < in.count) {
      const QuestionDocument document = in.documents->read(progress.next);
      const std::vector<QuestionPrompt> prompts = prompts_of(*this, in, document);
      take_document(*this, in.config.decoder.layers, document, progress.next, prompts,
                    answerer.answer(prompts), progress, record);
      ++progress.next;
      file.save(progress.to_json(), record);
      tell(*this, progress, in.count);
    }
  }
  record_figures(*this, progress, record);
  record.flush();
}

}  // namespace attnlab
