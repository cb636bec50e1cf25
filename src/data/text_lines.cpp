#include "data/text_lines.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/shown.h"
#include "data/json_lines.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

struct NumberedLine {
  int64_t number = 0;
  std::string text;
};

class RunsOfLines final : public Documents {
 public:
  int64_t size() const override { return static_cast<int64_t>(all_.size()); }
  const std::string& id(int64_t i) const override { return all_[static_cast<std::size_t>(i)].id; }
  Document read(int64_t i) const override { return all_[static_cast<std::size_t>(i)]; }

  void add(const fs::path& file, std::span<const NumberedLine> lines) {
    const std::string range = fmt::format("{}-{}", lines.front().number, lines.back().number);
    Document document{
        shown_name(file.filename().string()) + ":" + range, file.string() + ":" + range, "", {}};
    for (const NumberedLine& line : lines) document.text += line.text + "\n";
    all_.push_back(std::move(document));
  }

 private:
  std::vector<Document> all_;
};

std::vector<NumberedLine> lines_of(const fs::path& file) {
  std::vector<NumberedLine> lines;
  for_each_line(file, [&](std::string_view line, int64_t number) {
    lines.push_back({number, std::string(line)});
  });
  return lines;
}

std::span<const NumberedLine> part_of(std::span<const NumberedLine> lines, double held_out, Split split) {
  const auto part = static_cast<std::size_t>(held_out * static_cast<double>(lines.size()));
  const std::size_t train = lines.size() - 2 * part;
  if (split == Split::train) return lines.first(train);
  return lines.subspan(split == Split::validation ? train : train + part, part);
}

}  // namespace

void TextLinesOptions::visit(Fields& f) {
  f("files", files, OneOf{},
    "text files with a sentence a line, in their order; below the data folder where they are not below the "
    "current one");
  f.require(!files.empty(), "files", "must name at least one file");
  f.require(std::set(files.begin(), files.end()).size() == files.size(), "files", "names a file twice");
  f("lines", lines, Range{1, 1e9}, "lines of a document");
  f("held_out", held_out, Range{0, 0.49},
    "share of each file's lines, from its end, that is the test split, and of those before it that is the "
    "validation split");
  f("split", split, {{"train", Split::train}, {"validation", Split::validation}, {"test", Split::test}},
    "which part of the files");
}

std::shared_ptr<Documents> TextLinesOptions::open(const DataPlace& place) const {
  auto documents = std::make_shared<RunsOfLines>();
  for (const std::string& name : files) {
    const fs::path file = fs::exists(name) ? fs::path(name) : place.root / name;
    if (!fs::is_regular_file(file))
      user_error(
          "data.files: there is no file {}, nor {}; scripts/fetch_data newstests fetches WMT's news tests",
          name, file.string());
    const std::vector<NumberedLine> all = lines_of(file);
    const auto part = part_of(all, held_out, split);
    const auto most = static_cast<std::size_t>(lines);
    if (part.empty())
      user_error("data.files: the {} lines of {} leave none to the {} split with held_out: {}", all.size(),
                 file.string(), name_of(split), held_out);
    const std::size_t count = std::max<std::size_t>(1, part.size() / most);
    for (std::size_t i = 0; i < count; ++i)
      documents->add(file, i + 1 < count ? part.subspan(i * most, most) : part.subspan(i * most));
  }
  return documents;
}

}  // namespace attnlab
