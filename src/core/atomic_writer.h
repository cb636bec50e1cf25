// A file written piece by piece that is either whole or absent.
#pragma once

#include <filesystem>
#include <string_view>

namespace attnlab {

/// Like write_atomically (core/files.h) for what is too large to hold twice: pieces go to `path`.part, and
/// commit() syncs and renames it. Without commit() the destructor removes the part and `path` stays as it
/// was. Throws RunError naming the path and the reason ("No space left on device").
class AtomicWriter {
 public:
  /// Creates the folder that will hold the file.
  explicit AtomicWriter(std::filesystem::path path);
  AtomicWriter(const AtomicWriter&) = delete;
  AtomicWriter& operator=(const AtomicWriter&) = delete;
  ~AtomicWriter();

  void write(std::string_view bytes);
  void commit();

 private:
  std::filesystem::path path_, part_;
  int descriptor_ = -1;
};

}  // namespace attnlab
