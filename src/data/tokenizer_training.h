// A SentencePiece tokenizer trained on the texts themselves, for models that are trained from scratch.
#pragma once

#include <cstdint>
#include <string>

#include "data/documents.h"

namespace attnlab {

/// A BPE model in the manner of Llama's (byte fallback, digits apart, no normalisation, <unk> <s> </s> as ids
/// 0, 1, 2), as the bytes of a tokenizer.model. Learned from `sample_bytes` of the first `count` documents,
/// as much of each; the same documents give the same model. `coverage` is the share of their characters that
/// have pieces, the rarest ones being bytes. Throws UserError where SentencePiece refuses.
std::string train_tokenizer(const Documents& documents, int64_t count, int64_t vocabulary,
                            int64_t sample_bytes, double coverage);

}  // namespace attnlab
