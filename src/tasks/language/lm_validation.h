// What training of a language model is validated by: perplexity on texts that are held out of it.
#pragma once

#include <optional>

#include "data/token_corpus.h"
#include "models/decoder.h"
#include "tasks/language/train_lm.h"
#include "train/train.h"

namespace attnlab {

/// exp of the mean NLL over the first `options.validation_tokens` tokens, read in chunks that begin with
/// `bos` where there is one; the standard error is that of the mean over chunks, carried through the
/// exponential. With `validation_by_document` over the first tokens of every document, each read by itself,
/// and the standard error is over documents.
Validation validate_on_text(Decoder& decoder, const TokenCorpus& corpus, const TrainLmOptions& options,
                            std::optional<int64_t> bos, torch::Device device);

}  // namespace attnlab
