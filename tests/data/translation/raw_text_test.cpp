// From raw text to prepared pairs: lines, cleaning, vocabulary, and what is said of bad input.
#include "data/translation/raw_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "core/error.h"
#include "core/files.h"
#include "data/temporary.h"
#include "data/translation/multi30k.h"
#include "data/translation/text_pairs.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryFolder;

/// A small set on disk: sixty pairs to train on, which a test may change, and two of each other part.
class RawText : public ::testing::Test {
 protected:
  RawText() {
    for (int i = 0; i < 60; ++i) {
      const std::string n = std::to_string(i);
      english += "a dog number " + n + " runs over the green grass\n";
      german += "ein Hund Nummer " + n + " läuft über die grüne Wiese\n";
    }
    put("val", "two dogs\nthe grass\n", "zwei Hunde\ndie Wiese\n");
    put("test_2016_flickr", "a dog\n\n", "ein Hund\nleer\n");
  }

  void put(const std::string& stem, const std::string& source, const std::string& target) const {
    testing::write(home() / (stem + ".en"), source);
    testing::write(home() / (stem + ".de"), target);
  }
  fs::path home() const { return folder_.path() / "multi30k"; }
  fs::path cache() const { return folder_.path() / "cache"; }
  /// Writes the training pairs where a test has changed them: what is prepared is known by the files' times.
  TranslationData open() {
    if (written_ != english + german) put("train", english, german);
    written_ = english + german;
    options.vocabulary.pieces = 120;
    return options.open({folder_.path(), cache()});
  }
  /// Sizes and times of all that is prepared.
  std::map<std::string, std::string> prepared() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(cache()))
      files[entry.path().filename().string()] =
          fmt::format("{} {}", entry.file_size(), entry.last_write_time().time_since_epoch().count());
    return files;
  }
  std::string refusal() {
    return message_of<UserError>([this] { open(); });
  }

  std::string english, german;
  Multi30kOptions options;

 private:
  std::string written_;
  TemporaryFolder folder_;
};

std::string source_text(const TranslationData& data, const SentencePairs& pairs, int64_t i) {
  std::vector<int64_t> ids;
  pairs.source(i, ids);
  return data.vocabulary->decode(ids);
}

TEST_F(RawText, BecomesPairsOfAJointVocabulary) {
  const TranslationData data = open();
  ASSERT_EQ(data.train->size(), 60);
  EXPECT_EQ(data.vocabulary->size(), 120);
  EXPECT_EQ(source_text(data, *data.train, 7), "a dog number 7 runs over the green grass");
  std::vector<int64_t> ids;
  data.train->target(7, ids);
  EXPECT_EQ(ids.back(), TranslationVocabulary::eos);
  EXPECT_EQ(data.vocabulary->decode(ids), "ein Hund Nummer 7 läuft über die grüne Wiese");
  EXPECT_THAT(data.validation_references, ElementsAre("zwei Hunde", "die Wiese"));
  EXPECT_EQ(data.route, "multi30k en-de, raw text; joint SentencePiece BPE of 120 pieces, nmt_nfkc");
}

TEST_F(RawText, IsPreparedOnceAndAnewWhereSomethingChanged) {
  const std::string once = open().checksum;
  const auto files = prepared();
  EXPECT_EQ(open().checksum, once);
  EXPECT_EQ(prepared(), files) << "what is there is read";
  english.replace(english.find("green"), 5, "white");
  EXPECT_NE(open().checksum, once);
}

TEST_F(RawText, OfADamagedVocabularyIsPreparedAgain) {
  const std::string once = open().checksum;
  fs::path model;
  for (const auto& entry : fs::directory_iterator(cache()))
    if (entry.path().extension() == ".model") model = entry.path();
  const auto size = fs::file_size(model);
  fs::resize_file(model, 100);
  EXPECT_EQ(open().checksum, once);
  EXPECT_EQ(fs::file_size(model), size);
}

TEST_F(RawText, IsCutByNoOtherKindOfTokenizer) {
  options.vocabulary.path = "some/tokenizer.json";
  EXPECT_THAT(refusal(), HasSubstr("some/tokenizer.json is no SentencePiece model (.model)"));
}

TEST_F(RawText, IsTranslatedTheOtherWayRoundToo) {
  options.languages = {"de", "en"};
  const TranslationData data = open();
  EXPECT_EQ(source_text(data, *data.train, 0), "ein Hund Nummer 0 läuft über die grüne Wiese");
  EXPECT_THAT(data.test_references, ElementsAre("a dog", ""));
}

TEST_F(RawText, OfATestSetIsNeverCleaned) {
  const TranslationData data = open();
  ASSERT_EQ(data.test->size(), 2);
  EXPECT_EQ(data.test->source_length(1), 1) << "an empty line is EOS alone";
  EXPECT_THAT(data.test_sources, ElementsAre("a dog", ""));
}

TEST_F(RawText, IsCleanedByRulesThatAreCounted) {
  const auto pair = [this](const std::string& source, const std::string& target) {
    english += source + "\n";
    german += target + "\n";
  };
  pair("  ", "nichts");
  pair("a\u0085dog", "ein Hund");
  pair("the bell\a rings", "die Glocke");
  pair("one\u2028two", "eins zwei");
  pair("a dog number 1 runs over the green grass", "ein Hund Nummer 1 läuft über die grüne Wiese");
  std::string long_text;
  for (int i = 0; i < 300; ++i) long_text += "a dog ";
  pair(long_text, long_text);
  pair("a dog", "ein Hund Nummer 1 läuft über die grüne Wiese und läuft über die grüne Wiese");
  options.cleaning.duplicates = true;
  options.cleaning.max_ratio = 3;
  const TranslationData data = open();
  EXPECT_EQ(data.cleaning.read, 67);
  EXPECT_EQ(data.cleaning.kept, 60);
  EXPECT_EQ(data.cleaning.empty, 1);
  EXPECT_EQ(data.cleaning.control, 3);
  EXPECT_EQ(data.cleaning.duplicate, 1);
  EXPECT_EQ(data.cleaning.too_long, 1);
  EXPECT_EQ(data.cleaning.ratio, 1);
  EXPECT_EQ(data.train->size(), 60);
  EXPECT_EQ(open().cleaning.text(), data.cleaning.text())
      << "counts of a prepared set are those of its making";
}

TEST_F(RawText, ThatIsCutIntoPiecesAlreadyIsToldOf) {
  const auto said = [this] {
    ::testing::internal::CaptureStderr();
    open();
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_THAT(said(), ::testing::Not(HasSubstr("@@")));
  for (int i = 0; i < 20; ++i) {
    english += fmt::format("a d@@ og number {}\n", i);
    german += fmt::format("ein Hu@@ nd Nummer {}\n", i);
  }
  EXPECT_THAT(said(), HasSubstr("words end in \"@@\""));
}

TEST_F(RawText, EndsItsLinesWithLfOrCrlfAlone) {
  std::string windows;
  for (const char c : english) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  english = "\xef\xbb\xbf" + windows;
  const TranslationData data = open();
  ASSERT_EQ(data.train->size(), 60);
  EXPECT_EQ(source_text(data, *data.train, 0), "a dog number 0 runs over the green grass");
}

TEST_F(RawText, KeepsLinesApartThatHoldOtherSeparators) {
  put("val", "two\u0085dogs\nthe\x0cgrass\rgreen", "zwei Hunde\ndie Wiese\n");
  EXPECT_THAT(open().validation_sources, ElementsAre("two\u0085dogs", "the\x0cgrass\rgreen"));
}

TEST_F(RawText, OfUnequalLineCountsIsRefused) {
  english += "one more line\n";
  EXPECT_EQ(refusal(), (home() / "train.en").string() + " has 61 lines and " +
                           (home() / "train.de").string() +
                           " has 60: line i of one has to be the translation of line i of the other");
}

TEST_F(RawText, ThatIsNoUtf8IsRefusedWithFileAndLine) {
  german.replace(german.find("läuft"), 6, "l\xe4uft");
  EXPECT_THAT(refusal(),
              HasSubstr((home() / "train.de").string() + ":1 is not UTF-8, from byte 20 of the line on"));
}

TEST_F(RawText, InUtf16IsRefused) {
  std::string wide = "\xff\xfe";
  for (const char c : english) wide += {c, '\0'};
  english = wide;
  EXPECT_THAT(refusal(), HasSubstr("iconv -f UTF-16"));
}

TEST_F(RawText, ThatIsMissingIsRefusedWithAdvice) {
  fs::remove(home() / "val.de");
  EXPECT_EQ(refusal(),
            "there is no file " + (home() / "val.de").string() + "; scripts/fetch_data multi30k fetches it");
}

TEST_F(RawText, TooSmallForItsVocabularyIsRefused) {
  english = "ab\n";
  german = "cd\n";
  EXPECT_THAT(refusal(), HasSubstr("SentencePiece cannot train a vocabulary of 120 pieces"));
}

TEST_F(RawText, TakesAVocabularyThatIsThere) {
  const TranslationData first = open();
  const fs::path kept = home() / "kept";
  fs::create_directories(kept);
  first.vocabulary->save(kept);
  EXPECT_EQ(open_saved_vocabulary(kept)->checksum(), first.vocabulary->checksum());
  options.vocabulary.path = (kept / "vocabulary.model").string();
  english += "a cat\n";
  german += "eine Katze\n";
  const TranslationData second = open();
  EXPECT_EQ(second.vocabulary->checksum(), first.vocabulary->checksum());
  EXPECT_EQ(second.train->size(), 61);
  EXPECT_THAT(second.route, HasSubstr("a given model"));
}

TEST_F(RawText, GivesUnknownCharactersAndOddTextsBackOnOneLine) {
  const TranslationData data = open();
  for (const std::string text : {"\xff\xfe", "", "   ", "漢字 \U0001F600", "<s> </s> <pad>", "a\nb\r\nc"}) {
    const auto ids = data.vocabulary->encode(text);
    for (const int64_t id : ids) EXPECT_TRUE(id >= TranslationVocabulary::unk && id < 120);
    EXPECT_EQ(data.vocabulary->decode(ids).find_first_of("\r\n"), std::string::npos);
  }
  const std::vector<int64_t> outside{120};
  EXPECT_THAT(message_of<UserError>([&] { data.vocabulary->decode(outside); }), HasSubstr("outside"));
}

TEST_F(RawText, CanBeAUsersOwnFiles) {
  put("train", english, german);
  TextPairsOptions own;
  for (const char* language : {"en", "de"}) {
    auto& train = language == std::string("en") ? own.own.train_sources : own.own.train_targets;
    train.assign(2, (home() / "train").string() + "." + language);
  }
  own.own.validation_source = own.own.test_source = (home() / "val.en").string();
  own.own.validation_target = own.own.test_target = (home() / "val.de").string();
  own.vocabulary.pieces = 120;
  const TranslationData data = own.open({home(), home() / "cache"});
  EXPECT_EQ(data.train->size(), 120);
  EXPECT_EQ(source_text(data, *data.train, 60), "a dog number 0 runs over the green grass");
}

TEST(CleaningReport, TellsWhatWasDroppedAndNotWhatNobodyLookedFor) {
  EXPECT_EQ((CleaningReport{.read = 9, .kept = 6, .empty = 2, .ratio = 1}.sentence()),
            "9 pairs read, 6 kept; dropped: 2 with an empty side, 1 of too unequal lengths");
  EXPECT_EQ((CleaningReport{.read = 9, .kept = 9}.sentence()), "9 pairs read, 9 kept; dropped: none");
}

}  // namespace
}  // namespace attnlab
