// Sentences as fairseq-preprocess leaves them: a .bin of ids and an .idx that says where each begins.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/files.h"

namespace attnlab {

/// `MMapIndexedDataset`: 9 bytes "MMIDIDX\0\0", u64 version 1, u8 type of the ids, u64 sentences, i32
/// lengths, i64 offsets in bytes; the .bin holds the ids alone. Memory-mapped.
class FairseqFile {
 public:
  /// Opens <stem>.idx and <stem>.bin. Throws UserError, one sentence with the file, for a missing or damaged
  /// one, one of fairseq's other formats, a sentence that does not end with EOS, and an id that is not below
  /// `vocabulary`. Reads everything once for it.
  FairseqFile(const std::filesystem::path& stem, int64_t vocabulary);

  int64_t size() const { return count_; }
  int64_t length(int64_t i) const;
  void read(int64_t i, std::vector<int64_t>& ids) const;
  std::string sha256_of_files() const { return sha256(sha256(index_.bytes()) + sha256(bytes_.bytes())); }

 private:
  void read_header();
  void check_places() const;
  void check_ids(int64_t vocabulary) const;
  int64_t id_at(std::size_t byte) const;
  int64_t offset(int64_t i) const;

  std::string index_name_, bytes_name_;
  MappedFile index_, bytes_;
  int64_t count_ = 0, id_bytes_ = 0;
  bool is_signed_ = false;
};

}  // namespace attnlab
