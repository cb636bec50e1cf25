// Whether a cache's sizes fit the layers of a model, told from its config.json before anything is read that
// takes time.
#pragma once

#include <filesystem>

#include "cache/cache_options.h"
#include "io/hf_config.h"

namespace attnlab {

/// Throws UserError where `cache.sizes` is not a size for each of the layers of the model in the folder.
void check_layer_sizes(const CacheOptions& cache, const HfConfig& config,
                       const std::filesystem::path& folder);

}  // namespace attnlab
