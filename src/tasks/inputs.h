// The inputs that several tasks have.
#pragma once

#include <filesystem>

#include "tasks/task.h"

namespace attnlab {

/// The decoder in a Hugging Face folder or in the folder of a run that trained one.
Input model_input(const std::filesystem::path& model);
/// A file read whole.
Input file_input(const std::string& name, const std::filesystem::path& file);
/// The weights that init_from names; none where it is empty.
std::vector<Input> weights_input(const RunContext& context);

/// Records the checksum of each as it is now.
void record_inputs(const std::vector<Input>& inputs, RecordSink& record);

}  // namespace attnlab
