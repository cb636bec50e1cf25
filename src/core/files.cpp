#include "core/files.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "core/atomic_writer.h"
#include "core/error.h"
#include "core/log.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// A descriptor that closes itself.
struct Descriptor {
  explicit Descriptor(int number) : number(number) {}
  Descriptor(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  int number;
};

[[noreturn]] void fail(const char* what, const fs::path& path) {
  run_error("cannot {} {}: {}", what, path.string(), std::strerror(errno));
}

/// What flock answers where the file system or the kernel has no locks: some NFS and Lustre mounts, FUSE, 9p.
bool has_no_locks(int error) {
  return error == ENOSYS || error == ENOLCK || error == EOPNOTSUPP || error == ENOTSUP || error == EINVAL;
}

void warn_of_no_locks(const fs::path& path, int error) {
  static std::mutex lock;
  static std::set<std::string> warned;
  const std::lock_guard held(lock);
  const std::string folder = path.parent_path().string();
  if (warned.insert(folder).second)
    log_info(
        "the file system of {} has no locks ({}): going on without; start no second process on the same run, "
        "or name another results_folder",
        folder, std::strerror(error));
}

/// A clone without Git LFS holds a few lines of text that stand for a file.
void refuse_lfs_pointer(std::string_view bytes, const fs::path& path) {
  constexpr std::size_t longest = 1024;  // by the format's own rule
  if (bytes.size() >= longest || !bytes.starts_with("version https://git-lfs.github.com/spec/") ||
      bytes.find("\noid ") == std::string_view::npos)
    return;
  user_error(
      "{} is not the file itself but a pointer to it, as a clone without Git LFS leaves; `git lfs pull`, in "
      "that clone, fetches the file",
      path.string());
}

}  // namespace

void write_atomically(const fs::path& path, std::string_view bytes) {
  AtomicWriter writer(path);
  writer.write(bytes);
  writer.commit();
}

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

std::vector<fs::path> files_in(const fs::path& folder, std::string_view extension) {
  std::vector<fs::path> files;
  std::error_code failed;
  fs::directory_iterator listing(folder, failed);
  for (; !failed && listing != fs::directory_iterator(); listing.increment(failed)) {
    const fs::path& path = listing->path();
    std::error_code gone;  // since it was listed, or a link that leads nowhere: no file
    if (path.extension() == extension && !is_hidden(path) && listing->is_regular_file(gone))
      files.push_back(path);
  }
  if (failed) run_error("cannot list {}: {}", folder.string(), failed.message());
  std::sort(files.begin(), files.end(),
            [](const fs::path& a, const fs::path& b) { return a.filename() < b.filename(); });
  return files;
}

std::string read_file(const fs::path& path) {
  const MappedFile file(path);
  return std::string(file.bytes());
}

std::string sha256(std::string_view bytes) {
  Sha256 sum;
  sum.add(bytes);
  return sum.hex();
}

Sha256::Sha256() : state_(EVP_MD_CTX_new()) {
  ensure(EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(state_), EVP_sha256(), nullptr) == 1,
         "SHA-256 to be available");
}

Sha256::~Sha256() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(state_)); }

void Sha256::add(std::string_view bytes) {
  EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(state_), bytes.data(), bytes.size());
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  ensure(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(state_), digest, &length) == 1,
         "SHA-256 to be available");
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::optional<FileLock> FileLock::try_acquire(const fs::path& path) {
  const int d = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (d < 0) fail("open", path);
  if (::flock(d, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    ::close(d);
    if (reason == EWOULDBLOCK) return std::nullopt;
    if (!has_no_locks(reason)) {
      errno = reason;
      fail("lock", path);
    }
    warn_of_no_locks(path, reason);
    return FileLock(-1);
  }
  struct stat locked {
  }, named{};
  if (::fstat(d, &locked) == 0 && ::stat(path.c_str(), &named) == 0 && locked.st_ino == named.st_ino &&
      locked.st_dev == named.st_dev)
    return FileLock(d);
  ::close(d);  // the file was removed, and perhaps made anew, between opening and locking
  return std::nullopt;
}

bool FileLock::is_held(const fs::path& path) {
  const Descriptor d(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return d.number >= 0 && ::flock(d.number, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

MappedFile::MappedFile(const fs::path& path) : MappedFile() {
  const Descriptor d(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (d.number < 0) fail("open", path);
  struct stat status {};
  if (::fstat(d.number, &status) != 0) fail("read", path);
  if (!S_ISREG(status.st_mode)) {
    errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    fail("read", path);
  }
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) return;
  void* map = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, d.number, 0);
  if (map == MAP_FAILED) fail("map", path);
  data_ = static_cast<const char*>(map);
  refuse_lfs_pointer(bytes(), path);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<char*>(data_), size_);
}

}  // namespace attnlab
