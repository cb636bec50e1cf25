#include "tasks/language/lm_tokenizer.h"

#include "core/files.h"
#include "core/log.h"
#include "data/byte_tokenizer.h"
#include "data/prepared.h"
#include "data/tokenizer_training.h"

namespace attnlab {
void TokenizerSource::visit(Fields& f) {
  f("path", path, OneOf{},
    "tokenizer.json, tokenizer.model or the folder of either; empty: one is trained on the documents");
  f("vocabulary", vocabulary, Range{300, 65536}, "pieces of a tokenizer that is trained");
  f("sample_bytes", sample_bytes, Range{1000, 1e10}, "bytes of text that a tokenizer is trained on");
  f("coverage", coverage, Range{0.9, 1},
    "share of the text's characters that a trained tokenizer knows, the rarest ones being bytes; 1: all");
  f("bytes", bytes, "no pieces: every byte of a text is a token, BOS and EOS beside them (258 ids)");
  f.require(!bytes || path.empty(), "bytes", "are the tokens, but `path` names another tokenizer");
}

std::filesystem::path named_or_trained(const TokenizerSource& o, const TextSource& texts,
                                       const DataPlace& place) {
  if (!o.path.empty()) return tokenizer_file(o.path);
  if (o.bytes) return put_byte_tokenizer(place.cache / "tokenizer-bytes");
  std::string fingerprint =
      fmt::format("sentencepiece 3 {} {} {}", o.vocabulary, o.sample_bytes, texts.checksum);
  if (o.coverage != TokenizerSource().coverage) fingerprint += fmt::format(" {}", o.coverage);
  const std::string key = sha256(fingerprint);
  const auto file = place.cache / ("tokenizer-" + key.substr(0, 16) + ".model");
  if (std::filesystem::exists(file)) return file;
  const FileLock lock = lock_prepared(file);
  if (!std::filesystem::exists(file)) {  // nor made while we waited
    log_info("training a tokenizer of {} pieces on {} bytes", o.vocabulary, o.sample_bytes);
    write_atomically(
        file, train_tokenizer(*texts.documents, texts.count, o.vocabulary, o.sample_bytes, o.coverage));
  }
  return file;
}

}  // namespace attnlab
