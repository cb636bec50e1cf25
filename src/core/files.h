// Files that are either whole or absent: written beside, synced, renamed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace attnlab {

/// Writes `bytes` to `path` so that a reader sees the old file or the new one, never a part: temporary file,
/// fsync, rename, fsync of the folder. Throws RunError naming the path and the reason ("No space left on
/// device").
void write_atomically(const std::filesystem::path& path, std::string_view bytes);

/// The whole file. Throws RunError naming the path and the reason.
std::string read_file(const std::filesystem::path& path);

/// SHA-256 in lower-case hexadecimal.
std::string sha256(std::string_view bytes);

/// An exclusive lock on a file, held while the object lives; the kernel frees it however the process ends.
class FileLock {
 public:
  /// The lock, or nothing when another process holds it. Creates the file. On a file system that has no locks
  /// it is one that keeps nobody out, and a line says so once a folder.
  static std::optional<FileLock> try_acquire(const std::filesystem::path& path);
  /// Whether another process holds it. Needs no right to write; false where there is no such file.
  static bool is_held(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// A file mapped read-only.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  std::string_view bytes() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace attnlab
