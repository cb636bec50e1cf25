// The outer form of a SentencePiece model file, looked at before its library is given it: the library takes a
// file that was cut between two fields for a smaller model, and follows the tables of its normaliser without
// checking where they lead.
#pragma once

#include <string>
#include <string_view>

namespace attnlab {

/// Throws UserError with a sentence that begins with `file` unless the bytes are whole fields of the
/// ModelProto of sentencepiece_model.proto, with pieces and both specifications, and tables of normalisation
/// that lead to nothing outside themselves.
void check_sentencepiece_file(std::string_view bytes, const std::string& file);

}  // namespace attnlab
