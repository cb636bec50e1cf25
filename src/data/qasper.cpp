#include "data/qasper.h"

#include <fmt/ranges.h>

#include "core/error.h"
#include "core/files.h"
#include "core/json_map.h"
#include "core/plain_text.h"
#include "core/shown.h"
#include "core/stop.h"
#include "data/json_lines.h"
#include "data/question_list.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> texts_of(const JsonNode& list) {
  std::vector<std::string> texts;
  for (const JsonNode& text : list.elements()) texts.push_back(text.text());
  return texts;
}

void add_line(std::string& text, const std::string& line) {
  if (!has_text(line)) return;
  if (!text.empty()) text += '\n';
  text += line;
}

std::string article_of(const JsonNode& paper) {
  std::string article;
  for (const JsonNode& node : paper.at("full_text").elements()) {
    std::string section;
    if (node.has("section_name")) add_line(section, node.text("section_name"));
    for (const std::string& paragraph : texts_of(node.at("paragraphs"))) add_line(section, paragraph);
    if (!article.empty() && !section.empty()) article += "\n\n";
    article += section;
  }
  return article;
}

/// One annotation, by the rules of the authors' evaluator.
Reference qasper_reference(const JsonNode& answer, const std::string& question) {
  if (answer.flag("unanswerable", false)) return {"Unanswerable", "none"};
  if (answer.has("extractive_spans"))
    if (const auto spans = texts_of(answer.at("extractive_spans")); !spans.empty())
      return {fmt::format("{}", fmt::join(spans, ", ")), "extractive"};
  if (answer.has("free_form_answer"))
    if (const std::string text = answer.text("free_form_answer"); !text.empty()) return {text, "abstractive"};
  if (answer.has("yes_no")) return {answer.flag("yes_no", false) ? "Yes" : "No", "boolean"};
  user_error("{}: '{}', of question '{}', has no answer: no spans, no free-form answer, no yes or no",
             answer.file(), answer.where(), question);
}

Question qasper_question(const JsonNode& node) {
  Question question{node.text("question_id"), node.text("question"), {}};
  for (const JsonNode& annotation : node.at("answers").elements())
    question.references.push_back(qasper_reference(annotation.at("answer"), question.id));
  return question;
}

QuestionList papers_of(const fs::path& file) {
  refuse_wide_encoding(MappedFile(file).bytes(), file.string());
  const nlohmann::json map = read_json_map(file, no_json);
  QuestionList papers;
  for (const auto& [id, value] : map.items()) {
    stop_here_if_requested();
    const JsonNode node(value, file.string(), id);
    QuestionDocument paper{id, article_of(node), {}};
    for (const JsonNode& question : node.at("qas").elements())
      paper.questions.push_back(qasper_question(question));
    papers.add(std::move(paper), file.string());
  }
  return papers;
}

QuestionList longbench_lines(const fs::path& file) {
  QuestionList lines;
  for_each_json_line(file, [&](const JsonNode& line) {
    Question question{line.text("_id"), line.text("input"), {}};
    for (std::string& answer : texts_of(line.at("answers")))
      question.references.push_back({std::move(answer)});
    lines.add({question.id, line.text("context"), {question}}, line.file());
  });
  return lines;
}

}  // namespace

std::shared_ptr<QuestionSet> open_qasper(const fs::path& file) {
  const bool is_longbench = file.extension() == ".jsonl";
  if (!is_longbench && file.extension() != ".json")
    user_error("{} ends neither in .json, as QASPER's files do, nor in .jsonl, as LongBench's do",
               file.string());
  require_file(file, is_longbench ? "longbench_qasper" : "qasper");
  return not_empty(is_longbench ? longbench_lines(file) : papers_of(file), file);
}

}  // namespace attnlab
