// Prepared sentence pairs: one binary file for each part of a set, written once by a stream, memory-mapped by
// every run.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/atomic_writer.h"
#include "core/files.h"
#include "data/translation/pairs.h"

namespace attnlab {

/// A prepared part. Layout of the file, little-endian, version 1:
///   char magic[8] "attnpair" | u64 version | ids | note | u64 ends[pairs] | i32 source lengths[pairs] |
///   u64 pairs | u64 bytes an id (2 or 4) | u64 bytes of ids | u64 bytes of the note | u64 vocabulary |
///   char fingerprint[64] of what it was made from | char sha256[64] of all that stands before these two
/// The ids of pair i, source then target, end at ids[ends[i]]. What is known last stands last, so that a
/// set is written without ever being held.
class PairFile final : public SentencePairs {
 public:
  /// Maps `file` and checks size, version, SHA-256, fingerprint and lengths. Null when it cannot be used;
  /// `reason` then says why, and stays empty when there is no such file.
  static std::shared_ptr<PairFile> open(const std::filesystem::path& file, std::string_view fingerprint,
                                        std::string& reason);

  int64_t size() const override { return count_; }
  int64_t source_length(int64_t i) const override;
  int64_t target_length(int64_t i) const override;
  void source(int64_t i, std::vector<int64_t>& ids) const override;
  void target(int64_t i, std::vector<int64_t>& ids) const override;
  std::string_view content_sha256() const override { return sha256_; }
  /// What the writer said of the pairs.
  std::string_view note() const { return note_; }

 private:
  explicit PairFile(MappedFile file) : file_(std::move(file)) {}
  uint64_t begin(int64_t i) const;
  void copy(uint64_t first, int64_t count, std::vector<int64_t>& ids) const;

  MappedFile file_;
  int64_t count_ = 0;
  bool wide_ = false;
  std::string_view sha256_, ids_, note_, ends_, source_lengths_;
};

/// Writes such a file pair by pair; it is there once finish() has been called.
class PairFileWriter {
 public:
  /// Ids are below `vocabulary`.
  PairFileWriter(const std::filesystem::path& file, int64_t vocabulary);
  /// Ids with EOS at their ends.
  void add(const std::vector<int64_t>& source, const std::vector<int64_t>& target);
  void finish(std::string_view note, std::string_view fingerprint);

 private:
  void put(const std::vector<int64_t>& ids);
  void flush();
  void write(std::string_view bytes);

  AtomicWriter file_;
  Sha256 sum_;
  int64_t vocabulary_;
  uint64_t total_ = 0;
  std::string waiting_;
  std::vector<uint64_t> ends_;
  std::vector<int32_t> source_lengths_;
};

/// Opens `file` if it is whole and made from the sources with this fingerprint (64 characters); otherwise
/// makes it again: `make` adds the pairs and returns the note. Processes that need the same file wait for the
/// one that makes it (`<file>.lock`).
std::shared_ptr<PairFile> open_or_write_pairs(const std::filesystem::path& file,
                                              const std::string& fingerprint, int64_t vocabulary,
                                              const std::function<std::string(PairFileWriter&)>& make);

}  // namespace attnlab
