// A vocabulary of bytes: every byte of a text is a token, for models that are trained from scratch.
#pragma once

#include <filesystem>

namespace attnlab {

/// Writes tokenizer.json and tokenizer_config.json into the folder, unless they are there: <s> and </s> as
/// ids 0 and 1, byte b as 2 + b in the letters of ByteLevel, no merges. Everything that reads a byte-level
/// tokenizer reads it, transformers included. Returns the path of tokenizer.json. Throws RunError when the
/// disk refuses.
std::filesystem::path put_byte_tokenizer(const std::filesystem::path& folder);

}  // namespace attnlab
