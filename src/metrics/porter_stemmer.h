// Porter's stemmer (1980) as NLTK extends it by default, which ROUGE's reference implementation uses.
#pragma once

#include <string>

namespace attnlab {

/// The stem of a word of lower-case ASCII letters and digits: "relational" → "relat", "dying" → "die".
std::string porter_stem(const std::string& word);

}  // namespace attnlab
