#include "data/tokenizer.h"

#include <sentencepiece_processor.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "data/sentencepiece_file.h"

namespace attnlab {
namespace {

constexpr std::string_view word_start = "\u2581";  // "▁", SentencePiece's space
constexpr std::string_view replacement = "\uFFFD";

std::string read_model(const std::filesystem::path& path) {
  try {
    return read_file(path);
  } catch (const RunError& failure) {
    throw UserError(failure.what());  // a file that the user named and that cannot be read
  }
}

/// The piece with spaces for "▁".
std::string with_spaces(std::string_view piece) {
  std::string text;
  while (!piece.empty()) {
    if (piece.starts_with(word_start)) {
      text += ' ';
      piece.remove_prefix(word_start.size());
    } else {
      text += piece.front();
      piece.remove_prefix(1);
    }
  }
  return text;
}

std::shared_ptr<const sentencepiece::SentencePieceProcessor> load_model(const std::string& bytes,
                                                                        const std::string& path) {
  auto model = std::make_shared<sentencepiece::SentencePieceProcessor>();
  std::string reason;
  try {
    const auto status = model->LoadFromSerializedProto(bytes);
    if (status.ok()) return model;
    reason = status.error_message();
  } catch (const std::exception& failure) {  // of its tries: a piece that begins with NUL
    reason = failure.what();
  }
  user_error("{} is no SentencePiece model that can be used: {}", path, reason);
}

std::vector<int> as_ints(std::span<const int64_t> ids) { return {ids.begin(), ids.end()}; }

}  // namespace

Tokenizer Tokenizer::open(const std::filesystem::path& path) {
  Tokenizer tokenizer;
  tokenizer.path_ = path.string();
  const std::string bytes = read_model(path);
  check_sentencepiece_file(bytes, tokenizer.path_);
  tokenizer.model_ = load_model(bytes, tokenizer.path_);
  return tokenizer;
}

std::vector<int64_t> Tokenizer::encode(std::string_view text, bool with_bos) const {
  std::vector<int> pieces;
  const auto status = model_->Encode(text, &pieces);
  if (!status.ok()) run_error("{} cannot encode a text: {}", path_, status.error_message());
  std::vector<int64_t> ids;
  if (with_bos) {
    if (!bos_id()) user_error("{} has no BOS token, and texts were to begin with one", path_);
    ids.push_back(*bos_id());
  }
  ids.insert(ids.end(), pieces.begin(), pieces.end());
  return ids;
}

std::string Tokenizer::decode(std::span<const int64_t> ids) const {
  for (const int64_t id : ids) check_id(id);
  std::string text;
  const auto status = model_->Decode(as_ints(ids), &text);
  if (!status.ok()) run_error("{} cannot decode ids: {}", path_, status.error_message());
  return text;
}

int64_t Tokenizer::size() const { return model_->GetPieceSize(); }

const std::string& Tokenizer::piece(int64_t id) const {
  check_id(id);
  return model_->IdToPiece(static_cast<int>(id));
}

std::optional<int64_t> Tokenizer::id_of(const std::string& piece) const {
  const int id = model_->PieceToId(piece);  // of a piece that is not there: the unknown's
  return model_->IdToPiece(id) == piece ? std::optional<int64_t>(id) : std::nullopt;
}

std::vector<int64_t> Tokenizer::ids_of_text(std::string_view text) const {
  std::vector<int64_t> ids;
  for (int64_t id = 0; id < size(); ++id) {
    const int i = static_cast<int>(id);
    if (model_->IsControl(i) || model_->IsUnknown(i) || model_->IsUnused(i)) continue;
    std::string found = with_spaces(model_->IdToPiece(i));
    if (model_->IsByte(i))
      found = fmt::format("{}", static_cast<char>(std::stoi(found.substr(3, 2), nullptr, 16)));
    if (found == text || (found.size() == text.size() + 1 && found.front() == ' ' && found.ends_with(text)))
      ids.push_back(id);
  }
  return ids;
}

int64_t Tokenizer::bytes_of(int64_t id) const {
  check_id(id);
  const int i = static_cast<int>(id);
  if (model_->IsControl(i)) return 0;
  return model_->IsByte(i) ? 1 : static_cast<int64_t>(with_spaces(model_->IdToPiece(i)).size());
}

std::optional<int64_t> Tokenizer::bos_id() const {
  return model_->bos_id() < 0 ? std::nullopt : std::optional<int64_t>(model_->bos_id());
}

std::optional<int64_t> Tokenizer::eos_id() const {
  return model_->eos_id() < 0 ? std::nullopt : std::optional<int64_t>(model_->eos_id());
}

void Tokenizer::check_vocabulary(int64_t vocabulary) const {
  if (size() > vocabulary)
    user_error("{} has {} pieces and the model {} ids: it is the tokenizer of another vocabulary", path_,
               size(), vocabulary);
}

void Tokenizer::check_id(int64_t id) const {
  if (id < 0 || id >= size()) user_error("{} is no token id: {} has {} pieces", id, path_, size());
}

TextStream::TextStream(const Tokenizer& tokenizer, std::vector<int64_t> before)
    : tokenizer_(tokenizer), ids_(std::move(before)), settled_(ids_.size()) {}

std::string TextStream::push(int64_t id) {
  ids_.push_back(id);
  return settle(false);
}

std::string TextStream::finish() { return settle(true); }

// A token's text depends on the one before it (a first space is dropped, bytes join into characters), so the
// last settled tokens are decoded along, and the text that they gave alone is taken off.
std::string TextStream::settle(bool all) {
  if (settled_ == ids_.size()) return "";
  const std::string old_text = tokenizer_.decode(std::span(ids_).first(settled_));
  const std::string text = tokenizer_.decode(ids_);
  if (!all && text.ends_with(replacement)) return "";
  const std::string news = text.substr(std::min(old_text.size(), text.size()));
  ids_.erase(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(settled_));
  settled_ = ids_.size();
  return news;
}

}  // namespace attnlab
