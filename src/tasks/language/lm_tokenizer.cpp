#include "tasks/language/lm_tokenizer.h"

#include "core/files.h"
#include "core/json_map.h"
#include "core/json_text.h"
#include "core/log.h"
#include "data/byte_tokenizer.h"
#include "data/tokenizer_training.h"
#include "io/hf_folder.h"

namespace attnlab {
namespace {

/// The tokenizer's files as they were given; a tokenizer.json that stood alone gets the names of BOS and EOS.
void save_tokenizer(const std::filesystem::path& folder, const Tokenizer& tokenizer,
                    const std::string& bytes) {
  const std::filesystem::path file = tokenizer.path(), config = "tokenizer_config.json";
  const bool json = file.extension() == ".json";
  write_atomically(folder / (json ? "tokenizer.json" : "tokenizer.model"), bytes);
  for (const char* tokens : {"added_tokens.json", "special_tokens_map.json"})
    if (std::filesystem::exists(file.parent_path() / tokens))
      write_atomically(folder / tokens, read_file(file.parent_path() / tokens));
  nlohmann::json names;
  if (std::filesystem::exists(file.parent_path() / config)) {
    names = read_json_map(file.parent_path() / config, "is no valid JSON");
  } else if (json) {
    names["tokenizer_class"] = "PreTrainedTokenizerFast";
    if (const auto bos = tokenizer.bos_id()) names["bos_token"] = tokenizer.piece(*bos);
    if (const auto eos = tokenizer.eos_id()) names["eos_token"] = tokenizer.piece(*eos);
  } else {
    return;  // what the model's folder has already says all
  }
  names["add_bos_token"] = tokenizer.bos_id().has_value();
  write_atomically(folder / config, json_text(names, 2) + "\n");
}

}  // namespace

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
      fmt::format("sentencepiece 2 {} {} {}", o.vocabulary, o.sample_bytes, texts.checksum);
  if (o.coverage != TokenizerSource().coverage) fingerprint += fmt::format(" {}", o.coverage);
  const std::string key = sha256(fingerprint);
  const auto file = place.cache / ("tokenizer-" + key.substr(0, 16) + ".model");
  if (!std::filesystem::exists(file)) {
    log_info("training a tokenizer of {} pieces on {} bytes", o.vocabulary, o.sample_bytes);
    std::filesystem::create_directories(place.cache);
    write_atomically(
        file, train_tokenizer(*texts.documents, texts.count, o.vocabulary, o.sample_bytes, o.coverage));
  }
  return file;
}

void save_language_model(const std::filesystem::path& folder, const Decoder& decoder,
                         const Tokenizer& tokenizer, const std::string& tokenizer_bytes) {
  HfConfig config;
  config.bos_id = tokenizer.bos_id();
  if (const auto eos = tokenizer.eos_id()) config.eos_ids = {*eos};
  config.add_bos = tokenizer.bos_id().has_value();
  save_hf_folder(folder, decoder, config);
  save_tokenizer(folder, tokenizer, tokenizer_bytes);
}

}  // namespace attnlab
