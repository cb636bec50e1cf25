// SentencePiece models (Kudo and Richardson 2018), read through their own library: the tokenizers of Llama,
// Mistral and Yi.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace attnlab {

/// Whether a text begins with BOS. The model's default is the one of its tokenizer_config.json.
enum class AddBos { model, always, never };

/// Ids of a text, and where in it each token ends: offsets in bytes that never fall, the last one the text's
/// size where its end has a token.
struct Encoding {
  std::vector<int64_t> ids, ends;
};

class Tokenizer {
 public:
  /// Throws UserError with one sentence naming the file where it is missing, cut short or no SentencePiece
  /// model.
  static Tokenizer open(const std::filesystem::path& model);

  /// Ids of the text; BOS first where asked for. Text that is not UTF-8 is read as the library reads it, each
  /// bad byte as U+FFFD. Throws UserError where BOS is asked for and the model has none.
  std::vector<int64_t> encode(std::string_view text, bool with_bos) const;
  /// The same without BOS, with the end of every token in the text: for counts of bytes and words.
  Encoding encode_with_ends(std::string_view text) const;
  /// The text of the ids. BOS and the other control tokens are silent; bytes that make no UTF-8 become
  /// U+FFFD. Throws UserError for an id outside the vocabulary.
  std::string decode(std::span<const int64_t> ids) const;

  /// Ids are below it.
  int64_t size() const;
  /// A piece as the model writes it: "▁the", "<0x0A>". Throws UserError for an id outside the vocabulary.
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
  const std::string& path() const { return path_; }

  /// Throws UserError, one sentence with both numbers, unless a model of `vocabulary` ids can have been
  /// trained with this tokenizer. A model may have more: tables are padded to round sizes.
  void check_vocabulary(int64_t vocabulary) const;

 private:
  void check_id(int64_t id) const;

  std::string path_;
  std::shared_ptr<const sentencepiece::SentencePieceProcessor> model_;
};

/// Text as ids arrive one by one: every push returns what has become certain. Bytes of a character that is
/// still incomplete are held back.
class TextStream {
 public:
  /// The stream goes on after `before`, whose text is not returned.
  explicit TextStream(const Tokenizer& tokenizer, std::vector<int64_t> before = {});
  std::string push(int64_t id);
  /// What was held back.
  std::string finish();

 private:
  std::string settle(bool all);

  const Tokenizer& tokenizer_;
  std::vector<int64_t> ids_;  ///< the last settled token and what came after
  std::size_t settled_ = 0;   ///< of ids_
};

}  // namespace attnlab
