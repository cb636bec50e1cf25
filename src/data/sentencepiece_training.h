// SentencePiece's own trainer (Kudo and Richardson 2018), as this project calls it.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace attnlab {

/// A BPE model of so many pieces, learned from the lines, as the bytes of a .model file; `settings`: further
/// ones of the trainer's. The same lines give the same model on every machine. Lines of more than 4,000 bytes
/// count in parts, for the library would leave them out. Throws UserError where it refuses: too many pieces
/// for so little text.
std::string train_sentencepiece(std::vector<std::string> lines, int64_t pieces, double coverage,
                                std::unordered_map<std::string, std::string> settings);

}  // namespace attnlab
