// What kind of thing a token is, by its text.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer.h"

namespace attnlab {

/// In the table of kept tokens of Oren et al. 2024 words have the tags of a tagger of parts of speech (POSS,
/// "''", "``", "$", ")", ".", NNPS, …). Here it is the token's text, with what stands right beside it, that
/// decides, the first that fits:
///   possessive       's and ’s, one token or an apostrophe and an s that ends a word; "it's" too
///   closing quote    punctuation with ” in it, with " behind anything but white space and brackets, or with
///                    “ behind a word or the end of a sentence, as German has it
///   opening quote    the same with „, any other “ or any other "
///   . , $ ) (        alone
///   newline          white space with a line's end
///   digits           numerals alone
///   punctuation      whatever else has no letter, numeral or white space
///   capitalised      begins with a capital letter: a word or the beginning of one
///   no text          BOS and other control tokens
///   other            words, their pieces, and bytes that make no character alone
/// A space before a token is not looked at, but for quotes.
///
/// The same rules serve English and German, but a class is not the same thing in both. Capitals are names and
/// beginnings of sentences in English, and every noun as well in German. German has no possessive with an
/// apostrophe: what is found there are foreign names and a short "es" ("geht's"). Articles have no class,
/// since text alone does not tell them: "die" is a verb in English, and in German a pronoun as well.
enum class TokenKind {
  possessive,
  closing_quote,
  opening_quote,
  dollar,
  closing_bracket,
  opening_bracket,
  period,
  comma,
  newline,
  punctuation,
  digits,
  capitalised,
  other,
  no_text
};

inline constexpr std::array<std::string_view, 14> token_kind_names = {
    "possessive", "closing quote", "opening quote", "$",      ")",           "(",     ".",
    ",",          "newline",       "punctuation",   "digits", "capitalised", "other", "no text"};

/// Of neighbouring tokens with these texts, well-formed UTF-8.
std::vector<TokenKind> kinds_of(std::span<const std::string> texts);
/// Of neighbouring tokens of a text. Throws UserError for an id outside the vocabulary.
std::vector<TokenKind> kinds_of(const Tokenizer& tokenizer, std::span<const int64_t> ids);

}  // namespace attnlab
