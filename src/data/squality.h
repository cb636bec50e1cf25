// SQuALITY (Wang et al. 2022, arXiv 2205.11465): stories of Project Gutenberg, five questions a story, each
// answered by four writers in a paragraph.
#pragma once

#include <filesystem>
#include <memory>

#include "data/questions.h"

namespace attnlab {

/// Reads a split of v1.3 as published (squality_v1-3_dev.jsonl): JSON lines, a story each, in their order,
/// everything at once. A story's id is its number at Project Gutenberg ("63833"), a question's that and its
/// own ("63833-1"); the story's text and the responses are as they stand, line ends as LF. Throws UserError
/// that names file, line and key where the file is absent or of another layout, or a question has no
/// responses.
std::shared_ptr<QuestionSet> open_squality(const std::filesystem::path& file);

}  // namespace attnlab
