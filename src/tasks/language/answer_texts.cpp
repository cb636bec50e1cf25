#include "tasks/language/answer_texts.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.h"
#include "core/log.h"
#include "core/random.h"
#include "core/stop.h"
#include "metrics/perplexity.h"

namespace attnlab {
namespace {

bool ends_in_space(const std::string& text) {
  return !text.empty() && (text.back() == ' ' || text.back() == '\n');
}

/// Tokens of `before` + `answer` that reach into the answer.
std::vector<int64_t> ids_of_answer(const Tokenizer& tokenizer, const std::string& before,
                                   const std::string& answer) {
  const Encoding tail = tokenizer.encode_with_ends(before + answer);
  const auto first = std::ranges::upper_bound(tail.ends, static_cast<int64_t>(before.size()));
  return {tail.ids.begin() + (first - tail.ends.begin()), tail.ids.end()};
}

}  // namespace

AnswerTexts::AnswerTexts(std::shared_ptr<BenchmarkOptions> benchmark, const DataPlace& place,
                         const Tokenizer& tokenizer, bool with_bos, int64_t context, int64_t longest_answer)
    : benchmark_(std::move(benchmark)) {
  const std::vector<Input> files = benchmark_->inputs(place);
  origin_ = files.empty() ? "those that are made" : files.front().place;
  rule_.tokenizer = tokenizer;
  rule_.with_bos = with_bos;
  rule_.most_tokens = context + 1 - (tokenizer.eos_id() ? 1 : 0);
  rule_.cut = benchmark_->cut() == Cut::refused ? Cut::refused : Cut::end;
  documents_ = benchmark_->open(place, tokenizer, template_tokens(rule_));
  list_places(longest_answer);
  texts_.resize(places_.size());
  require_room_for_all();
}

void AnswerTexts::list_places(int64_t longest_answer) {
  std::vector<std::pair<size_t, Place>> all;  // with the reference, by which they are sorted
  int64_t too_long = 0;
  for (int64_t d = 0; d < documents_->size(); ++d) {
    const QuestionDocument document = documents_->read(d);
    for (size_t q = 0; q < document.questions.size(); ++q)
      for (size_t r = 0; r < document.questions[q].references.size(); ++r)
        if (longest_answer > 0 && std::ssize(answer_ids(document.questions[q], r)) > longest_answer)
          ++too_long;
        else
          all.push_back({r, {d, q, r, document.id}});
  }
  if (too_long > 0)
    log_info("{} of {} answers of {} have more than {} tokens and are left out", too_long,
             too_long + std::ssize(all), origin_, longest_answer);
  if (all.empty())
    user_error("mixture.longest_answer: all answers of {} have more than {} tokens", origin_, longest_answer);
  std::ranges::stable_sort(all, {}, &std::pair<size_t, Place>::first);
  for (const auto& [reference, place] : all) places_.push_back(place);
}

std::vector<int64_t> AnswerTexts::answer_ids(const Question& question, size_t reference) const {
  const PromptFrame asked = benchmark_->frame(question);
  return ids_of_answer(rule_.tokenizer, asked.after + asked.answer,
                       answered(question, reference).answer.substr(asked.answer.size()));
}

/// The benchmark's words with a reference as the beginning of the answer.
PromptFrame AnswerTexts::answered(const Question& question, size_t reference) const {
  PromptFrame frame = benchmark_->frame(question);
  if (!ends_in_space(frame.after + frame.answer)) frame.answer += ' ';
  frame.answer += question.references[reference].text;
  return frame;
}

/// Of questions that may be cut; those that are made to a length take long to encode, and are alike.
void AnswerTexts::require_room_for_all() const {
  if (rule_.cut == Cut::refused) return;
  for (const Place& place : places_) {
    const QuestionDocument document = documents_->read(place.document);
    const Question& question = document.questions[place.question];
    require_room(
        rule_, document.text, answered(question, place.reference),
        fmt::format(
            "context: question '{}' of {} with answer {} (mixture.longest_answer leaves long ones out)",
            question.id, origin_, place.reference + 1));
  }
}

AnswerTexts::Text AnswerTexts::encode(const Place& place) const {
  const QuestionDocument document = documents_->read(place.document);
  const Question& question = document.questions[place.question];
  Text text{prompt_of(rule_, document.text, answered(question, place.reference),
                      fmt::format("context: question '{}' of {}", question.id, origin_))
                .ids};
  const std::vector<int64_t> answer = answer_ids(question, place.reference);
  ensure(answer.size() < text.ids.size() && std::equal(answer.rbegin(), answer.rend(), text.ids.rbegin()),
         "the tokens of an answer behind its document as without it, in question {}", question.id);
  text.learned = std::ssize(answer);
  if (const auto eos = rule_.tokenizer.eos_id()) {
    text.ids.push_back(*eos);
    ++text.learned;
  }
  return text;
}

const AnswerTexts::Text& AnswerTexts::text(int64_t i) const {
  std::optional<Text>& text = texts_[static_cast<size_t>(i)];
  if (!text) text = encode(places_[static_cast<size_t>(i)]);
  return *text;
}

AnswerBatches::AnswerBatches(const AnswerTexts& texts, int64_t batch, uint64_t seed)
    : texts_(texts), batch_(batch), seed_(seed) {
  if (texts.size() < batch)
    user_error("mixture.questions: {} answers are too few for one batch of {}", texts.size(), batch);
}

LearnedTokens AnswerBatches::batch(int64_t m) {
  if (const int64_t epoch = m / batches_per_epoch(); epoch != planned_) {
    Random random(derive_seed(seed_, "answers", static_cast<uint64_t>(epoch)));
    order_.resize(static_cast<size_t>(texts_.size()));
    std::iota(order_.begin(), order_.end(), 0);
    shuffle(std::span(order_), random);
    planned_ = epoch;
  }
  std::vector<std::vector<int64_t>> rows;
  std::vector<int64_t> learned;
  const int64_t first = m % batches_per_epoch() * batch_;
  for (int64_t i = first; i < first + batch_; ++i) {
    const AnswerTexts::Text& text = texts_.text(order_[static_cast<size_t>(i)]);
    rows.push_back(text.ids);
    learned.push_back(text.learned);
  }
  return ends_learned(rows, learned);
}

std::vector<ScoredAnswers> score_answers(const LmLosses& losses, const AnswerTexts& texts, int64_t most,
                                         torch::Device device) {
  std::map<int64_t, ScoredAnswers> by_document;
  for (int64_t i = 0; i < std::min(most, texts.size()); ++i) {
    stop_here_if_requested();
    const AnswerTexts::Text& text = texts.text(i);
    auto& [id, score] = by_document[texts.document(i)];
    id = texts.document_id(i);
    score.nll += losses.validation_nll(ends_learned({text.ids}, {text.learned}).to(device)) *
                 static_cast<double>(text.learned);
    score.tokens += text.learned;
  }
  std::vector<ScoredAnswers> answered;
  for (const auto& [document, scored] : by_document) answered.push_back(scored);
  return answered;
}

Validation validation_of(const std::vector<ScoredAnswers>& answered) {
  std::vector<DocumentScore> scores;
  int64_t tokens = 0;
  for (const ScoredAnswers& document : answered) {
    scores.push_back(document.score);
    tokens += document.score.tokens;
  }
  const DocumentFigure pooled = pooled_perplexity(scores);
  return {pooled.value, pooled.standard_error, std::log(pooled.value), tokens};
}

}  // namespace attnlab
