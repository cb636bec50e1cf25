// What every reader of questions about documents owes.
#pragma once

#include "core/error.h"
#include "data/questions.h"

namespace attnlab {

inline void ensure_sound(const QuestionSet& documents) {
  ensure(documents.size() > 0, "refusal of a file without documents");
  for (int64_t i = 0; i < documents.size(); ++i) {
    const QuestionDocument document = documents.read(i);
    ensure(!document.text.empty() && document.text.find('\r') == std::string::npos, "a text with LF alone");
    ensure(!document.questions.empty(), "refusal of a document without questions");
    for (const Question& question : document.questions)
      ensure(!question.text.empty() && !question.references.empty(), "questions with references");
  }
}

}  // namespace attnlab
