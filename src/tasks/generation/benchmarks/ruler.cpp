#include "tasks/generation/benchmarks/ruler.h"

#include "core/files.h"
#include "metrics/string_match.h"

namespace attnlab {
namespace {

/// A sample is a document with one question, whose text is the key.
class NeedleQuestions final : public QuestionSet {
 public:
  explicit NeedleQuestions(NeedleSet needles) : needles_(std::move(needles)) {}
  int64_t size() const override { return needles_.size(); }
  QuestionDocument read(int64_t i) const override {
    NeedleSample sample = needles_.read(i);
    Question question{sample.id, std::move(sample.key), {}};
    for (std::string& reference : sample.references) question.references.push_back({std::move(reference)});
    return {std::move(sample.id), std::move(sample.haystack), {std::move(question)}};
  }

 private:
  NeedleSet needles_;
};

}  // namespace

std::vector<Input> RulerOptions::inputs(const DataPlace& place) const {
  if (!needles.reads_essays()) return {};
  const auto checksum = [o = needles, place] { return sha256(needle_essay(o, place)->text()); };
  return {{"essays", needles.essays, "ruler essays " + needles.essays + std::to_string(needles.length),
           checksum}};
}

std::shared_ptr<QuestionSet> RulerOptions::open(const DataPlace& place, const Tokenizer& tokenizer,
                                                int64_t template_tokens) const {
  return std::make_shared<NeedleQuestions>(NeedleSet(needles, tokenizer, place, template_tokens));
}

PromptFrame RulerOptions::frame(const Question& question) const {
  const NeedleFrame words = needle_frame(needles.variant, question.text);
  return {words.before, words.after, "", words.answer_prefix};
}

std::vector<Column> RulerOptions::scores() const {
  return {{"string_match", Column::Type::real, "1",
           "share of the references that the lower-cased answer contains"}};
}

std::vector<double> RulerOptions::score(const Question& question, const std::string& answer) const {
  std::vector<std::string> references;
  for (const Reference& reference : question.references) references.push_back(reference.text);
  return {string_match_all(answer, references)};
}

std::vector<Headline> RulerOptions::figures() const {
  return {{"string_match", "1",
           "references found in the answers (RULER's string_match_all), mean over the samples",
           Summary::Better::higher}};
}

}  // namespace attnlab
