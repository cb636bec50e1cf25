// Unicode's normalisation form C, as the `tokenizers` package has it (make_tables.py).
#pragma once

#include <string_view>

#include "data/unicode/text_map.h"

namespace attnlab {

/// Whether the text is its own NFC for sure: no character of it joins, moves or changes.
bool is_surely_nfc(std::string_view text);

/// The NFC of well-formed UTF-8.
ChangedText nfc(std::string_view text);

}  // namespace attnlab
