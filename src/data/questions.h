// Questions about documents: what SQuALITY, QASPER and RULER's needles have in common.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace attnlab {

/// What an answer is compared with.
struct Reference {
  std::string text;
  std::string type = {};  ///< of QASPER: extractive, abstractive, boolean or none (unanswerable); else ""
};

struct Question {
  std::string id;  ///< the publisher's, or the document's with a number; unique in its set
  std::string text;
  std::vector<Reference> references;  ///< at least one
};

/// A document with all that is asked about it.
struct QuestionDocument {
  std::string id;                   ///< the publisher's
  std::string text;                 ///< a plain_text (core/plain_text.h), not empty
  std::vector<Question> questions;  ///< at least one
};

/// Documents with questions in a fixed order.
class QuestionSet {
 public:
  virtual ~QuestionSet() = default;
  virtual int64_t size() const = 0;
  virtual QuestionDocument read(int64_t i) const = 0;
};

}  // namespace attnlab
