#include "data/question_list.h"

#include "core/error.h"
#include "core/plain_text.h"

namespace attnlab {

bool has_text(std::string_view text) { return text.find_first_not_of(" \t\n\r") != std::string_view::npos; }

void QuestionList::check(const Question& question, const std::string& origin) {
  if (!has_text(question.text)) user_error("{}: question '{}' has no text", origin, question.id);
  if (question.references.empty())
    user_error("{}: question '{}' has no reference answer to compare with", origin, question.id);
  if (!question_ids_.insert(question.id).second)
    user_error("{}: question '{}' is there twice", origin, question.id);
}

void QuestionList::add(QuestionDocument document, const std::string& origin) {
  document.text = universal_newlines(std::move(document.text));
  if (!has_text(document.text)) user_error("{}: document '{}' has no text", origin, document.id);
  if (document.questions.empty()) user_error("{}: nothing is asked about document '{}'", origin, document.id);
  if (!ids_.insert(document.id).second) user_error("{}: document '{}' is there twice", origin, document.id);
  for (const Question& question : document.questions) check(question, origin);
  documents_.push_back(std::move(document));
}

std::shared_ptr<QuestionSet> not_empty(QuestionList list, const std::filesystem::path& file) {
  if (list.size() == 0) user_error("{} holds no documents with questions", file.string());
  return std::make_shared<QuestionList>(std::move(list));
}

void require_file(const std::filesystem::path& file, const char* dataset) {
  if (!std::filesystem::is_regular_file(file))
    user_error("there is no file {} to read questions from; scripts/fetch_data {} fetches it", file.string(),
               dataset);
}

}  // namespace attnlab
