// Labelled sequences for classification, and the data sets that provide them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"

namespace attnlab {

enum class Split { train, validation, test };
std::string_view name_of(Split split);

/// Labelled sequences of symbols below `symbol_count()` ≤ 256, memory-mapped; cheap to share between
/// processes.
class LabelledSequences {
 public:
  virtual ~LabelledSequences() = default;
  virtual int64_t size() const = 0;
  virtual std::span<const uint8_t> symbols(int64_t i) const = 0;
  virtual int32_t label(int64_t i) const = 0;
  virtual std::string_view id(int64_t i) const = 0;  ///< the publisher's name of the example: "test/pos/12_8"
};

/// The splits of a data set. Validation is held out of the publisher's training half by a hash of the
/// example's id, stratified by class; train is the rest.
struct LabelledSplits {
  std::shared_ptr<LabelledSequences> train, validation, test;
  std::string checksum;  ///< SHA-256 over what was prepared; recorded with every run

  std::shared_ptr<LabelledSequences> operator[](Split split) const;
};

/// Where data sets live.
struct DataPlace {
  std::filesystem::path
      root;  ///< holds one folder a data set, as scripts/fetch_data leaves it: root/imdb/aclImdb/…
  std::filesystem::path cache;  ///< prepared binaries, made once, shared by all runs
};

/// Options of one data set; `type` in YAML picks it from the table in data/registry.cpp.
struct SequenceDataOptions : Component {
  virtual std::vector<std::string> class_names() const = 0;
  virtual int64_t symbol_count() const = 0;
  /// Opens every split, each file once, preparing the binary form first where it is absent, stale or damaged.
  /// Throws UserError for a missing class folder or an empty set, RunError for an unreadable file.
  virtual LabelledSplits open(const DataPlace& place) const = 0;
  /// Whether the options say everything about the examples, so that no file can change them.
  virtual bool generated() const { return false; }
  /// One line of raw text, as `attnlab predict` reads it, to symbols.
  virtual std::vector<uint8_t> encode(std::string_view text) const = 0;
  /// Whether the examples held out are trained on as well, so that no update can be selected on them.
  virtual bool trains_on_validation() const { return false; }
};

template <>
const std::vector<Entry<SequenceDataOptions>>& registry<SequenceDataOptions>();

}  // namespace attnlab
