// Names of the files that vocabularies leave in the folder of a model.
#pragma once

namespace attnlab {

inline constexpr const char* saved_sentencepiece = "vocabulary.model";
inline constexpr const char* saved_dictionary = "dict.txt";
inline constexpr const char* saved_pieces = "pieces.txt";  ///< how they are joined, one word
inline constexpr const char* saved_codes = "bpe.codes";
inline constexpr const char* saved_bpe_vocabulary = "bpe.vocabulary";

}  // namespace attnlab
