// Tensors by name in safetensors files, which Python's `safetensors` reads and writes as well.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/files.h"
#include "io/safetensors_header.h"

namespace attnlab {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;
using Metadata = std::map<std::string, std::string>;

/// Writes the tensors so that a reader sees the old file or the new one. Tensors may live on any device and
/// have any layout; one at a time is copied where it is not contiguous host memory. Creates the folder.
/// Throws RunError when the disk refuses; the old file then stays.
void save_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                      const Metadata& metadata = {});

/// A safetensors file, mapped: its header is read and checked at once, tensors when asked for.
class SafetensorsFile {
 public:
  /// Throws UserError with one sentence naming the file where it is missing or unsound.
  static SafetensorsFile open(const std::filesystem::path& path);

  const std::string& path() const { return path_; }
  const Metadata& metadata() const { return header_.metadata; }
  /// What the file holds, in the order of its bytes.
  const std::vector<SafetensorsEntry>& entries() const { return header_.tensors; }
  /// Null where there is no such tensor.
  const SafetensorsEntry* find(const std::string& name) const;
  /// The tensor, on the host. It is a view of the mapped file, which lives as long as the view does: never
  /// write into it. Throws UserError where there is no such tensor.
  torch::Tensor tensor(const std::string& name) const;

 private:
  std::string path_;
  std::shared_ptr<MappedFile> file_;
  SafetensorsHeader header_;
  std::map<std::string, std::size_t> index_;
};

}  // namespace attnlab
