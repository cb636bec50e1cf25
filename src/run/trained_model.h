// `model: decoder_only_lm.yaml#Luna-16 context=512`, or `init_from:`, `start_from:` alike: what a run of
// another experiment has trained, named by the row of that run as `attnlab list` shows it; of several seeds
// the run of the seed that reads it. An experiment of one run has a row without a name. The file stands
// beside the one that names it, or where its path says.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "config/reader.h"

namespace attnlab {

/// The folder of the run in a row of an experiment's file.
using FolderOfRow =
    std::function<std::filesystem::path(const std::filesystem::path& file, const std::string& row)>;

/// Replaces such a `model:`, `init_from:` and `start_from:` by the run's folder; any other stays. Throws
/// UserError, naming file and line, with what `folder_of_row` says.
void name_trained_model(Config& config, const FolderOfRow& folder_of_row);

}  // namespace attnlab
