// What stands behind Tokenizer (data/tokenizer.h): one class for each kind of file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer.h"

namespace attnlab {

/// Text as ids arrive one by one; see TextStream.
class IdStream {
 public:
  virtual ~IdStream() = default;
  virtual std::string push(int64_t id) = 0;
  virtual std::string finish() = 0;
};

/// Every id that is handed in is one of the vocabulary.
class TokenizerImplementation {
 public:
  virtual ~TokenizerImplementation() = default;
  virtual std::vector<int64_t> encode(std::string_view text, SpecialTokens special) const = 0;
  virtual Encoding encode_with_ends(std::string_view text) const = 0;
  virtual std::string decode(std::span<const int64_t> ids) const = 0;
  virtual std::unique_ptr<IdStream> stream(std::vector<int64_t> before) const = 0;

  virtual int64_t size() const = 0;
  /// Ids of the pieces that texts are cut into are below it; what else there is was added or declared.
  virtual int64_t own_size() const = 0;
  virtual const std::string& piece(int64_t id) const = 0;
  virtual std::optional<int64_t> id_of(const std::string& piece) const = 0;
  /// The bytes of a text that the token stands for; none for control tokens.
  virtual std::string bytes_of(int64_t id) const = 0;
  /// Whether the token stands for a part of a text.
  virtual bool is_text(int64_t id) const = 0;
  virtual std::optional<int64_t> bos_id() const = 0;
  virtual std::optional<int64_t> eos_id() const = 0;
  /// What the file says of a text's beginning; nothing where it says nothing.
  virtual std::optional<bool> adds_bos() const = 0;
};

}  // namespace attnlab
