#include "core/atomic_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace attnlab {
namespace {

[[noreturn]] void fail(const char* what, const std::filesystem::path& path) {
  run_error("cannot {} {}: {}", what, path.string(), std::strerror(errno));
}

}  // namespace

AtomicWriter::AtomicWriter(std::filesystem::path path)
    : path_(std::move(path)), part_(path_.string() + ".part") {
  std::error_code failed;
  if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path(), failed);
  if (failed) run_error("cannot create {}: {}", path_.parent_path().string(), failed.message());
  descriptor_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("create", part_);
}

AtomicWriter::~AtomicWriter() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(part_.c_str());
}

void AtomicWriter::write(std::string_view bytes) {
  constexpr std::size_t most = std::size_t{1} << 30;  // Linux writes at most 2^31 − 4096 bytes a call
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), std::min(bytes.size(), most));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", path_);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void AtomicWriter::commit() {
  if (::fsync(descriptor_) != 0) fail("sync", path_);
  if (::rename(part_.c_str(), path_.c_str()) != 0) fail("write", path_);
  ::close(std::exchange(descriptor_, -1));
  const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
  const int d = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (d < 0) return;
  ::fsync(d);
  ::close(d);
}

}  // namespace attnlab
