#include "tasks/layer_sizes.h"

#include "core/error.h"

namespace attnlab {

void check_layer_sizes(const CacheOptions& cache, const HfConfig& config,
                       const std::filesystem::path& folder) {
  const auto sizes = static_cast<int64_t>(cache.sizes.size());
  if (cache.budget == Budget::list && sizes != config.decoder.layers)
    user_error("cache.sizes has {} entries, but the model in {} has {} layers, each of which needs one",
               sizes, folder.string(), config.decoder.layers);
}

}  // namespace attnlab
