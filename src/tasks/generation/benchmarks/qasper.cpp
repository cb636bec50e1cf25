#include "tasks/generation/benchmarks/qasper.h"

#include <array>
#include <limits>

#include "data/qasper.h"
#include "metrics/token_f1.h"
#include "tasks/inputs.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr std::array types{"extractive", "abstractive", "boolean", "none"};  // of references

fs::path qasper_file(const DataPlace& place, QasperSource source, Split split) {
  if (source == QasperSource::longbench) return place.root / "longbench" / "qasper.jsonl";
  if (source == QasperSource::subset) return place.root / "qasper" / "qasper-leval-subset.json";
  const char* name = split == Split::train ? "train" : split == Split::validation ? "dev" : "test";
  return place.root / "qasper" / fmt::format("qasper-{}-v0.3.json", name);
}

PromptFrame tova_frame(const std::string& question) {
  return {"",
          "\nAnswer the question as concisely as you can, using a single phrase or sentence if possible. If "
          "the question cannot be answered based on the information in the article, write “unanswerable”. If "
          "the question is a yes/no question, answer “yes”, “no”, or “unanswerable”.\nQuestion:\n" +
              question + "\nAnswer:"};
}

PromptFrame zeroscrolls_frame(const std::string& question) {
  return {
      "You are given a scientific article and a question. Answer the question as concisely as you can, "
      "using a single phrase or sentence if possible. If the question cannot be answered based on the "
      "information in the article, write \"unanswerable\". If the question is a yes/no question, answer "
      "\"yes\", \"no\", or \"unanswerable\".\n\nArticle:\n",
      "\n\nQuestion:\n" + question + "\n\nAnswer:\n", "... [The rest of the article is omitted]"};
}

/// config/dataset2prompt.json of LongBench, which asks twice.
PromptFrame longbench_frame(const std::string& question) {
  const std::string rules =
      "as concisely as you can, using a single phrase or sentence if possible. If the question cannot be "
      "answered based on the information in the article, write \"unanswerable\". If the "
      "question is a yes/no question, answer \"yes\", \"no\", or \"unanswerable\". Do not provide any "
      "explanation.";
  return {"You are given a scientific article and a question. Answer the question " + rules + "\n\nArticle: ",
          "\n\n Answer the question based on the above article " + rules + "\n\nQuestion: " + question +
              "\n\nAnswer:"};
}

}  // namespace

void QasperOptions::visit(Fields& f) {
  f("source", source,
    {{"official", QasperSource::official},
     {"subset", QasperSource::subset},
     {"longbench", QasperSource::longbench}},
    "whose questions: the publishers' v0.3 files, L-Eval's 20 papers in their layout with one reference a "
    "question, or LongBench's 200");
  f("split", split, {{"train", Split::train}, {"validation", Split::validation}, {"test", Split::test}},
    "which of the publishers' splits; of source official only");
  f("prompt", prompt,
    {{"tova", QasperPrompt::tova},
     {"zeroscrolls", QasperPrompt::zeroscrolls},
     {"longbench", QasperPrompt::longbench}},
    "whose words the model is asked in: Oren et al. 2024, all behind the article; ZeroSCROLLS; or LongBench, "
    "whose over-long prompts lose their middle");
  f.require(source == QasperSource::official || split == Split::test, "split",
            "is only there of source: official");
  f.require((source == QasperSource::longbench) == (prompt == QasperPrompt::longbench), "prompt",
            "LongBench's questions are asked in LongBench's words and no others: source and prompt are both "
            "longbench, or neither is");
}

std::vector<Input> QasperOptions::inputs(const DataPlace& place) const {
  return {file_input("questions", qasper_file(place, source, split))};
}

std::shared_ptr<QuestionSet> QasperOptions::open(const DataPlace& place, const Tokenizer&, int64_t) const {
  return open_qasper(qasper_file(place, source, split));
}

PromptFrame QasperOptions::frame(const Question& question) const {
  switch (prompt) {
    case QasperPrompt::zeroscrolls:
      return zeroscrolls_frame(question.text);
    case QasperPrompt::longbench:
      return longbench_frame(question.text);
    default:
      return tova_frame(question.text);
  }
}

std::string QasperOptions::headline() const {
  return source == QasperSource::longbench ? "longbench_f1" : "f1";
}

std::vector<Column> QasperOptions::scores() const {
  std::vector<Column> columns{{headline(), Column::Type::real, "1", "token F1, best of the references"}};
  for (const char* type : types)
    columns.push_back({fmt::format("{}_{}", headline(), type), Column::Type::real, "1",
                       fmt::format("the same where the best reference is {}", type)});
  return columns;
}

std::vector<double> QasperOptions::score(const Question& question, const std::string& answer) const {
  std::vector<double> scores(1 + types.size(), std::numeric_limits<double>::quiet_NaN());
  const Reference* best = nullptr;
  for (const Reference& reference : question.references) {
    const double f1 = token_f1(answer, reference.text);
    if (best && f1 <= scores[0]) continue;
    scores[0] = f1;
    best = &reference;
  }
  for (std::size_t i = 0; i < types.size(); ++i)
    if (best->type == types[i]) scores[1 + i] = scores[0];
  return scores;
}

std::vector<Headline> QasperOptions::figures() const {
  std::vector<Headline> all{{headline(), "1", "token F1, best of the references, mean over the questions",
                             Summary::Better::higher}};
  for (const char* type : types)
    all.push_back({fmt::format("{}_{}", headline(), type), "1",
                   fmt::format("the same over the questions whose best reference is {}", type),
                   Summary::Better::higher});
  return all;
}

}  // namespace attnlab
