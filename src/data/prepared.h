// Prepared splits: one binary file each, written once, memory-mapped by every run.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "data/sequences.h"

namespace attnlab {

/// One example on its way into a prepared file.
struct SequenceExample {
  std::string id;
  int32_t label = 0;
  std::string symbols;  ///< one byte a symbol
};

/// A prepared split. Layout of the file, little-endian, version 1:
///   char magic[8] "attnseq\n" | u64 version | u64 examples | u64 bytes of ids | u64 bytes of symbols |
///   char fingerprint[64] of the source | char sha256[64] of all that follows |
///   u64 id ends[examples] | u64 symbol ends[examples] | i32 labels[examples] | ids | symbols
class PreparedSequences final : public LabelledSequences {
 public:
  /// Maps `file` and checks size, version, fingerprint and SHA-256. Null when it cannot be used; `reason`
  /// then says why, and stays empty when there is no such file.
  static std::shared_ptr<PreparedSequences> open(const std::filesystem::path& file,
                                                 std::string_view fingerprint, std::string& reason);

  /// The same of a file that was carried to where its source is not: no fingerprint is held against it.
  static std::shared_ptr<PreparedSequences> open_carried(const std::filesystem::path& file,
                                                         std::string& reason);

  int64_t size() const override { return count_; }
  std::span<const uint8_t> symbols(int64_t i) const override;
  int32_t label(int64_t i) const override;
  std::string_view id(int64_t i) const override;
  /// SHA-256 of the content: ids, labels and symbols, nothing of where they came from.
  std::string_view content_sha256() const { return sha256_; }

 private:
  static std::shared_ptr<PreparedSequences> open_as(const std::filesystem::path& file,
                                                    std::string_view fingerprint, std::string& reason);
  explicit PreparedSequences(MappedFile file) : file_(std::move(file)) {}
  MappedFile file_;
  int64_t count_ = 0;
  std::string_view sha256_, id_ends_, symbol_ends_, labels_, ids_, symbols_;
};

/// The bytes of a prepared file.
std::string serialize(const std::vector<SequenceExample>& examples, std::string_view fingerprint);

/// Held while a prepared file is made; creates its folder. Waits for a process that makes it already.
FileLock lock_prepared(const std::filesystem::path& file);

/// Opens `file` if it is whole and made from the source with this fingerprint (64 characters); otherwise
/// makes it again from `make()`. Processes that need the same file wait for the one that makes it
/// (`<file>.lock`).
std::shared_ptr<PreparedSequences> open_or_prepare(const std::filesystem::path& file,
                                                   const std::string& fingerprint,
                                                   const std::function<std::vector<SequenceExample>()>& make);

}  // namespace attnlab
