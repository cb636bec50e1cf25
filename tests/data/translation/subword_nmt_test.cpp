// Codes and vocabularies of subword-nmt cut words as subword-nmt itself does:
// tests/golden/make_subword_nmt.py.
#include "data/translation/subword_nmt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "data/temporary.h"
#include "data/translation/piece_vocabulary.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryFolder;
using testing::write;

std::vector<std::string> between_blanks(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ' ');)
    if (!word.empty()) words.push_back(word);
  return words;
}

TEST(SubwordBpe, CutsLinesAsSubwordNmtDoes) {
  const TemporaryFolder folder;
  const fs::path codes = folder.path() / "codes", vocabulary = folder.path() / "vocabulary";
  int64_t lines = 0;
  for (const auto& one :
       nlohmann::json::parse(read_file(ATTNLAB_SOURCE_DIR "/tests/golden/subword_nmt.json"))) {
    write(codes, one.at("codes").get<std::string>());
    write(vocabulary, one.at("vocabulary").get<std::string>());
    const SubwordBpe bpe(codes, read_bpe_vocabulary(vocabulary, one.at("threshold").get<int64_t>()));
    for (const auto& line : one.at("lines")) {
      std::string pieces;
      for (const std::string& word : between_blanks(line.at("text").get<std::string>()))
        for (const std::string& piece : bpe.pieces(word)) pieces += (pieces.empty() ? "" : " ") + piece;
      EXPECT_EQ(pieces, line.at("pieces").get<std::string>()) << one.at("name") << ": " << line.at("text");
      ++lines;
    }
  }
  EXPECT_GT(lines, 300);
}

std::string refusal_of_codes(const std::string& text) {
  const TemporaryFolder folder;
  write(folder.path() / "codes", text);
  return message_of<UserError>([&] { SubwordBpe(folder.path() / "codes", {}); });
}

TEST(SubwordBpe, RefusesWhatIsNoPair) {
  EXPECT_THAT(refusal_of_codes("#version: 0.2\na b\nabc\n"), HasSubstr("codes:3 is no pair of symbols"));
  EXPECT_THAT(refusal_of_codes("a b c\n"), HasSubstr("codes:1 is no pair"));
  EXPECT_THAT(refusal_of_codes("#version: 0.3\na b\n"), HasSubstr("codes:1 has version 0.3"));
  EXPECT_THAT(refusal_of_codes("#version: 0.2\n"), HasSubstr("holds no merges"));
  EXPECT_THAT(refusal_of_codes("a \xff\n"), HasSubstr("codes:1 is not UTF-8"));
}

/// Merges that no training gives: undone, their right side would be shorter than the mark that it ends in.
TEST(SubwordBpe, EndsWhereAMergeCutsTheMarkOfAWordsEnd) {
  const TemporaryFolder folder;
  write(folder.path() / "codes", "#version: 0.2\n< /w>\na </w>\nb a</w>\n");
  const SubwordBpe bpe(folder.path() / "codes", {"x"});
  EXPECT_THAT(bpe.pieces("ba"), ElementsAre("b@@", "a@@", ""));
}

TEST(BpeVocabulary, HasTheSymbolsOfTheThreshold) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "vocabulary";
  write(file, "a@@ 7\nb 3\nc 1\n");
  EXPECT_THAT(read_bpe_vocabulary(file, 3), ElementsAre("a@@", "b"));
  write(file, "a@@ 7\nb three\n");
  EXPECT_THAT(message_of<UserError>([&] { read_bpe_vocabulary(file, 3); }),
              HasSubstr("vocabulary:2 is no symbol"));
  write(file, "a@@\nb\n");
  EXPECT_THAT(read_bpe_vocabulary(file, 0), ElementsAre("a@@", "b")) << "a list without counts";
  EXPECT_THAT(message_of<UserError>([&] { read_bpe_vocabulary(file, 1); }),
              HasSubstr("vocabulary:1 is no symbol"));
}

TEST(PieceVocabulary, JoinsPiecesAsTheyWereCut) {
  const Dictionary symbols = Dictionary::of({"lo@@", "w", "\u2581lo", "w@@"});
  const std::vector<int64_t> bpe{0, 4, 5, 5, 4, 2, 1}, pieces{6, 5, 6, 2}, open_end{5, 7};
  EXPECT_EQ(PieceVocabulary(symbols, {}, Pieces::subword_nmt).decode(bpe), "low w lo");
  EXPECT_EQ(PieceVocabulary(symbols, {}, Pieces::subword_nmt).decode(open_end), "w w");
  EXPECT_EQ(PieceVocabulary(symbols, {}, Pieces::none).decode(bpe), "lo@@ w w lo@@");
  EXPECT_EQ(PieceVocabulary(symbols, {}, Pieces::sentencepiece).decode(pieces), "low lo");
  EXPECT_THAT(PieceVocabulary(symbols, {}, Pieces::none).encode("w\u00a0 lo@@\tx"), ElementsAre(5, 4, 3));
  EXPECT_THAT(PieceVocabulary(symbols, {}, Pieces::none).encode("<s> <pad> </s> w"), ElementsAre(3, 3, 3, 5))
      << "a text cannot end a sentence";
}

/// Ten tokenised pairs, with codes and a vocabulary of theirs.
class SubwordNmt : public ::testing::Test {
 protected:
  SubwordNmt() {
    std::string english, german;
    for (int i = 0; i < 10; ++i) {
      english += "a low lowest dog .\n";
      german += "ein tiefer Hund .\n";
    }
    for (const char* part : {"train", "valid", "test"}) {
      write(path(std::string(part) + ".en"), english);
      write(path(std::string(part) + ".de"), german);
    }
    write(path("codes"), "#version: 0.2\nl o\nlo w\nlo w</w>\ne s\nes t</w>\nd o\ndo g</w>\n");
    write(path("vocabulary"), "a 10\nlow@@ 9\nlow 9\nest 8\ndog 5\n. 5\nein 4\nt@@ 3\nlow 2\n");
    options.own = {{path("train.en").string()}, {path("train.de").string()}, path("valid.en").string(),
                   path("valid.de").string(),   path("test.en").string(),    path("test.de").string()};
    options.codes = path("codes").string();
    options.vocabulary = path("vocabulary").string();
  }
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  TranslationData open() const { return options.open({folder_.path(), path("cache")}); }

  SubwordNmtOptions options;

 private:
  TemporaryFolder folder_;
};

TEST_F(SubwordNmt, GivesIdsInTheOrderOfTheVocabulary) {
  const TranslationData data = open();
  EXPECT_EQ(data.vocabulary->size(), 12) << "four of fairseq's, and one symbol stands twice";
  EXPECT_TRUE(data.vocabulary->tokenised());
  std::vector<int64_t> ids;
  data.train->source(3, ids);
  EXPECT_THAT(ids, ElementsAre(4, 6, 5, 7, 8, 9, 2));
  EXPECT_EQ(data.vocabulary->decode(ids), "a low lowest dog .");
  data.test->target(0, ids);
  EXPECT_THAT(ids, ::testing::Contains(TranslationVocabulary::unk));
  EXPECT_THAT(data.vocabulary->decode(ids), HasSubstr("<unk>"));
  EXPECT_EQ(data.route, "text pairs, tokenised text; subword-nmt BPE, 12 symbols of its vocabulary");
}

TEST_F(SubwordNmt, LeavesOutPiecesBelowTheThreshold) {
  options.threshold = 6;
  const auto vocabulary = open().vocabulary;
  EXPECT_EQ(vocabulary->size(), 8);
  EXPECT_THAT(vocabulary->encode("dog"), ElementsAre(3, 3, 3)) << "the merge is undone";
}

TEST_F(SubwordNmt, TakesIdsFromADictionaryOfFairseq) {
  write(path("dict.txt"), "dog 5\nlow 4\n");
  options.dictionary = path("dict.txt").string();
  EXPECT_THAT(open().vocabulary->encode("low dog a"), ElementsAre(5, 4, 3));
  options.vocabulary = "";
  EXPECT_THAT(open().vocabulary->encode("low dog a"), ElementsAre(5, 4, 3));
}

TEST_F(SubwordNmt, IsTheSameOnceSaved) {
  const auto vocabulary = open().vocabulary;
  fs::create_directories(path("kept"));
  vocabulary->save(path("kept"));
  const auto again = open_saved_vocabulary(path("kept"));
  EXPECT_EQ(again->checksum(), vocabulary->checksum());
  const std::string text = "a lowest lodog est . xyz";
  EXPECT_EQ(again->encode(text), vocabulary->encode(text));
}

TEST_F(SubwordNmt, IsPreparedAnewWhereTheCodesChange) {
  const std::string before = open().checksum;
  write(path("codes"), "#version: 0.2\nl o\nlo w\n");
  EXPECT_NE(open().checksum, before);
  fs::remove(path("codes"));
  EXPECT_EQ(message_of<UserError>([this] { open(); }), "there is no file " + path("codes").string());
}

}  // namespace
}  // namespace attnlab
