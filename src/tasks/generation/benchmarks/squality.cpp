#include "tasks/generation/benchmarks/squality.h"

#include <cmath>

#include "data/squality.h"
#include "metrics/rouge.h"
#include "tasks/inputs.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using Better = Summary::Better;

constexpr std::size_t kinds = 3;  // of a custom: rouge1, rouge2, rougeL

fs::path squality_file(const DataPlace& place, Split split) {
  const char* name = split == Split::train ? "train" : split == Split::validation ? "dev" : "test";
  return place.root / "squality" / fmt::format("squality_v1-3_{}.jsonl", name);
}

std::string meaning_of(std::size_t kind, bool stemmed) {
  return fmt::format("{} F of package rouge_score, {} stemmer, best of the references", rouge_names[kind],
                     stemmed ? "with" : "without");
}

std::string name_of_score(std::size_t kind, bool stemmed) {
  return std::string(stemmed ? "stemmed_" : "") + rouge_names[kind];
}

}  // namespace

void SqualityOptions::visit(Fields& f) {
  f("split", split, {{"train", Split::train}, {"validation", Split::validation}, {"test", Split::test}},
    "which of the publishers' splits (v1.3: 50, 25 and 52 stories)");
  f("prompt", prompt, {{"tova", SqualityPrompt::tova}, {"zeroscrolls", SqualityPrompt::zeroscrolls}},
    "whose words the model is asked in: Oren et al. 2024, question and instruction behind the story; or "
    "ZeroSCROLLS, the instruction first");
}

std::vector<Input> SqualityOptions::inputs(const DataPlace& place) const {
  return {file_input("questions", squality_file(place, split))};
}

std::shared_ptr<QuestionSet> SqualityOptions::open(const DataPlace& place, const Tokenizer&, int64_t) const {
  return open_squality(squality_file(place, split));
}

PromptFrame SqualityOptions::frame(const Question& question) const {
  if (prompt == SqualityPrompt::tova)
    return {"", "\nAnswer the question in a paragraph.\nQuestion:\n" + question.text + "\nAnswer:"};
  return {"You are given a story and a question. Answer the question in a paragraph.\n\nStory:\n",
          "\n\nQuestion:\n" + question.text + "\n\nAnswer:\n", "... [The rest of the story is omitted]"};
}

std::vector<Column> SqualityOptions::scores() const {
  std::vector<Column> columns;
  for (const bool stemmed : {false, true})
    for (std::size_t kind = 0; kind < kinds; ++kind)
      columns.push_back({name_of_score(kind, stemmed), Column::Type::real, "1", meaning_of(kind, stemmed)});
  return columns;
}

std::vector<double> SqualityOptions::score(const Question& question, const std::string& answer) const {
  std::vector<std::string> references;
  for (const Reference& reference : question.references) references.push_back(reference.text);
  std::vector<double> scores;
  for (const bool stemmed : {false, true}) {
    const RougeScores best = best_rouge(references, answer, stemmed);
    for (std::size_t kind = 0; kind < kinds; ++kind) scores.push_back(best[kind].f);
  }
  return scores;
}

std::vector<Headline> SqualityOptions::figures() const {
  std::vector<Headline> all;
  for (const bool stemmed : {false, true}) {
    const std::string prefix = stemmed ? "stemmed_" : "";
    all.push_back(
        {prefix + "rouge_geometric_mean", "1",
         fmt::format("geometric mean of {}rouge1, {}rouge2 and {}rougeL, {}", prefix, prefix, prefix,
                     stemmed ? "which SQuALITY's own code takes with a stemmer"
                             : "as ZeroSCROLLS and Oren et al. 2024 have it"),
         Better::higher});
    for (std::size_t kind = 0; kind < kinds; ++kind)
      all.push_back({name_of_score(kind, stemmed), "1",
                     meaning_of(kind, stemmed) + ", mean over the questions", Better::higher});
  }
  return all;
}

ScoreRows SqualityOptions::shares(const ScoreRows& scores) const {
  ScoreRows rows(scores.size());
  for (std::size_t first : {std::size_t{0}, kinds}) {
    const std::vector<double> mean = geometric_shares(scores, first, kinds);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i].push_back(mean[i]);
      for (std::size_t kind = first; kind < first + kinds; ++kind) rows[i].push_back(scores[i][kind]);
    }
  }
  return rows;
}

std::vector<double> geometric_shares(const ScoreRows& scores, std::size_t first, std::size_t count) {
  std::vector<double> means(count, 0.0);
  for (const auto& row : scores)
    for (std::size_t j = 0; j < count; ++j) means[j] += row[first + j] / static_cast<double>(scores.size());
  double product = 1.0;
  for (const double mean : means) product *= mean;
  const auto n = static_cast<double>(count);
  const double geometric = std::pow(product, 1.0 / n);
  std::vector<double> shares(scores.size(), geometric);
  if (geometric <= 0.0) return shares;
  for (std::size_t i = 0; i < scores.size(); ++i)
    for (std::size_t j = 0; j < count; ++j)
      shares[i] += geometric / n * (scores[i][first + j] / means[j] - 1.0);
  return shares;
}

}  // namespace attnlab
