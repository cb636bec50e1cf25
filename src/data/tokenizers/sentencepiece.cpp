#include "data/tokenizers/sentencepiece.h"

#include <sentencepiece_processor.h>

#include <algorithm>
#include <unordered_map>

#include "core/error.h"
#include "core/files.h"
#include "core/utf8.h"
#include "data/tokenizers/folder_tokens.h"
#include "data/tokenizers/sentencepiece_file.h"
#include "data/tokenizers/special_names.h"
#include "data/unicode/text_map.h"

namespace attnlab {
namespace {

using sentencepiece::SentencePieceProcessor;

constexpr std::string_view word_start = "\u2581";  // "▁", SentencePiece's space
constexpr std::string_view replacement = "\uFFFD";

/// Its bytes, of the outer form that its library takes for granted.
std::string read_model(const std::filesystem::path& path) {
  try {
    std::string bytes = read_file(path);
    check_sentencepiece_file(bytes, path.string());
    return bytes;
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

/// A text's pieces are those of the library; tokens that the folder declares are cut out before, as
/// transformers' LlamaTokenizer does.
class SentencePiece final : public TokenizerImplementation {
 public:
  SentencePiece(const std::string& bytes, const std::filesystem::path& path, const FolderTokens& folder,
                std::optional<bool> adds_bos);

  std::vector<int64_t> encode(std::string_view text, SpecialTokens special) const override {
    return run(text, special, false).ids;
  }
  Encoding encode_with_ends(std::string_view text) const override {
    return run(text, SpecialTokens::as_tokens, true);
  }
  std::string decode(std::span<const int64_t> ids) const override;
  std::unique_ptr<IdStream> stream(std::vector<int64_t> before) const override;

  int64_t size() const override { return size_; }
  int64_t own_size() const override { return model_->GetPieceSize(); }
  const std::string& piece(int64_t id) const override {
    const AddedToken* token = declared(id);
    return token ? token->content : model_->IdToPiece(static_cast<int>(id));
  }
  std::optional<int64_t> id_of(const std::string& piece) const override;
  std::string bytes_of(int64_t id) const override;
  bool is_text(int64_t id) const override;
  std::optional<int64_t> bos_id() const override { return given(model_->bos_id()); }
  std::optional<int64_t> eos_id() const override { return given(model_->eos_id()); }
  std::optional<bool> adds_bos() const override { return adds_bos_; }

 private:
  static std::optional<int64_t> given(int id) { return id < 0 ? std::nullopt : std::optional<int64_t>(id); }
  static std::optional<int64_t> library_id(const SentencePieceProcessor& model, const std::string& piece);

  void declare(AddedToken token);
  /// The folder's token of an id that is not the library's; silent and without a name where the ids leave a
  /// gap.
  const AddedToken* declared(int64_t id) const;
  const SentencePieceProcessor& model_for(bool at_start) const {
    return (at_start && space_before_text_) || !inside_ ? *model_ : *inside_;
  }
  Encoding run(std::string_view text, SpecialTokens special, bool with_ends) const;
  void put_section(std::string_view section, std::size_t begin, bool with_ends, Encoding& made) const;
  std::string decode_run(const std::vector<int>& ids, bool at_start) const;

  std::unique_ptr<const SentencePieceProcessor> model_;
  std::unique_ptr<const SentencePieceProcessor> inside_;  ///< puts no "▁" first; where one is needed
  bool space_before_text_;
  std::string path_;
  std::optional<bool> adds_bos_;
  AddedTokens found_in_text_;
  std::unordered_map<int64_t, AddedToken> declared_;  ///< by id, those that are no piece of the library's
  int64_t size_;
};

// In serialised protocol buffers a later field overrides an earlier one: normalizer_spec.add_dummy_prefix =
// false.
constexpr std::string_view without_dummy_prefix{"\x1a\x02\x18\x00", 4};

SentencePiece::SentencePiece(const std::string& bytes, const std::filesystem::path& path,
                             const FolderTokens& folder, std::optional<bool> adds_bos)
    : model_(load_model(bytes, path.string())),
      space_before_text_(folder.space_before_text),
      path_(path.string()),
      adds_bos_(adds_bos),
      size_(model_->GetPieceSize()) {
  for (const AddedToken& token : folder.tokens) declare(token);
  if (!space_before_text_ || (!folder.space_after_token && !found_in_text_.empty()))
    inside_ = load_model(bytes + std::string(without_dummy_prefix), path_);
}

void SentencePiece::declare(AddedToken token) {
  const int64_t pieces = model_->GetPieceSize();
  const auto piece = library_id(*model_, token.content);
  if (token.id == FolderTokens::of_piece && !piece) return;
  if (token.id == FolderTokens::of_piece) token.id = *piece;
  if (token.id > 4 * pieces + 1024)  // ids may leave gaps, of which each costs memory
    user_error("{}: the token '{}' beside it has the id {}, far beyond its {} pieces", path_, token.content,
               token.id, pieces);
  found_in_text_.add(token.content, token);
  size_ = std::max(size_, token.id + 1);
  if (piece == token.id) return;
  if (const auto [at, fresh] = declared_.emplace(token.id, token); !fresh)
    user_error("{}: the tokens '{}' and '{}' beside it both have the id {}", path_, at->second.content,
               token.content, token.id);
}

const AddedToken* SentencePiece::declared(int64_t id) const {
  static const AddedToken gap{.content = "", .special = true};
  if (const auto found = declared_.find(id); found != declared_.end()) return &found->second;
  return id < model_->GetPieceSize() ? nullptr : &gap;
}

Encoding SentencePiece::run(std::string_view text, SpecialTokens special, bool with_ends) const {
  Encoding made;
  const bool clean = found_in_text_.empty() || is_utf8(text);  // what finds them reads whole characters
  const ChangedText cleaned = clean ? ChangedText{} : well_formed(text);
  const std::string_view all = clean ? text : cleaned.text;
  for (const auto& [id, begin, end] : found_in_text_.split(all, special == SpecialTokens::as_text)) {
    if (id < 0) {
      put_section(all.substr(begin, end - begin), begin, with_ends, made);
      continue;
    }
    made.ids.push_back(id);
    if (with_ends) made.ends.push_back(static_cast<int64_t>(end));
  }
  if (!clean) cleaned.map.to_original(made.ends);
  return made;
}

/// What stands between the folder's tokens. A space that follows one is kept by a piece before it, whose
/// tokens are taken off again (the library may strip it otherwise).
void SentencePiece::put_section(std::string_view section, std::size_t begin, bool with_ends,
                                Encoding& made) const {
  const SentencePieceProcessor& model = model_for(begin == 0);
  const std::string before =
      &model == inside_.get() && section.starts_with(' ') ? model.IdToPiece(model.unk_id()) : "";
  const std::string text = before + std::string(section);
  const std::size_t skipped = before.empty() ? 0 : model.EncodeAsIds(before).size();
  if (!with_ends) {
    std::vector<int> pieces;
    const auto status = model.Encode(text, &pieces);
    if (!status.ok()) run_error("{} cannot encode a text: {}", path_, status.error_message());
    made.ids.insert(made.ids.end(),
                    pieces.begin() + static_cast<std::ptrdiff_t>(std::min(skipped, pieces.size())),
                    pieces.end());
    return;
  }
  const auto pieces = model.EncodeAsImmutableProto(text);
  // The bytes of one character are several tokens, of which the last one covers it.
  std::size_t end = before.size();
  for (std::size_t i = skipped; i < pieces.pieces_size(); ++i) {
    const auto piece = pieces.pieces(static_cast<int>(i));
    end = std::max<std::size_t>(end, piece.end());
    made.ids.push_back(piece.id());
    made.ends.push_back(static_cast<int64_t>(begin + end - before.size()));
  }
  ensure(end <= text.size(), "tokens within the text's {} bytes", text.size());
}

std::string SentencePiece::decode_run(const std::vector<int>& ids, bool at_start) const {
  std::string text;
  const auto status = model_for(at_start).Decode(ids, &text);
  if (!status.ok()) run_error("{} cannot decode ids: {}", path_, status.error_message());
  return text;
}

std::string SentencePiece::decode(std::span<const int64_t> ids) const {
  std::string text;
  std::vector<int> run;
  bool at_start = true;
  for (const int64_t id : ids) {
    const AddedToken* token = declared(id);
    if (!token) run.push_back(static_cast<int>(id));
    if (!token || token->special) continue;
    text += decode_run(run, at_start) + token->content;
    run.clear();
    at_start = false;
  }
  return text + decode_run(run, at_start);
}

std::optional<int64_t> SentencePiece::library_id(const SentencePieceProcessor& model,
                                                 const std::string& piece) {
  const int id = model.PieceToId(piece);  // of a piece that is not there: the unknown's
  return model.IdToPiece(id) == piece ? std::optional<int64_t>(id) : std::nullopt;
}

std::optional<int64_t> SentencePiece::id_of(const std::string& piece) const {
  for (const auto& [id, token] : declared_)
    if (token.content == piece) return id;
  return library_id(*model_, piece);
}

bool SentencePiece::is_text(int64_t id) const {
  if (const AddedToken* token = declared(id)) return !token->special;
  const int i = static_cast<int>(id);
  return !model_->IsControl(i) && !model_->IsUnknown(i) && !model_->IsUnused(i);
}

std::string SentencePiece::bytes_of(int64_t id) const {
  if (const AddedToken* token = declared(id)) return token->special ? "" : token->content;
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
    // Silent tokens alone would leave the next one at a text's beginning.
    const bool visible = text.size() > old_text.size();
    if (visible) ids_.erase(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(settled_));
    settled_ = visible ? count - settled_ : count;
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
  return std::make_unique<SentencePiece>(read_model(path), path, read_folder_tokens(path),
                                         read_special_names(path).adds_bos);
}

std::unique_ptr<const TokenizerImplementation> open_sentencepiece_alone(const std::filesystem::path& path) {
  return std::make_unique<SentencePiece>(read_model(path), path, FolderTokens{}, std::nullopt);
}

}  // namespace attnlab
