#include "data/squality.h"

#include <fmt/format.h>

#include "data/json_lines.h"
#include "data/question_list.h"

namespace attnlab {
namespace {

int64_t question_number(const JsonNode& question) {
  const JsonNode number = question.at("question_number");
  if (!number.value().is_number_integer()) number.refuse("a whole number");
  return number.value().get<int64_t>();
}

Question squality_question(const JsonNode& node, const std::string& story) {
  Question question{fmt::format("{}-{}", story, question_number(node)), node.text("question_text"), {}};
  if (!node.has("responses")) return question;  // of a hidden test split: refused with the others without any
  for (const JsonNode& response : node.at("responses").elements())
    question.references.push_back({response.text("response_text")});
  return question;
}

}  // namespace

std::shared_ptr<QuestionSet> open_squality(const std::filesystem::path& file) {
  require_file(file, "squality");
  QuestionList stories;
  for_each_json_line(file, [&](const JsonNode& line) {
    QuestionDocument story{line.at("metadata").text("passage_id"), line.text("document"), {}};
    for (const JsonNode& question : line.at("questions").elements())
      story.questions.push_back(squality_question(question, story.id));
    stories.add(std::move(story), line.file());
  });
  return not_empty(std::move(stories), file);
}

}  // namespace attnlab
