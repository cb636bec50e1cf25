// Files that are either whole or absent: written beside, synced, renamed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attnlab {

/// Writes `bytes` to `path` so that a reader sees the old file or the new one, never a part: temporary file,
/// fsync, rename, fsync of the folder. Throws RunError naming the path and the reason ("No space left on
/// device").
void write_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Whether the name begins with a dot: what systems and editors leave beside the files that they handle
/// (".DS_Store", "._review.txt" of macOS). Where a folder is read such a file is no data.
bool is_hidden(const std::filesystem::path& path);

/// The files in a folder that are not hidden and end in `extension`, in the order of their names, byte by
/// byte. Throws RunError where the folder cannot be listed.
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder, std::string_view extension);

/// The whole file. Throws as MappedFile does.
std::string read_file(const std::filesystem::path& path);

/// SHA-256 in lower-case hexadecimal.
std::string sha256(std::string_view bytes);

/// The same of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256&) = delete;
  ~Sha256();
  void add(std::string_view bytes);
  /// Of all that was added; nothing can be added afterwards.
  std::string hex();

 private:
  void* state_;  ///< OpenSSL's
};

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

/// A file mapped read-only. Throws RunError naming the path and the reason, and UserError for what Git LFS
/// leaves in the place of a file that was not fetched.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  std::string_view bytes() const { return {data_, size_}; }

 private:
  MappedFile() = default;
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace attnlab
