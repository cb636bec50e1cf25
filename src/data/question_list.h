// Questions about documents, all in memory: what the readers of files fill.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string_view>

#include "data/questions.h"

namespace attnlab {

/// Documents in the order in which they were added.
class QuestionList final : public QuestionSet {
 public:
  /// Throws UserError that begins with `origin` (a file, or file:line) where the text is blank, a question is
  /// blank or has no reference, nothing is asked, or an id was there before. Line ends of the text become LF.
  void add(QuestionDocument document, const std::string& origin);
  int64_t size() const override { return static_cast<int64_t>(documents_.size()); }
  QuestionDocument read(int64_t i) const override { return documents_.at(static_cast<std::size_t>(i)); }

 private:
  void check(const Question& question, const std::string& origin);

  std::vector<QuestionDocument> documents_;
  std::set<std::string> ids_, question_ids_;
};

/// Whether there is more than white space.
bool has_text(std::string_view text);

/// The list as a set. Throws UserError where nothing was added of `file`.
std::shared_ptr<QuestionSet> not_empty(QuestionList list, const std::filesystem::path& file);

/// Throws UserError where there is no such file, which `scripts/fetch_data DATASET` fetches.
void require_file(const std::filesystem::path& file, const char* dataset);

}  // namespace attnlab
