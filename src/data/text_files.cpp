#include "data/text_files.h"

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/plain_text.h"
#include "core/shown.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

class TextFiles final : public Documents {
 public:
  explicit TextFiles(std::vector<fs::path> files) : files_(std::move(files)) {
    for (const fs::path& file : files_) ids_.push_back(shown_name(file.stem().string()));
  }
  int64_t size() const override { return static_cast<int64_t>(files_.size()); }
  const std::string& id(int64_t i) const override { return ids_[static_cast<std::size_t>(i)]; }
  Document read(int64_t i) const override {
    const fs::path& file = files_[static_cast<std::size_t>(i)];
    return {id(i), file.string(), plain_text(read_file(file), file.string()), {}};
  }

 private:
  std::vector<fs::path> files_;
  std::vector<std::string> ids_;
};

std::vector<fs::path> without_empty(const std::vector<fs::path>& files) {
  std::vector<fs::path> kept;
  for (const fs::path& file : files) {
    std::error_code failed;
    const auto bytes = fs::file_size(file, failed);
    if (failed) run_error("cannot read {}: {}", file.string(), failed.message());
    if (bytes == 0)
      log_info("{} is empty: skipped", file.string());
    else
      kept.push_back(file);
  }
  return kept;
}

}  // namespace

std::shared_ptr<Documents> open_text_files(const fs::path& folder, const std::string& advice) {
  if (!fs::is_directory(folder))
    user_error("there is no folder {} to read texts from{}", folder.string(), advice);
  const auto files = without_empty(files_in(folder, ".txt"));
  if (files.empty())
    user_error("the folder {} holds no text (*.txt) that is not empty{}", folder.string(), advice);
  return std::make_shared<TextFiles>(files);
}

void TextFilesOptions::visit(Fields& f) {
  f("path", path, OneOf{}, "folder of .txt files, one document each, or one such file");
  f.require(!path.empty(), "path", "must name a folder of .txt files, or one file");
}

std::shared_ptr<Documents> TextFilesOptions::open(const DataPlace&) const {
  if (!fs::is_regular_file(path)) return open_text_files(path, "");
  const auto files = without_empty({path});
  if (files.empty()) user_error("{} is empty: there is nothing to read", path);
  return std::make_shared<TextFiles>(files);
}

}  // namespace attnlab
