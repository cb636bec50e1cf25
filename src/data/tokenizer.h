// From text to token ids and back, as the tokenizers of Llama, Mistral, Yi, SmolLM, Qwen and their like: by a
// tokenizer.json (Hugging Face's `tokenizers`) or a tokenizer.model (SentencePiece).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attnlab {

class IdStream;
class TokenizerImplementation;

/// Whether a text begins with BOS. The model's default is the one of its tokenizer's files.
enum class AddBos { model, always, never };

/// What a special token that is written out in a text, "<|im_end|>", is read as. A tokenizer.model that
/// stands alone knows none: its folder declares them (tokenizer_config.json, added_tokens.json).
enum class SpecialTokens { as_tokens, as_text };

/// Ids of a text, and where in it each token ends: offsets in bytes that never fall, the last one the text's
/// size where its end has a token.
struct Encoding {
  std::vector<int64_t> ids, ends;
};

/// The tokenizer's file that a path means: itself, or of a folder tokenizer.json, or else tokenizer.model;
/// nothing for a folder that has neither.
std::optional<std::filesystem::path> find_tokenizer(const std::filesystem::path& path);
/// The same; throws UserError for a folder that has neither.
std::filesystem::path tokenizer_file(const std::filesystem::path& path);

/// SHA-256 of what decides which ids a text gets: the file, and what beside it declares special tokens. That
/// of the file alone where nothing does.
std::string checksum_of_tokenizer(const std::filesystem::path& file);
/// Of the files in a folder that say how a model's tokenizer is used: special tokens, the chat template,
/// where an answer ends.
std::string checksum_of_settings(const std::filesystem::path& folder);

class Tokenizer {
 public:
  /// A file, or what a folder holds: tokenizer.json, which is taken where both are there, or tokenizer.model.
  /// Throws UserError with one sentence naming the file where it is missing, damaged, asks for what is not
  /// implemented, or where a folder's two files have different vocabularies.
  static Tokenizer open(const std::filesystem::path& path);

  /// Ids of the text; BOS first where asked for. Bytes that are not UTF-8 are read as U+FFFD each. Throws
  /// UserError where BOS is asked for and the model has none, and for a token beyond limit_to.
  std::vector<int64_t> encode(std::string_view text, bool with_bos,
                              SpecialTokens special = SpecialTokens::as_tokens) const;
  /// The same without BOS, with the end of every token in the text: for counts of bytes and words.
  Encoding encode_with_ends(std::string_view text) const;
  /// The text of the ids. BOS and the other control tokens are silent; bytes that make no UTF-8 become
  /// U+FFFD. Blanks stay as they are, whatever clean_up_tokenization_spaces says: where it is true, as in
  /// Llama 3's folders, transformers 4 takes those before ".", "'s" and their like away. Throws UserError for
  /// an id outside the vocabulary.
  std::string decode(std::span<const int64_t> ids) const;

  /// Ids are below it.
  int64_t size() const;
  /// A piece as the file writes it: "▁the", "Ġthe", "<0x0A>". Throws UserError for an id outside the
  /// vocabulary.
  const std::string& piece(int64_t id) const;
  /// The id of a piece that is written so; nothing where there is none.
  std::optional<int64_t> id_of(const std::string& piece) const;
  /// Ids of all pieces whose text is `text`, whatever space stands before it: "." gives "." and "▁.". For
  /// policies that protect contents. A newline is also the byte <0x0A>.
  std::vector<int64_t> ids_of_text(std::string_view text) const;
  /// Bytes of the text that the token stands for, a space for "▁"; 0 for control tokens.
  int64_t bytes_of(int64_t id) const;

  std::optional<int64_t> bos_id() const;
  std::optional<int64_t> eos_id() const;
  /// Whether a text begins with BOS by the tokenizer's own files; nothing where they do not say.
  std::optional<bool> adds_bos() const;
  const std::string& path() const { return path_; }

  /// Throws UserError, one sentence with both numbers, unless a model of `vocabulary` ids can have been
  /// trained with this tokenizer. A model may have more: tables are padded to round sizes.
  /// Tokens that were added beside its pieces may be beyond it ("<pad>" of Llama 2), but not BOS or EOS.
  void check_vocabulary(int64_t vocabulary) const;
  /// Checks that, and refuses from then on texts with a token beyond it.
  void limit_to(int64_t vocabulary);

 private:
  friend class TextStream;
  void check_id(int64_t id) const;
  void check_limit(std::span<const int64_t> ids) const;

  std::string path_;
  int64_t limit_ = 0;  ///< of ids that the model knows; 0: none was named
  std::shared_ptr<const TokenizerImplementation> made_;
};

/// Text as ids arrive one by one: every push returns what has become certain. Bytes of a character that is
/// still incomplete are held back.
class TextStream {
 public:
  /// The stream goes on after `before`, whose text is not returned.
  explicit TextStream(const Tokenizer& tokenizer, std::vector<int64_t> before = {});
  TextStream(const TextStream&) = delete;
  ~TextStream();
  std::string push(int64_t id);
  /// What was held back.
  std::string finish();

 private:
  Tokenizer tokenizer_;  ///< which the stream goes through
  std::unique_ptr<IdStream> stream_;
};

/// The text of ids that a model has put behind others. A padded table has ids that are no pieces: they are
/// silent.
std::string text_after(const Tokenizer& tokenizer, const std::vector<int64_t>& before,
                       const std::vector<int64_t>& ids);

}  // namespace attnlab
