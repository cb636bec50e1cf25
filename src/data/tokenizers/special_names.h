// What a tokenizer_config.json says beside a tokenizer's file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace attnlab {

struct SpecialNames {
  std::optional<std::string> bos, eos;
  std::optional<bool> adds_bos;  ///< whether a text begins with BOS
};

/// Nothing where there is no such file beside `tokenizer`. Throws UserError where it is none that can be
/// read.
SpecialNames read_special_names(const std::filesystem::path& tokenizer);

}  // namespace attnlab
