// QASPER (Dasigi et al. 2021, arXiv 2105.03011): questions about papers on language processing.
#pragma once

#include <filesystem>
#include <memory>

#include "data/questions.h"

namespace attnlab {

/// Reads everything at once, by the name's end:
///
/// `.json`: QASPER v0.3 as published (qasper-test-v0.3.json), papers in the order of their ids. The article
/// is what SCROLLS made of it: the sections, each its name on a line and a line a paragraph, without title
/// and abstract (SCROLLS's texts begin with "Introduction", as LongBench's do; the authors' baseline,
/// allenai/ qasper-led-baseline, leaves them out as well). Between sections stands an empty line, which is
/// ours: SCROLLS did not publish its conversion. Names and paragraphs that are absent or blank leave no line.
/// Every annotation of a question is a reference with its type, as the authors' evaluator takes it:
/// unanswerable, else the spans joined by ", ", else the free-form answer, else Yes or No.
///
/// `.jsonl`: LongBench's copy (Bai et al. 2023, arXiv 2308.14508): a question a line with its article, each a
/// document of its own, in the file's order; references have no type.
///
/// Throws UserError that names file and key, or line and key, where the file is absent or of another layout,
/// and that names the question where an annotation holds no answer at all.
std::shared_ptr<QuestionSet> open_qasper(const std::filesystem::path& file);

}  // namespace attnlab
