// Words of a text, as they are counted for the perplexity per word.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace attnlab {

/// Words that begin in bytes [begin, end) of a UTF-8 text; a word is what stands between white space as
/// Python's str.split() sees it, so that the whole text has len(text.split()) words. Neighbouring ranges
/// count every word once.
int64_t count_words(std::string_view text, int64_t begin, int64_t end);

/// Without the white space at both ends, as str.strip() and Jinja's trim leave it.
std::string_view stripped(std::string_view text);

/// The words themselves.
std::vector<std::string_view> words_of(std::string_view text);

}  // namespace attnlab
