// Kinds of tokens by their text, as texts and through tokenizers of both families.
#include "data/token_kinds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "mirror.h"

namespace attnlab {
namespace {

using enum TokenKind;
using ::testing::ElementsAre;
using Texts = std::vector<std::string>;

TokenKind alone(const std::string& text) { return kinds_of(Texts{"word", text, " word"})[1]; }

TEST(TokenKinds, GoByTheTextWhateverSpaceStandsBeforeIt) {
  for (const auto& [text, kind] : std::vector<std::pair<std::string, TokenKind>>{
           {".", period},          {",", comma},          {"$", dollar},      {"(", opening_bracket},
           {")", closing_bracket}, {"\n", newline},       {"\n\n", newline},  {"1789", digits},
           {"½", digits},          {"...", punctuation},  {";", punctuation}, {"--", punctuation},
           {").", punctuation},    {"Chap", capitalised}, {"É", capitalised}, {"iP", other},
           {"house", other},       {"b2", other},         {"漢", other},      {"\uFFFD", other}}) {
    EXPECT_EQ(alone(text), kind) << text;
    if (kind != newline) {
      EXPECT_EQ(alone(" " + text), kind) << text;
    }
  }
  EXPECT_EQ(alone("   "), other);
  EXPECT_EQ(alone(""), no_text);
}

TEST(TokenKinds, OfQuotesDependOnWhatStandsBefore) {
  EXPECT_EQ(alone("”"), closing_quote);
  EXPECT_EQ(alone(" “"), opening_quote);
  EXPECT_EQ(alone("\""), closing_quote);
  EXPECT_EQ(alone(" \""), opening_quote);
  EXPECT_EQ(alone(",\""), closing_quote);
  EXPECT_EQ(alone(".”"), closing_quote);
  EXPECT_EQ(alone("(\""), opening_quote);
  EXPECT_EQ(alone("\"a"), other) << "not punctuation alone";
  for (const char* before : {"\n", " ", "(", ""})
    EXPECT_EQ(kinds_of(Texts{before, "\"", "No"})[1], opening_quote) << before;
  EXPECT_EQ(kinds_of(Texts{"\"", "No"})[0], opening_quote);
  EXPECT_EQ(kinds_of(Texts{"was", "--", "\"", "\n"})[2], closing_quote);
}

TEST(TokenKinds, OfGermanQuotesOpenBelowAndCloseAsEnglishOnesOpen) {
  EXPECT_THAT(kinds_of(Texts{" „", "Ja", "“", ",", " sagte"}),
              ElementsAre(opening_quote, capitalised, closing_quote, comma, other));
  for (const char* end : {"Ja!", "Ja.", "7", "ü", "Ja …", "(so)"})
    EXPECT_EQ(kinds_of(Texts{"„", end, "“"})[2], closing_quote) << end;
  for (const char* together : {".“", ",“", "?“", "…“", "!“,"})
    EXPECT_EQ(alone(together), closing_quote) << together;
  EXPECT_EQ(alone("(„"), opening_quote);
  for (const char* before : {"said ", "\n", "(", "—", "–", "‘", ""})
    EXPECT_EQ(kinds_of(Texts{before, "“", "Yes"})[1], opening_quote) << before << " as in English";
}

TEST(TokenKinds, OfGermanWordsGoByTheirFirstLetter) {
  EXPECT_THAT(kinds_of(Texts{" Das", " Ü", "bel", " ist", " groß", ";", " ärger"}),
              ElementsAre(capitalised, capitalised, other, other, other, punctuation, other));
  EXPECT_THAT(kinds_of(Texts{" geht", "'", "s", " gut"}), ElementsAre(other, possessive, possessive, other));
}

TEST(TokenKinds, OfPossessivesTakeOneTokenOrTwo) {
  EXPECT_EQ(alone("'s"), possessive);
  EXPECT_EQ(alone("’s"), possessive);
  EXPECT_THAT(kinds_of(Texts{" John", "'", "s", " dog"}),
              ElementsAre(capitalised, possessive, possessive, other));
  EXPECT_THAT(kinds_of(Texts{" John", "’", "s"}), ElementsAre(capitalised, possessive, possessive));
  EXPECT_THAT(kinds_of(Texts{"'", "s", "ome"}), ElementsAre(punctuation, other, other)) << "'some'";
  EXPECT_THAT(kinds_of(Texts{"it", "'s", "elf"}), ElementsAre(other, other, other));
  EXPECT_THAT(kinds_of(Texts{" '", "s"}), ElementsAre(punctuation, other)) << "the apostrophe is a quote";
  EXPECT_THAT(kinds_of(Texts{"boys", "'"}), ElementsAre(other, punctuation));
}

/// Of single characters after words: none of these small vocabularies has them within longer pieces.
void expect_kinds(const Tokenizer& tokenizer) {
  const std::string text = "the \"times\", $ 7.";
  std::vector<TokenKind> marks;
  for (const TokenKind kind : kinds_of(tokenizer, tokenizer.encode(text, false)))
    if (kind != other) marks.push_back(kind);
  EXPECT_THAT(marks, ElementsAre(opening_quote, closing_quote, comma, dollar, digits, period));
}

TEST(TokenKinds, AreThoseOfPiecesOfBytes) {
  expect_kinds(Tokenizer::open(ATTNLAB_SOURCE_DIR "/tests/golden/tokenizer_json/smollm.json"));
}

TEST(TokenKinds, AreThoseOfPiecesOfSentencePiece) {
  ATTNLAB_FROM_MIRROR(path, "models/stories260K/tokenizer.model");
  const Tokenizer tokenizer = Tokenizer::open(path);
  expect_kinds(tokenizer);
  const auto kinds = kinds_of(tokenizer, tokenizer.encode("a\nb", true));
  EXPECT_EQ(kinds.front(), no_text) << "BOS";
  EXPECT_THAT(kinds, ::testing::Contains(newline));
}

}  // namespace
}  // namespace attnlab
