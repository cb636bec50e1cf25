// What people give in place of a model's folder, told by name.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace attnlab {

/// One sentence where `path` is something that is often taken for the folder of a model: the top of a model
/// in a Hugging Face cache, a name on its hub, an adapter, a single file of weights, weights in another
/// format, a folder around that of a model, an empty one. It says what stands there and what is needed.
/// Nothing where it is none of these.
std::optional<std::string> mistaken_for_model(const std::filesystem::path& path);

/// "; pytorch_model.bin is PyTorch's own format" where a folder has weights that are not read; else nothing.
std::string weights_not_read(const std::filesystem::path& folder);

}  // namespace attnlab
