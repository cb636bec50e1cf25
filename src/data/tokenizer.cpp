#include "data/tokenizer.h"

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "data/tokenizers/implementation.h"
#include "data/tokenizers/json_tokenizer.h"
#include "data/tokenizers/sentencepiece.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr const char* json_name = "tokenizer.json";
constexpr const char* model_name = "tokenizer.model";

std::unique_ptr<const TokenizerImplementation> open_file(const fs::path& file) {
  return file.extension() == ".json" ? open_json_tokenizer(file) : open_sentencepiece(file);
}

/// The tokenizer.model beside a tokenizer.json that is taken. Of Llama 3 it may be one of tiktoken's, by the
/// same name.
void check_beside(const TokenizerImplementation& taken, const std::string& path, const fs::path& other) {
  std::unique_ptr<const TokenizerImplementation> model;
  try {
    model = open_sentencepiece_alone(other);
  } catch (const UserError& error) {
    log_info("{} is taken alone: {}", path, error.what());
    return;
  }
  check_same_vocabulary(taken, path, *model, other.string());
}

/// Names and checksums of those of these files that are there.
std::string listing_of(const fs::path& folder, std::span<const char* const> names) {
  std::string lines;
  for (const char* name : names)
    if (fs::is_regular_file(folder / name))
      lines += fmt::format("{} {}\n", name, sha256(read_file(folder / name)));
  return lines;
}

}  // namespace

std::string checksum_of_tokenizer(const fs::path& file) {
  constexpr const char* beside[] = {"tokenizer_config.json", "added_tokens.json", "special_tokens_map.json"};
  const std::string own = sha256(read_file(file)), others = listing_of(file.parent_path(), beside);
  return others.empty() ? own : sha256(own + others);
}

std::string checksum_of_settings(const fs::path& folder) {
  constexpr const char* settings[] = {"tokenizer_config.json", "added_tokens.json", "special_tokens_map.json",
                                      "generation_config.json", "chat_template.jinja"};
  return sha256(listing_of(folder, settings));
}

std::optional<fs::path> find_tokenizer(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  for (const char* name : {json_name, model_name})
    if (fs::exists(path / name)) return path / name;
  return std::nullopt;
}

fs::path tokenizer_file(const fs::path& path) {
  if (const auto file = find_tokenizer(path)) return *file;
  user_error("{} holds no tokenizer: there is neither {} nor {} in it", path.string(), json_name, model_name);
}

Tokenizer Tokenizer::open(const fs::path& path) {
  const fs::path file = tokenizer_file(path);
  Tokenizer tokenizer;
  tokenizer.path_ = file.string();
  tokenizer.made_ = open_file(file);
  if (const fs::path other = path / model_name;
      file != path && file.filename() != model_name && fs::exists(other))
    check_beside(*tokenizer.made_, tokenizer.path_, other);
  return tokenizer;
}

std::vector<int64_t> Tokenizer::encode(std::string_view text, bool with_bos, SpecialTokens special) const {
  if (with_bos && !bos_id()) user_error("{} has no BOS token, and texts were to begin with one", path_);
  std::vector<int64_t> ids = made_->encode(text, special);
  check_limit(ids);
  if (with_bos) ids.insert(ids.begin(), *bos_id());
  return ids;
}

Encoding Tokenizer::encode_with_ends(std::string_view text) const {
  Encoding made = made_->encode_with_ends(text);
  check_limit(made.ids);
  return made;
}

std::string Tokenizer::decode(std::span<const int64_t> ids) const {
  for (const int64_t id : ids) check_id(id);
  return made_->decode(ids);
}

int64_t Tokenizer::size() const { return made_->size(); }

const std::string& Tokenizer::piece(int64_t id) const {
  check_id(id);
  return made_->piece(id);
}

std::optional<int64_t> Tokenizer::id_of(const std::string& piece) const { return made_->id_of(piece); }

std::vector<int64_t> Tokenizer::ids_of_text(std::string_view text) const {
  std::vector<int64_t> ids;
  for (int64_t id = 0; id < size(); ++id) {
    if (!made_->is_text(id)) continue;
    const std::string found = made_->bytes_of(id);
    if (found == text || (found.size() == text.size() + 1 && found.front() == ' ' && found.ends_with(text)))
      ids.push_back(id);
  }
  return ids;
}

int64_t Tokenizer::bytes_of(int64_t id) const {
  check_id(id);
  return static_cast<int64_t>(made_->bytes_of(id).size());
}

std::optional<int64_t> Tokenizer::bos_id() const { return made_->bos_id(); }

std::optional<int64_t> Tokenizer::eos_id() const { return made_->eos_id(); }

std::optional<bool> Tokenizer::adds_bos() const { return made_->adds_bos(); }

void Tokenizer::check_vocabulary(int64_t vocabulary) const {
  const int64_t needed = std::max({made_->own_size(), bos_id().value_or(-1) + 1, eos_id().value_or(-1) + 1});
  if (needed > vocabulary)
    user_error("{} has {} pieces and the model {} ids: it is the tokenizer of another vocabulary", path_,
               size(), vocabulary);
}

void Tokenizer::limit_to(int64_t vocabulary) {
  check_vocabulary(vocabulary);
  limit_ = vocabulary;
}

void Tokenizer::check_limit(std::span<const int64_t> ids) const {
  if (limit_ == 0 || size() <= limit_) return;
  for (const int64_t id : ids)
    if (id >= limit_)
      user_error("a text has the token '{}', whose id in {} is {}, and the model has {} ids", piece(id),
                 path_, id, limit_);
}

void Tokenizer::check_id(int64_t id) const {
  if (id < 0 || id >= size()) user_error("{} is no token id: {} has {} pieces", id, path_, size());
}

TextStream::TextStream(const Tokenizer& tokenizer, std::vector<int64_t> before) : tokenizer_(tokenizer) {
  for (const int64_t id : before) tokenizer_.check_id(id);
  stream_ = tokenizer_.made_->stream(std::move(before));
}

TextStream::~TextStream() = default;

std::string TextStream::push(int64_t id) {
  tokenizer_.check_id(id);
  return stream_->push(id);
}

std::string TextStream::finish() { return stream_->finish(); }

std::string text_after(const Tokenizer& tokenizer, const std::vector<int64_t>& before,
                       const std::vector<int64_t>& ids) {
  std::vector<int64_t> pieces = before;
  std::erase_if(pieces, [&](int64_t id) { return id >= tokenizer.size(); });
  TextStream stream(tokenizer, std::move(pieces));
  std::string text;
  for (const int64_t id : ids)
    if (id < tokenizer.size()) text += stream.push(id);
  return text + stream.finish();
}

}  // namespace attnlab
