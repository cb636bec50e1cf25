// Checkpoints of a run. checkpoint/last.safetensors is one atomic file with everything that training
// continues from; checkpoint/best.safetensors holds weights alone under the model's own names, as do files of
// anybody's making.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <string>

#include "io/safetensors.h"

namespace attnlab {

/// Raised when what a checkpoint holds changes its meaning.
inline constexpr const char* checkpoint_version = "1";

std::filesystem::path last_checkpoint(const std::filesystem::path& run_folder);
std::filesystem::path best_checkpoint(const std::filesystem::path& run_folder);
/// The mean over several updates.
std::filesystem::path average_checkpoint(const std::filesystem::path& run_folder);

/// Parameters and buffers of the module by their dotted names, `prefix` before each: live tensors, not
/// copies.
NamedTensors module_tensors(const torch::nn::Module& module, const std::string& prefix = "");

/// Copies of them, and those put back into the module that they were made of.
NamedTensors copies_of(const torch::nn::Module& module);
void put_copies(const NamedTensors& copies, torch::nn::Module& module);

/// Writes tensors and metadata marked as a whole checkpoint of this version.
void save_checkpoint(const std::filesystem::path& path, const NamedTensors& tensors, Metadata metadata);
/// Opens what save_checkpoint wrote. Throws UserError where it is cut short, of another version or no
/// checkpoint.
SafetensorsFile open_checkpoint(const std::filesystem::path& path);

/// Copies the file's tensors into live ones of the same names and shapes, all or none. Names in the file that
/// begin with none of the prefixes of `live` do not matter. Throws UserError listing up to three differences.
void restore_tensors(const SafetensorsFile& file, const NamedTensors& live,
                     const std::string& file_prefix = "");

/// Writes the weights alone. Metadata says of which update and run.
void save_weights(const std::filesystem::path& path, const torch::nn::Module& module, Metadata metadata);
/// The file that load_weights reads: `run_or_file` itself, or in a run's folder the weights that the run is
/// evaluated with, which are its average or best ones where it keeps such, else its last. Throws UserError
/// where the folder has none of them.
std::filesystem::path weights_file(const std::filesystem::path& run_or_file);
/// What the file that load_weights reads says of itself. Throws UserError as above.
Metadata said_of_weights(const std::filesystem::path& run_or_file);
/// The run's folder that such a place is, or that such a file's checkpoint/ lies in.
std::filesystem::path run_of_weights(const std::filesystem::path& run_or_file);
/// Loads weights into the module from a run's folder or from a safetensors file: weights alone, or a whole
/// checkpoint, of which only the model is taken. Throws UserError as above.
void load_weights(torch::nn::Module& module, const std::filesystem::path& run_or_file);

}  // namespace attnlab
