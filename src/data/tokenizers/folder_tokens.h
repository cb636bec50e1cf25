// The tokens that a SentencePiece folder declares beside its tokenizer.model.
#pragma once

#include <filesystem>
#include <vector>

#include "data/tokenizers/added_tokens.h"

namespace attnlab {

struct FolderTokens {
  static constexpr int64_t of_piece =
      -1;  ///< the id of a token that is named alone: its piece's, where it has one

  std::vector<AddedToken> tokens;
  /// Whether what follows a token in a text begins with "▁" as the text itself does: transformers' `legacy`.
  bool space_after_token = true;
  /// Whether a text itself does: `add_prefix_space`.
  bool space_before_text = true;
};

/// What transformers reads for a LlamaTokenizer: tokenizer_config.json's added_tokens_decoder or, without
/// one, added_tokens.json; and the tokens that tokenizer_config.json and special_tokens_map.json name as bos,
/// eos, unk, pad and additional ones. None where no such file stands beside `tokenizer`. Throws UserError,
/// naming file and key, for a file that cannot be read, or that asks for EOS behind every text.
FolderTokens read_folder_tokens(const std::filesystem::path& tokenizer);

}  // namespace attnlab
