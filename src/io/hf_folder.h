// Decoders in Hugging Face's folders: config.json, *.safetensors (one file, or shards with an index), and a
// tokenizer beside them that data/tokenizer.h reads.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "io/hf_config.h"
#include "models/decoder.h"

namespace attnlab {

struct HfLoadOptions {
  std::optional<torch::ScalarType> type = {};  ///< of all weights in memory; none: what config.json says
  torch::Device device = torch::kCPU;
  bool trainable = false;  ///< weights of their own memory that take gradients, never views of the files
  /// Weights on the CPU that take at most this share of the available memory are copied there, in pages of 2
  /// MiB: those of a file have 4 KiB, and finding them takes a third of the time in a virtual machine
  /// (measured: one thread reads 20 GB/s instead of 14). 0: never.
  double copied_share = 1.0 / 8;
};

struct HfModel {
  HfConfig config;
  Decoder decoder{nullptr};
};

/// Builds the model of the folder. Files are mapped; a weight whose type and device already fit is a view of
/// its file, read from disk when it is first used, unless the model is small (copied_share), and any other is
/// converted on its own, so that the peak is the model plus one tensor. Throws UserError with one sentence:
/// what read_hf_config refuses, a missing shard, an index that names what its shard does not hold, a weight
/// that is missing, of another shape than config.json says, of no floating type, or unknown to this
/// architecture. Buffers that follow from the configuration (rotary_emb.*) are not looked at; of an
/// lm_head.weight that differs where embeddings are tied a line says that it is not used.
HfModel load_hf_folder(const std::filesystem::path& folder, const HfLoadOptions& options = {});

struct HfSaveOptions {
  int64_t shard_bytes = 5'000'000'000;  ///< the most that one file holds, unless a single tensor is larger
};

/// Writes config.json and the weights, so that transformers and load_hf_folder read them; `config.decoder`
/// and `config.type` are taken from the model. Puts an index beside several shards. An old model in the
/// folder is replaced. Throws RunError when the disk refuses.
void save_hf_folder(const std::filesystem::path& folder, const Decoder& decoder, HfConfig config,
                    const HfSaveOptions& options = {});

}  // namespace attnlab
