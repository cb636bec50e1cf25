// How BLEU cuts a line into words: sacreBLEU 2.6.0's tokenizers, and fairseq's compound split.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attnlab {

enum class BleuTokenizer {
  mteval_13a,      ///< "13a": as NIST's mteval-v13a.pl; ASCII punctuation, the entities of SGML
  international,   ///< "intl": as mteval-v14.pl; Unicode's punctuation and symbols
  none,            ///< "none": what white space separates
  compound_split,  ///< "compound-split": of tokenised text only (metrics/compound_split.h)
};

/// As a signature names it.
const char* name_of(BleuTokenizer tokenizer);

/// The words of a line, which may be in lower case already. White space is what Python takes for it: U+001C
/// to U+001F, U+0085 and U+00A0 too.
std::vector<std::u32string> bleu_words(std::u32string_view line, BleuTokenizer tokenizer);

}  // namespace attnlab
