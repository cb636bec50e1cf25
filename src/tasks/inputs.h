// The inputs that several tasks have.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/model_folder.h"
#include "tasks/task.h"
#include "train/options.h"

namespace attnlab {

/// The decoder in a Hugging Face folder or in the folder of a run that trained one.
Input model_input(const std::filesystem::path& model);
/// A file read whole.
Input file_input(const std::string& name, const std::filesystem::path& file);
/// The weights that init_from names; none where it is empty.
std::vector<Input> weights_input(const RunContext& context);

/// The weights that a run's figures are of: its own, or where it only evaluates those of init_from.
std::filesystem::path evaluated_weights(bool trains, EvaluateWith with, const RunContext& context);

/// What a folder says of how its model's tokenizer is used (data/tokenizer.h).
Input settings_input(const std::filesystem::path& folder);

/// A pre-trained model, the file of its tokenizer, and the settings of both folders.
std::vector<Input> pretrained_inputs(const PretrainedOptions& options);

/// Throws UserError where init_from is set, for a task that takes weights from `model` alone.
void refuse_init_from(const RunContext& context, std::string_view task);
/// The same for a task that measures speed with weights drawn at random.
void refuse_weights(const RunContext& context, std::string_view task);

/// By name, of inputs as they are now.
using Checksums = std::map<std::string, std::string>;
Checksums checksums_of(const std::vector<Input>& inputs);
/// As attributes <name>_checksum.
void record_checksums(const Checksums& checksums, RecordSink& record);

/// Records the checksum of each as it is now.
void record_inputs(const std::vector<Input>& inputs, RecordSink& record);

}  // namespace attnlab
