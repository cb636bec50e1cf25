// Folders of fairseq-preprocess, written by numpy after its format: tests/golden/make_fairseq_binarised.py.
#include "data/translation/fairseq_binarised.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "data/temporary.h"
#include "data/translation/fairseq_file.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryFolder;
using testing::write;

const fs::path golden = ATTNLAB_SOURCE_DIR "/tests/golden/fairseq_binarised";

class FairseqBinarised : public ::testing::Test {
 protected:
  FairseqBinarised() {
    fs::copy(golden, path());
    options.path = path().string();
  }
  fs::path path(const std::string& name = "") const { return folder_.path() / "bin" / name; }
  TranslationData open() const { return options.open({folder_.path(), folder_.path() / "cache"}); }
  std::string refusal() const {
    return message_of<UserError>([this] { open(); });
  }
  /// Replaces bytes of a file.
  template <class T>
  void put(const std::string& name, std::size_t at, T value) const {
    std::string bytes = read_file(path(name));
    std::memcpy(bytes.data() + at, &value, sizeof value);
    write(path(name), bytes);
  }

  FairseqBinarisedOptions options;

 private:
  TemporaryFolder folder_;
};

/// What fairseq prints for a symbol that its dictionary has not.
std::string with_unknown(const TranslationVocabulary& vocabulary, const std::string& text) {
  std::vector<int64_t> ids = vocabulary.encode(text);
  return vocabulary.decode(ids);
}

TEST_F(FairseqBinarised, HoldsThePairsThatWereWritten) {
  const TranslationData data = open();
  EXPECT_EQ(data.vocabulary->size(), 16);
  const auto expected = nlohmann::json::parse(read_file(golden / "pairs.json"));
  const auto compare = [&](const SentencePairs& pairs, const char* part) {
    ASSERT_EQ(pairs.size(), static_cast<int64_t>(expected.at(part).size()));
    std::vector<int64_t> ids;
    for (int64_t i = 0; i < pairs.size(); ++i) {
      const auto& texts = expected.at(part).at(static_cast<std::size_t>(i));
      pairs.source(i, ids);
      EXPECT_EQ(pairs.source_length(i), static_cast<int64_t>(ids.size()));
      EXPECT_EQ(ids.back(), TranslationVocabulary::eos);
      EXPECT_EQ(data.vocabulary->decode(ids), with_unknown(*data.vocabulary, texts.at(0)));
      pairs.target(i, ids);
      EXPECT_EQ(pairs.target_length(i), static_cast<int64_t>(ids.size()));
      EXPECT_EQ(data.vocabulary->decode(ids), with_unknown(*data.vocabulary, texts.at(1)));
    }
  };
  compare(*data.train, "train");
  compare(*data.validation, "valid");
  compare(*data.test, "test");
  std::vector<int64_t> ids;
  data.train->source(0, ids);
  EXPECT_EQ(data.vocabulary->decode(ids), "the little dog");
  data.test->source(0, ids);
  EXPECT_EQ(data.vocabulary->decode(ids), "a little <unk>");
  EXPECT_EQ(data.vocabulary->decode_reference(ids), "a little <<unk>>") << "which no translation equals";
  EXPECT_TRUE(data.test_references.empty()) << "the route holds ids only";
  EXPECT_EQ(data.route, "fairseq's binarised en-de, joined dictionary of 16 symbols");
}

TEST_F(FairseqBinarised, IsReadTheOtherWayRound) {
  options.source = "de";
  options.target = "en";
  const TranslationData data = open();
  std::vector<int64_t> ids;
  data.train->source(0, ids);
  EXPECT_EQ(data.vocabulary->decode(ids), "der kleine Hund");
}

TEST_F(FairseqBinarised, WantsOneDictionary) {
  write(path("dict.de.txt"), "Hund 4\n");
  EXPECT_THAT(refusal(), HasSubstr("different dictionaries"));
  EXPECT_THAT(refusal(), HasSubstr("--joined-dictionary"));
}

TEST_F(FairseqBinarised, RefusesADictionaryOfAnotherRun) {
  for (const char* name : {"dict.en.txt", "dict.de.txt"}) write(path(name), "Hund 4\ndog 4\n");
  EXPECT_THAT(refusal(),
              HasSubstr("train.en-de.en.bin: sentence 0 holds the id 13, and the dictionary has 6"));
}

TEST_F(FairseqBinarised, NamesFileAndLineOfABrokenDictionary) {
  const auto broken = [this](const std::string& text) {
    write(path("dict.en.txt"), text);
    return refusal();
  };
  EXPECT_THAT(broken("Hund 4\ndog\n"), HasSubstr("dict.en.txt:2 is no line of a fairseq dictionary"));
  EXPECT_THAT(broken("Hund 4\ndog x\n"), HasSubstr("dict.en.txt:2 is no line"));
  EXPECT_THAT(broken("Hund 4\nHund 3\n"), HasSubstr("dict.en.txt:2 has the symbol 'Hund' a second time"));
  EXPECT_THAT(broken("<pad> 4\n"), HasSubstr("second time"));
  EXPECT_THAT(broken("Hund 4\nHund 3 #fairseq:overwrite\n"), HasSubstr("different dictionaries"));
}

TEST_F(FairseqBinarised, NamesWhatIsMissing) {
  fs::remove(path("valid.en-de.de.idx"));
  EXPECT_THAT(refusal(), HasSubstr("there is no file " + path("valid.en-de.de.idx").string()));
}

TEST_F(FairseqBinarised, RefusesSidesOfUnequalLength) {
  for (const char* extension : {".bin", ".idx"})
    fs::copy(path("test.en-de.de" + std::string(extension)), path("train.en-de.de" + std::string(extension)),
             fs::copy_options::overwrite_existing);
  EXPECT_THAT(refusal(), HasSubstr("train.en-de.en.idx has 3 sentences"));
  EXPECT_THAT(refusal(), HasSubstr("train.en-de.de.idx has 1"));
}

TEST_F(FairseqBinarised, RefusesDamagedFiles) {
  const std::string index = "train.en-de.en.idx", ids = "train.en-de.en.bin";
  const auto broken = [&](auto&& damage) {
    damage();
    const std::string sentence = refusal();
    for (const std::string& name : {index, ids})
      fs::copy(golden / name, path(name), fs::copy_options::overwrite_existing);
    return sentence;
  };
  EXPECT_THAT(broken([&] { put(index, 0, 'T'); }), HasSubstr("is no index"));
  EXPECT_THAT(broken([&] { write(path(index), std::string("TNTIDX\0\0", 8)); }), HasSubstr("older format"));
  EXPECT_THAT(broken([&] { put(index, 9, uint64_t{2}); }), HasSubstr("has version 2"));
  EXPECT_THAT(broken([&] { put(index, 17, uint8_t{6}); }), HasSubstr("no type of integers"));
  EXPECT_THAT(broken([&] { put(index, 18, uint64_t{1} << 60); }), HasSubstr("is cut short or damaged"));
  EXPECT_THAT(broken([&] { put(index, 26, int32_t{-1}); }), HasSubstr("sentence 0 has -1 tokens"));
  EXPECT_THAT(broken([&] { put(index, 26, int32_t{1} << 30); }), HasSubstr("tokens at byte 0"));
  EXPECT_THAT(broken([&] { put(index, 26 + 3 * 4 + 8, int64_t{2}); }), HasSubstr("sentence 1"));
  EXPECT_THAT(broken([&] { put(ids, 0, uint16_t{900}); }), HasSubstr("holds the id 900"));
  EXPECT_THAT(broken([&] { put(ids, 2, uint16_t{1}); }), HasSubstr("en.bin: sentence 0 holds <pad> (1)"));
  EXPECT_THAT(broken([&] { put(ids, 0, uint16_t{0}); }), HasSubstr("en.bin: sentence 0 holds <s> (0)"));
  EXPECT_THAT(broken([&] { write(path(ids), read_file(path(ids)) + "xx"); }),
              HasSubstr("bytes where its index has"));
  EXPECT_THAT(broken([&] { put(ids, 8, uint16_t{5}); }), HasSubstr("sentence 0 does not end with </s>"));
}

TEST_F(FairseqBinarised, IsRefusedCutShortAnywhere) {
  for (const std::string name : {"test.en-de.en.idx", "test.en-de.en.bin"}) {
    const std::string whole = read_file(path(name));
    for (std::size_t size = 0; size < whole.size(); ++size) {
      write(path(name), whole.substr(0, size));
      EXPECT_THAT(refusal(), HasSubstr(path("test.en-de.en").string())) << name << " of " << size;
    }
    write(path(name), whole);
  }
}

TEST_F(FairseqBinarised, ReadsEveryTypeOfIntegers) {
  const TemporaryFolder folder;
  for (const auto& [code, size] :
       {std::pair(1, 1), {2, 1}, {3, 2}, {4, 4}, {5, 8}, {8, 2}, {9, 4}, {10, 8}}) {
    std::string index("MMIDIDX\0\0\1\0\0\0\0\0\0\0", 17), ids;
    index += static_cast<char>(code);
    index += std::string("\1\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0", 20);
    for (const char id : {100, 7, 2}) ids += id + std::string(static_cast<std::size_t>(size - 1), '\0');
    write(folder.path() / "x.idx", index);
    write(folder.path() / "x.bin", ids);
    std::vector<int64_t> read;
    FairseqFile(folder.path() / "x", 101).read(0, read);
    EXPECT_EQ(read, (std::vector<int64_t>{100, 7, 2})) << "type " << code;
  }
}

TEST_F(FairseqBinarised, CutsNewTextByCodes) {
  write(path("codes"), "#version: 0.2\nl i\n");
  options.codes = path("codes").string();
  const auto vocabulary = open().vocabulary;
  const std::vector<int64_t> li = vocabulary->encode("lix");
  EXPECT_EQ(vocabulary->decode(li), "li<unk>");
  EXPECT_EQ(li.size(), 2u);
}

/// Pieces of SentencePiece in a dictionary of fairseq become plain text.
TEST_F(FairseqBinarised, JoinsPiecesOfSentencePiece) {
  for (const char* name : {"dict.en.txt", "dict.de.txt"}) {
    std::string text = "\u2581the 4\n\u2581dog 3\ns 2\n";
    for (int i = 0; i < 9; ++i) text += "madeupword000" + std::to_string(i) + " 0\n";
    write(path(name), text);
  }
  options.pieces = Pieces::sentencepiece;
  const auto vocabulary = open().vocabulary;
  EXPECT_EQ(vocabulary->decode(std::vector<int64_t>{4, 5, 6, 2}), "the dogs");
  EXPECT_FALSE(vocabulary->tokenised());
  fs::create_directories(path("kept"));
  vocabulary->save(path("kept"));
  EXPECT_EQ(open_saved_vocabulary(path("kept"))->decode(std::vector<int64_t>{4, 5, 6, 2}), "the dogs");
}

}  // namespace
}  // namespace attnlab
