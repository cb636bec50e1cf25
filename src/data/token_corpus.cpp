#include "data/token_corpus.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/log.h"
#include "core/stop.h"
#include "data/token_lines.h"

namespace attnlab {
namespace {

constexpr int64_t token_bytes = sizeof(uint16_t);

std::vector<uint16_t> tokens_of(const Tokenizer& tokenizer, const Document& document) {
  if (!document.ids.empty()) {
    check_ids(document, tokenizer.size());
    return {document.ids.begin(), document.ids.end()};
  }
  std::vector<int64_t> ids = tokenizer.encode(document.text, tokenizer.bos_id().has_value());
  if (const auto eos = tokenizer.eos_id()) ids.push_back(*eos);
  return {ids.begin(), ids.end()};
}

std::string bytes_of(const std::vector<uint16_t>& tokens) {
  return {reinterpret_cast<const char*>(tokens.data()), tokens.size() * token_bytes};
}

}  // namespace

TokenCorpus::TokenCorpus(std::shared_ptr<PreparedSequences> documents) : documents_(std::move(documents)) {
  int64_t total = 0;
  for (int64_t i = 0; i < documents_->size(); ++i)
    ends_.push_back(total += static_cast<int64_t>(documents_->symbols(i).size()) / token_bytes);
}

std::vector<int64_t> TokenCorpus::slice(int64_t first, int64_t count) const {
  ensure(first >= 0 && count >= 0 && first + count <= size(), "tokens within the corpus");
  std::vector<int64_t> tokens;
  tokens.reserve(static_cast<size_t>(count));
  auto document = std::upper_bound(ends_.begin(), ends_.end(), first) - ends_.begin();
  for (int64_t at = first; at < first + count; ++document) {
    const int64_t end = ends_[static_cast<size_t>(document)];
    const auto bytes = documents_->symbols(document);
    const int64_t begin = end - static_cast<int64_t>(bytes.size()) / token_bytes;
    for (; at < std::min(end, first + count); ++at) {
      uint16_t token;  // the file aligns nothing
      std::memcpy(&token, bytes.data() + (at - begin) * token_bytes, sizeof token);
      tokens.push_back(token);
    }
  }
  return tokens;
}

TextSource open_texts(const DocumentDataOptions& data, int64_t documents, const DataPlace& place) {
  auto opened = data.open(place);
  const int64_t count = count_of(*opened, documents);
  std::string checksum = checksum_of(*opened, count);
  return {std::move(opened), count, std::move(checksum)};
}

TokenCorpus open_tokens(const TextSource& texts, const DataPlace& place, const Tokenizer& tokenizer,
                        const std::string& tokenizer_checksum) {
  if (tokenizer.size() > 65536)
    user_error("tokenizer: a vocabulary of {} pieces is above the 65,536 that a corpus holds",
               tokenizer.size());
  const std::string fingerprint = sha256("tokens 1 " + tokenizer_checksum + texts.checksum);
  const auto file = place.cache / ("tokens-" + fingerprint.substr(0, 16) + ".bin");
  return TokenCorpus(open_or_prepare(file, fingerprint, [&] {
    std::vector<SequenceExample> all;
    int64_t tokens = 0;
    for (int64_t i = 0; i < texts.count; ++i) {
      stop_here_if_requested();
      all.push_back({texts.documents->id(i), 0, bytes_of(tokens_of(tokenizer, texts.documents->read(i)))});
      tokens += static_cast<int64_t>(all.back().symbols.size()) / token_bytes;
      log_progress(fmt::format("tokenizing: {} of {} documents, {} tokens", i + 1, texts.count, tokens));
    }
    return all;
  }));
}

}  // namespace attnlab
