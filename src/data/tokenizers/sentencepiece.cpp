#include "data/tokenizers/sentencepiece.h"

#include <sentencepiece_processor.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "data/tokenizers/sentencepiece_file.h"
#include "data/tokenizers/special_names.h"

namespace attnlab {
namespace {

using sentencepiece::SentencePieceProcessor;

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

std::unique_ptr<const SentencePieceProcessor> load_model(const std::string& bytes, const std::string& path) {
  auto model = std::make_unique<SentencePieceProcessor>();
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

class SentencePiece final : public TokenizerImplementation {
 public:
  SentencePiece(std::unique_ptr<const SentencePieceProcessor> model, std::string path,
                std::optional<bool> adds_bos)
      : model_(std::move(model)), path_(std::move(path)), adds_bos_(adds_bos) {}

  /// The library never finds a special token in a text.
  std::vector<int64_t> encode(std::string_view text, SpecialTokens) const override;
  Encoding encode_with_ends(std::string_view text) const override;
  std::string decode(std::span<const int64_t> ids) const override;
  std::unique_ptr<IdStream> stream(std::vector<int64_t> before) const override;

  int64_t size() const override { return model_->GetPieceSize(); }
  const std::string& piece(int64_t id) const override { return model_->IdToPiece(static_cast<int>(id)); }
  std::optional<int64_t> id_of(const std::string& piece) const override;
  std::string bytes_of(int64_t id) const override;
  bool is_text(int64_t id) const override;
  std::optional<int64_t> bos_id() const override { return given(model_->bos_id()); }
  std::optional<int64_t> eos_id() const override { return given(model_->eos_id()); }
  std::optional<bool> adds_bos() const override { return adds_bos_; }

 private:
  static std::optional<int64_t> given(int id) { return id < 0 ? std::nullopt : std::optional<int64_t>(id); }

  std::unique_ptr<const SentencePieceProcessor> model_;
  std::string path_;
  std::optional<bool> adds_bos_;
};

std::vector<int64_t> SentencePiece::encode(std::string_view text, SpecialTokens) const {
  std::vector<int> pieces;
  const auto status = model_->Encode(text, &pieces);
  if (!status.ok()) run_error("{} cannot encode a text: {}", path_, status.error_message());
  return {pieces.begin(), pieces.end()};
}

Encoding SentencePiece::encode_with_ends(std::string_view text) const {
  const auto pieces = model_->EncodeAsImmutableProto(text);
  Encoding encoding;
  encoding.ids.reserve(pieces.pieces_size());
  encoding.ends.reserve(pieces.pieces_size());
  int64_t end = 0;
  for (std::size_t i = 0; i < pieces.pieces_size(); ++i) {
    const auto piece = pieces.pieces(static_cast<int>(i));
    encoding.ids.push_back(piece.id());
    // The bytes of one character are several tokens, of which the last one covers it.
    end = std::max<int64_t>(end, piece.end());
    encoding.ends.push_back(end);
  }
  ensure(encoding.ids.empty() || end <= static_cast<int64_t>(text.size()),
         "tokens within the text's {} bytes", text.size());
  return encoding;
}

std::string SentencePiece::decode(std::span<const int64_t> ids) const {
  std::string text;
  const auto status = model_->Decode(std::vector<int>(ids.begin(), ids.end()), &text);
  if (!status.ok()) run_error("{} cannot decode ids: {}", path_, status.error_message());
  return text;
}

std::optional<int64_t> SentencePiece::id_of(const std::string& piece) const {
  const int id = model_->PieceToId(piece);  // of a piece that is not there: the unknown's
  return model_->IdToPiece(id) == piece ? std::optional<int64_t>(id) : std::nullopt;
}

bool SentencePiece::is_text(int64_t id) const {
  const int i = static_cast<int>(id);
  return !model_->IsControl(i) && !model_->IsUnknown(i) && !model_->IsUnused(i);
}

std::string SentencePiece::bytes_of(int64_t id) const {
  const int i = static_cast<int>(id);
  if (model_->IsControl(i)) return "";
  const std::string& piece = model_->IdToPiece(i);
  return model_->IsByte(i) ? std::string(1, static_cast<char>(std::stoi(piece.substr(3, 2), nullptr, 16)))
                           : with_spaces(piece);
}

/// A token's text depends on the one before it (a first space is dropped, bytes join into characters), so the
/// last settled tokens are decoded along, and the text that they gave alone is taken off.
class SentencePieceStream final : public IdStream {
 public:
  SentencePieceStream(const SentencePiece& tokenizer, std::vector<int64_t> before)
      : tokenizer_(tokenizer), ids_(std::move(before)), settled_(ids_.size()) {}
  std::string push(int64_t id) override {
    ids_.push_back(id);
    const std::string text = tokenizer_.decode(ids_);
    if (!text.ends_with(replacement)) return settle(ids_.size());
    // What may be the beginning of a character are the last three tokens at most.
    return ids_.size() - settled_ > 3 ? settle(ids_.size() - 3) : "";
  }
  std::string finish() override { return settle(ids_.size()); }

 private:
  std::string settle(std::size_t count) {
    if (settled_ == count) return "";
    const std::string old_text = tokenizer_.decode(std::span(ids_).first(settled_));
    const std::string text = tokenizer_.decode(std::span(ids_).first(count));
    ids_.erase(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(settled_));
    settled_ = count - settled_;
    return text.substr(std::min(old_text.size(), text.size()));
  }

  const SentencePiece& tokenizer_;
  std::vector<int64_t> ids_;  ///< the last settled tokens and what came after
  std::size_t settled_;       ///< of ids_
};

std::unique_ptr<IdStream> SentencePiece::stream(std::vector<int64_t> before) const {
  return std::make_unique<SentencePieceStream>(*this, std::move(before));
}

}  // namespace

std::unique_ptr<const TokenizerImplementation> open_sentencepiece(const std::filesystem::path& path) {
  const std::string bytes = read_model(path);
  check_sentencepiece_file(bytes, path.string());
  return std::make_unique<SentencePiece>(load_model(bytes, path.string()), path.string(),
                                         read_special_names(path).adds_bos);
}

}  // namespace attnlab
