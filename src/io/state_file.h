// What a decoder remembers of a text, in a safetensors file: a long text is read once and gone on from later.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cache/state.h"

namespace attnlab {

/// A text of which all ids but the last have been read into states: so there is always one to go on with.
struct StoredText {
  std::vector<int64_t> ids;
  std::string model;  ///< checksum of the model that read them
};

/// Writes the states of one text as layers.<i>.<name>, and its ids. Throws RunError when the disk refuses.
void save_state_file(const std::filesystem::path& path, const DecoderState& states, const StoredText& text);

/// Puts them into fresh states and returns the text. Throws UserError with one sentence naming the file where
/// it is no such file, is of another model than `model`, or of states of another kind, type or size.
StoredText load_state_file(const std::filesystem::path& path, const std::string& model, DecoderState& states);

}  // namespace attnlab
