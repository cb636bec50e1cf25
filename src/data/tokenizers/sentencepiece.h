// tokenizer.model: SentencePiece models (Kudo and Richardson 2018), read through their own library.
#pragma once

#include <filesystem>
#include <memory>

#include "data/tokenizers/implementation.h"

namespace attnlab {

/// With the tokens that its folder declares beside it. Throws UserError with one sentence naming the file
/// where it is missing, cut short or no SentencePiece model.
std::unique_ptr<const TokenizerImplementation> open_sentencepiece(const std::filesystem::path& path);
/// The model without them.
std::unique_ptr<const TokenizerImplementation> open_sentencepiece_alone(const std::filesystem::path& path);

}  // namespace attnlab
