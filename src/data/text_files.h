// A folder of .txt files, or one file: a document each.
#pragma once

#include <filesystem>

#include "data/documents.h"

namespace attnlab {

/// Reads <path>/*.txt, hidden files left out, or the one file that `path` names. A document's id is its
/// file's name without .txt, as shown_name gives it; documents come in the order of their file names, byte by
/// byte.
struct TextFilesOptions final : DocumentDataOptions {
  std::string path;

  void visit(Fields& f) override;
  std::shared_ptr<Documents> open(const DataPlace& place) const override;
};

/// The .txt files of a folder as documents, empty ones left out with a notice. Throws UserError where none is
/// left; `advice` ends that sentence.
std::shared_ptr<Documents> open_text_files(const std::filesystem::path& folder, const std::string& advice);

}  // namespace attnlab
