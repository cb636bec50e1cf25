#include "data/tokenizer_training.h"

#include <algorithm>
#include <vector>

#include "data/sentencepiece_training.h"

namespace attnlab {
namespace {

/// The same share of every document, from its beginning, cut into lines.
std::vector<std::string> sample(const Documents& documents, int64_t count, int64_t bytes) {
  std::vector<std::string> lines;
  const int64_t share = std::max<int64_t>(1, bytes / count);
  for (int64_t i = 0; i < count; ++i) {
    const std::string text = documents.read(i).text;
    size_t limit = std::min(text.size(), static_cast<size_t>(share));
    while (limit > 0 && limit < text.size() && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80)
      --limit;  // not within a character
    for (size_t at = 0; at < limit;) {
      const size_t end = std::min(text.find('\n', at), limit);
      if (end > at) lines.push_back(text.substr(at, end - at));
      at = end + 1;
    }
  }
  return lines;
}

}  // namespace

std::string train_tokenizer(const Documents& documents, int64_t count, int64_t vocabulary,
                            int64_t sample_bytes, double coverage) {
  return train_sentencepiece(sample(documents, count, sample_bytes), vocabulary, coverage,
                             {{"byte_fallback", "true"},
                              {"split_digits", "true"},
                              {"normalization_rule_name", "identity"},
                              {"remove_extra_whitespaces", "false"},
                              {"allow_whitespace_only_pieces", "true"}});
}

}  // namespace attnlab
