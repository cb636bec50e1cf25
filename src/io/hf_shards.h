// The weights of a Hugging Face folder as one collection of tensors, whichever files hold them.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "io/safetensors.h"

namespace attnlab {

class HfShards {
 public:
  /// Maps model.safetensors, or the shards that model.safetensors.index.json names, and checks that each
  /// holds what the index says. Throws UserError with one sentence.
  static HfShards open(const std::filesystem::path& folder);

  /// Names of all tensors, sorted.
  std::vector<std::string> names() const;
  bool holds(const std::string& name) const { return shard_of_.contains(name); }
  /// The file that holds the tensor; holds(name) must be true.
  const SafetensorsFile& file_of(const std::string& name) const { return files_.at(shard_of_.at(name)); }
  /// Where a reader would look for a tensor that is not there: the index, or the only file.
  const std::string& listing() const { return listing_; }

 private:
  std::map<std::string, SafetensorsFile> files_;
  std::map<std::string, std::string> shard_of_;  ///< file by tensor
  std::string listing_;
};

/// Writes the tensors into as many files as `shard_bytes` asks for, with an index beside several, and removes
/// the files of an older set. Throws RunError.
void save_hf_shards(const std::filesystem::path& folder, const NamedTensors& tensors, int64_t shard_bytes);

}  // namespace attnlab
