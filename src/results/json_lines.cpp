#include "results/json_lines.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/files.h"
#include "core/json_text.h"

namespace attnlab {

JsonLines::JsonLines(std::filesystem::path path, bool resume) : path_(std::move(path)) {
  if (resume && std::filesystem::exists(path_)) {
    const MappedFile file(path_);
    size_ = static_cast<int64_t>(file.bytes().rfind('\n') + 1);  // npos + 1 is 0: no whole line
  }
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) run_error("cannot open {}: {}", path_.string(), std::strerror(errno));
  if (::ftruncate(descriptor_, size_) != 0) {
    const int cause = errno;
    ::close(descriptor_);
    run_error("cannot write {}: {}", path_.string(), std::strerror(cause));
  }
}

JsonLines::~JsonLines() { ::close(descriptor_); }

void JsonLines::add(const nlohmann::ordered_json& line) {
  kept_ += json_text(line);
  kept_ += '\n';
}

void JsonLines::write() {
  std::size_t done = 0;
  while (done < kept_.size()) {
    const ssize_t written = ::write(descriptor_, kept_.data() + done, kept_.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int cause = errno;
      [[maybe_unused]] const int undone =
          ::ftruncate(descriptor_, size_);  // a cut line is dropped on resuming
      run_error("cannot write {}: {}", path_.string(), std::strerror(cause));
    }
    done += static_cast<std::size_t>(written);
  }
  size_ += static_cast<int64_t>(kept_.size());
  kept_.clear();
}

}  // namespace attnlab
