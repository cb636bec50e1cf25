#include "data/translation/text_pairs_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/files.h"
#include "core/plain_text.h"
#include "core/shown.h"
#include "core/stop.h"
#include "core/utf8.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

std::string first_bytes(const fs::path& file, std::size_t most) {
  std::string bytes(most, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(bytes.data(), static_cast<std::streamsize>(most));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

/// Throws UserError unless there is a file that begins as UTF-8 may; whether it does with a byte order mark.
bool has_byte_order_mark(const fs::path& file) {
  if (!fs::is_regular_file(file)) user_error("there is no file {}", file.string());
  const std::string beginning = first_bytes(file, 4096);
  refuse_wide_encoding(beginning, file.string());
  return beginning.starts_with(byte_order_mark);
}

void open_lines(std::ifstream& in, const fs::path& file) {
  const std::size_t skipped = has_byte_order_mark(file) ? byte_order_mark.size() : 0;
  in.open(file, std::ios::binary);
  if (!in) user_error("cannot read {}: {}", file.string(), std::strerror(errno));
  in.seekg(static_cast<std::streamoff>(skipped));
}

int64_t count_lines(const fs::path& file) {
  std::ifstream in;
  open_lines(in, file);
  std::vector<char> block(1 << 20);
  int64_t lines = 0;
  char last = '\n';
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())), in.gcount() > 0) {
    lines += std::count(block.begin(), block.begin() + in.gcount(), '\n');
    last = block[static_cast<std::size_t>(in.gcount()) - 1];
  }
  return lines + (last == '\n' ? 0 : 1);
}

[[noreturn]] void refuse_unequal(const TextPairFiles& files, int64_t source, int64_t target) {
  user_error("{} has {} lines and {} has {}: line i of one has to be the translation of line i of the other",
             files.source.string(), source, files.target.string(), target);
}

void require_file(const fs::path& file, const std::string& advice) {
  if (!fs::is_regular_file(file)) user_error("there is no file {}{}", file.string(), advice);
}

}  // namespace

TextLineFile::TextLineFile(const fs::path& file) : path_(file.string()), buffer_(1 << 20) {
  in_.rdbuf()->pubsetbuf(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  open_lines(in_, file);
}

bool TextLineFile::next(std::string& line) {
  if (!std::getline(in_, line)) {
    if (in_.bad()) run_error("cannot read {} after line {}", path_, number_);
    return false;
  }
  ++number_;
  if (line.ends_with('\r')) line.pop_back();
  if (!is_utf8(line))
    user_error(
        "{}:{} is not UTF-8, from byte {} of the line on: convert the file (`iconv -t UTF-8`) or drop "
        "the line from both files",
        path_, number_, first_stray_byte(line) + 1);
  return true;
}

bool TextPairsReader::next(std::string& source, std::string& target) {
  for (; opened_ <= files_.size(); ++opened_) {
    if (source_) {
      const bool one = source_->next(source), other = target_->next(target);
      if (one && other) return true;
      const TextPairFiles& files = files_[opened_ - 1];
      if (one != other) refuse_unequal(files, count_lines(files.source), count_lines(files.target));
    }
    if (opened_ == files_.size()) break;
    source_ = std::make_unique<TextLineFile>(files_[opened_].source);
    target_ = std::make_unique<TextLineFile>(files_[opened_].target);
  }
  return false;
}

int64_t count_pairs(const std::vector<TextPairFiles>& files) {
  int64_t pairs = 0;
  for (const TextPairFiles& both : files) {
    const int64_t source = count_lines(both.source), target = count_lines(both.target);
    if (source != target) refuse_unequal(both, source, target);
    pairs += source;
  }
  return pairs;
}

std::vector<std::string> read_lines(const fs::path& file) {
  TextLineFile lines(file);
  std::vector<std::string> all;
  for (std::string line; lines.next(line);) all.push_back(line);
  return all;
}

std::string checksum_of_contents(const std::vector<fs::path>& files, const std::string& advice) {
  std::string listing;
  for (const fs::path& file : files) {
    require_file(file, advice);
    stop_here_if_requested();
    listing += fmt::format("{} {}\n", shown_name(file.filename().string()), sha256(MappedFile(file).bytes()));
  }
  return sha256(listing);
}

std::string checksum_of_stats(const std::vector<fs::path>& files, const std::string& advice) {
  std::string listing;
  std::error_code failed;
  for (const fs::path& file : files) {
    require_file(file, advice);
    const auto size = fs::file_size(file, failed);
    const auto written = failed ? fs::file_time_type() : fs::last_write_time(file, failed);
    if (failed) run_error("cannot read {}: {}", file.string(), failed.message());
    listing += fmt::format("{} {} {}\n", shown_name(file.filename().string()), size,
                           written.time_since_epoch().count());
  }
  return sha256(listing);
}

}  // namespace attnlab
