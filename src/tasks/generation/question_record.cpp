#include "tasks/generation/question_record.h"

#include <cmath>

#include "core/json_text.h"
#include "tasks/generation/column_means.h"
#include "tasks/progress_file.h"

namespace attnlab {
namespace {

using nlohmann::json;
using Better = Summary::Better;
using Type = Column::Type;

Table answer_table(const BenchmarkOptions& benchmark) {
  Table table{"/answers",
              "every question, in the order in which they were asked",
              {{"document", Type::integer, "1", "index in the set"},
               {"document_id", Type::text, "1", "the publisher's name of the document"},
               {"question", Type::text, "1", "the publisher's name of the question"},
               {"prompt_tokens", Type::integer, "token", "of the whole prompt"},
               {"document_share", Type::real, "1", "of the document's bytes that are left in the prompt"},
               {"question_visible", Type::text, "1", "whether it had been read when states were dropped"},
               {"new_tokens", Type::integer, "token", "of the answer, the one that ended it included"},
               {"stopped_by", Type::text, "1", "eos, max_new_tokens or positions"},
               {"prediction", Type::text, "1", "the answer"},
               {"references", Type::text, "1", "what it is compared with, a JSON list"}}};
  for (const Column& score : benchmark.scores()) table.columns.push_back(score);
  return table;
}

Table document_table() {
  return {"/documents",
          "every document",
          {{"document", Type::integer, "1", "index in the set"},
           {"id", Type::text, "1", "the publisher's name of the document"},
           {"questions", Type::integer, "1", "that were asked"},
           {"shared_tokens", Type::integer, "token", "read once for all questions"},
           {"read_tokens", Type::integer, "token", "read in all, the shared ones once"},
           {"new_tokens", Type::integer, "token", "of all answers"},
           {"shared_seconds", Type::real, "s", "reading what is shared"},
           {"prompt_seconds", Type::real, "s",
            "copying what is kept of that, and reading the rest of the prompts"},
           {"answer_seconds", Type::real, "s", "after that"}}};
}

Table share_table(const BenchmarkOptions& benchmark) {
  Table table{"/shares",
              "numbers whose means over the questions are the figures, for paired differences of runs",
              {{"question", Type::text, "1", "the publisher's name of the question"}}};
  for (const Headline& figure : benchmark.figures())
    table.columns.push_back({figure.name, Type::real, figure.unit, figure.meaning});
  return table;
}

std::vector<Headline> costs() {
  return {{"question_visible", "1",
           "share of the questions that had been read when states were dropped; absent where nothing was",
           Better::neither},
          {"documents_cut", "1", "share of the questions whose prompt had to be cut", Better::neither},
          {"read_tokens_per_second", "token/s", "tokens of documents and questions read a second",
           Better::higher},
          {"new_tokens_per_second", "token/s", "tokens of answers a second, all of a document together",
           Better::higher},
          {"document_cost", "1",
           "of documents whose prompts share a beginning: time of reading and answering, over that of "
           "reading the beginning once and of the answers; absent where none do",
           Better::lower},
          {"new_tokens", "token", "mean length of an answer", Better::neither},
          {"cache_bytes", "byte",
           "keys, values and what the policy keeps beside them, as allocated at the end of a prompt's "
           "answer, the most",
           Better::lower}};
}

std::string references_of(const Question& question) {
  json texts = json::array();
  for (const Reference& reference : question.references) texts.push_back(reference.text);
  return json_text(texts);
}

}  // namespace

std::vector<Table> QuestionAnsweringOptions::tables() const {
  return {answer_table(*benchmark), document_table(), share_table(*benchmark)};
}

std::vector<Headline> QuestionAnsweringOptions::headlines() const {
  std::vector<Headline> all = benchmark->figures();
  for (Headline& cost : costs()) all.push_back(std::move(cost));
  return all;
}

json QuestionProgress::to_json() const {
  return {{"next", next},
          {"questions", questions},
          {"scores", json_of_rows(scores)},
          {"counts", {cut, read_tokens, new_tokens, cache_bytes, seen, unseen}},
          {"seconds", {read_seconds, answer_seconds, least_seconds, sharing_seconds}}};
}

QuestionProgress QuestionProgress::from_json(const json& done) {
  QuestionProgress p;
  if (done.is_null()) return p;
  const json &counts = done.at("counts"), &seconds = done.at("seconds");
  p.next = done.at("next");
  p.questions = done.at("questions").get<std::vector<std::string>>();
  p.scores = rows_of_json(done.at("scores"));
  std::size_t at = 0;
  for (int64_t* count : {&p.cut, &p.read_tokens, &p.new_tokens, &p.cache_bytes, &p.seen, &p.unseen})
    *count = counts.at(at++);
  p.read_seconds = seconds.at(0);
  p.answer_seconds = seconds.at(1);
  p.least_seconds = seconds.at(2);
  p.sharing_seconds = seconds.at(3);
  return p;
}

void take_document(const QuestionAnsweringOptions& o, int64_t layers, const QuestionDocument& document,
                   int64_t index, std::span<const QuestionPrompt> prompts, const AnsweredDocument& answered,
                   QuestionProgress& progress, RecordSink& record) {
  int64_t new_tokens = 0;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const Question& question = document.questions[i];
    const QuestionPrompt& prompt = prompts[i];
    const AnswerText& answer = answered.answers[i];
    const auto length = static_cast<int64_t>(prompt.ids.size());
    const auto added = static_cast<int64_t>(answer.made.ids.size());
    const QuestionVisible visible = question_visible(o.kept(), layers, length);
    std::vector<double> scores = o.benchmark->score(question, answer.text);
    std::vector<Value> row{index,
                           document.id,
                           question.id,
                           length,
                           prompt.document_share,
                           name_of(visible),
                           added,
                           std::string(name_of(answer.made.stopped_by)),
                           answer.text,
                           references_of(question)};
    row.insert(row.end(), scores.begin(), scores.end());
    record.append("/answers", row);
    progress.questions.push_back(question.id);
    progress.scores.push_back(std::move(scores));
    progress.cut += prompt.is_cut ? 1 : 0;
    progress.seen += visible == QuestionVisible::yes ? 1 : 0;
    progress.unseen += visible == QuestionVisible::no ? 1 : 0;
    new_tokens += added;
  }
  const auto questions = static_cast<int64_t>(prompts.size());
  const Value row[] = {index,
                       document.id,
                       questions,
                       answered.shared_tokens,
                       answered.read_tokens,
                       new_tokens,
                       answered.shared_seconds,
                       answered.prompt_seconds,
                       answered.answer_seconds};
  record.append("/documents", row);
  progress.read_tokens += answered.read_tokens;
  progress.new_tokens += new_tokens;
  progress.cache_bytes = std::max(progress.cache_bytes, answered.cache_bytes);
  const double read_seconds = answered.shared_seconds + answered.prompt_seconds;
  progress.read_seconds += read_seconds;
  progress.answer_seconds += answered.answer_seconds;
  if (answered.shared_tokens == 0) return;
  progress.least_seconds += answered.shared_seconds + answered.answer_seconds;
  progress.sharing_seconds += read_seconds + answered.answer_seconds;
}

void record_figures(const QuestionAnsweringOptions& o, const QuestionProgress& p, RecordSink& record) {
  const ScoreRows shares = o.benchmark->shares(p.scores);
  record.truncate("/shares", 0);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    std::vector<Value> row{p.questions[i]};
    row.insert(row.end(), shares[i].begin(), shares[i].end());
    record.append("/shares", row);
  }
  summarise_means(o.benchmark->figures(), shares, record);
  const auto n = static_cast<int64_t>(p.questions.size()), dropped = p.seen + p.unseen;
  const auto all = static_cast<double>(n);
  const double values[] = {
      dropped > 0 ? static_cast<double>(p.seen) / static_cast<double>(dropped) : Summary::unknown,
      static_cast<double>(p.cut) / all,
      static_cast<double>(p.read_tokens) / p.read_seconds,
      static_cast<double>(p.new_tokens) / p.answer_seconds,
      p.least_seconds > 0 ? p.sharing_seconds / p.least_seconds : Summary::unknown,
      static_cast<double>(p.new_tokens) / all,
      static_cast<double>(p.cache_bytes)};
  const std::vector<Headline> names = costs();
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!std::isnan(values[i])) record.summarise(summary_of(names[i], values[i], n));
}

}  // namespace attnlab
