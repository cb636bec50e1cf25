// Tokenizers of other publishers against the Python package of SentencePiece
// (tests/golden/make_tokenizer_ids.py), and files that are none.
#include "data/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "core/error.h"
#include "core/random.h"
#include "data/temporary.h"
#include "mirror.h"

namespace attnlab {
namespace {

using ::testing::HasSubstr;
using Ids = std::vector<int64_t>;

constexpr const char* small = "small_tokenizer.model";  // trained by the script, so it may stand here
constexpr const char* stories = "models/stories260K/tokenizer.model";

const nlohmann::json& golden_ids() {
  static const auto all = [] {
    std::ifstream in(ATTNLAB_SOURCE_DIR "/tests/golden/tokenizer_ids.json");
    return nlohmann::json::parse(in);
  }();
  return all;
}

std::filesystem::path golden_model() {
  return std::filesystem::path(ATTNLAB_SOURCE_DIR) / "tests/golden" / small;
}

std::string bytes_of_file(const std::filesystem::path& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

class GoldenTokenizer : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    path_ = GetParam() == std::string(small) ? golden_model() : in_mirror(GetParam());
    if (path_.empty()) GTEST_SKIP() << not_in_mirror(GetParam());
  }
  std::filesystem::path path_;
};

TEST_P(GoldenTokenizer, IdsAndTextsAreTheReferences) {
  const Tokenizer tokenizer = Tokenizer::open(path_);
  const auto& golden = golden_ids()["models"][GetParam()];
  EXPECT_EQ(tokenizer.size(), golden["size"].get<int64_t>());
  EXPECT_EQ(tokenizer.bos_id(), golden["bos"].get<int64_t>());
  EXPECT_EQ(tokenizer.eos_id(), golden["eos"].get<int64_t>());
  const auto& texts = golden_ids()["texts"];
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto text = texts[i].get<std::string>();
    Ids expected = golden["ids"][i].get<Ids>();
    EXPECT_EQ(tokenizer.encode(text, false, SpecialTokens::as_text), expected) << text;
    expected.insert(expected.begin(), golden["bos"].get<int64_t>());
    EXPECT_EQ(tokenizer.encode(text, true, SpecialTokens::as_text), expected) << text;
  }
  for (const auto& one : golden["decode"])
    EXPECT_EQ(tokenizer.decode(one["ids"].get<Ids>()), one["text"].get<std::string>()) << one["ids"];
}

/// Texts of the golden file and drawn ids, given one by one.
TEST_P(GoldenTokenizer, AStreamGivesTheSameTextPieceByPiece) {
  const Tokenizer tokenizer = Tokenizer::open(path_);
  std::vector<Ids> all;
  for (const auto& ids : golden_ids()["models"][GetParam()]["ids"]) all.push_back(ids.get<Ids>());
  for (const auto& one : golden_ids()["models"][GetParam()]["decode"]) all.push_back(one["ids"].get<Ids>());
  for (const Ids& ids : all) {
    TextStream stream(tokenizer);
    std::string text;
    for (const int64_t id : ids) text += stream.push(id);
    text += stream.finish();
    EXPECT_EQ(text, tokenizer.decode(ids)) << ::testing::PrintToString(ids);
  }
}

std::string short_name(const ::testing::TestParamInfo<const char*>& info) {
  return std::array<const char*, 4>{"small", "llama2", "mistral", "stories"}[info.index];
}

INSTANTIATE_TEST_SUITE_P(Every, GoldenTokenizer,
                         ::testing::Values(small, "tokenizers/llama2_tokenizer.model",
                                           "tokenizers/mistral_v1_tokenizer.model", stories),
                         short_name);

TEST(Tokenizer, AStreamHoldsBackBytesUntilTheyAreACharacter) {
  const std::filesystem::path path = golden_model();
  const Tokenizer tokenizer = Tokenizer::open(path);
  const auto byte = [&](const char* name) { return tokenizer.id_of(name).value(); };
  TextStream stream(tokenizer);
  EXPECT_EQ(stream.push(byte("<0xE2>")), "");
  EXPECT_EQ(stream.push(byte("<0x82>")), "");
  EXPECT_EQ(stream.push(byte("<0xAC>")), "€");
  EXPECT_EQ(stream.push(byte("<0xE2>")), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
  EXPECT_EQ(stream.finish(), "");
}

TEST(Tokenizer, AStreamGoesOnAfterAPrompt) {
  ATTNLAB_FROM_MIRROR(path, stories);
  const Tokenizer tokenizer = Tokenizer::open(path);
  TextStream stream(tokenizer, tokenizer.encode("Once upon", true));
  const Ids more = tokenizer.encode("a time", false);
  std::string text;
  for (const int64_t id : more) text += stream.push(id);
  EXPECT_EQ(text + stream.finish(), " a time");
}

TEST(Tokenizer, FindsEveryPieceOfAText) {
  ATTNLAB_FROM_MIRROR(path, "tokenizers/llama2_tokenizer.model");
  const Tokenizer tokenizer = Tokenizer::open(path);
  std::vector<std::string> found;
  for (const int64_t id : tokenizer.ids_of_text(".")) found.push_back(tokenizer.piece(id));
  EXPECT_THAT(found, ::testing::UnorderedElementsAre(".", "\u2581.", "<0x2E>"));
  found.clear();
  for (const int64_t id : tokenizer.ids_of_text("\n")) found.push_back(tokenizer.piece(id));
  EXPECT_THAT(found, ::testing::ElementsAre("<0x0A>"));
  EXPECT_TRUE(tokenizer.ids_of_text("no piece is as long as this").empty());
}

TEST(Tokenizer, CountsTheBytesOfItsPieces) {
  ATTNLAB_FROM_MIRROR(path, "tokenizers/llama2_tokenizer.model");
  const Tokenizer tokenizer = Tokenizer::open(path);
  const std::string text = "Straße und 😀 am Meer";
  const Ids ids = tokenizer.encode(text, true);
  const int64_t bytes = std::accumulate(ids.begin(), ids.end(), int64_t{0}, [&](int64_t sum, int64_t id) {
    return sum + tokenizer.bytes_of(id);
  });
  EXPECT_EQ(bytes, static_cast<int64_t>(text.size()) + 1);  // and the space that is put before the first word
}

TEST(Tokenizer, RefusesAModelOfASmallerVocabulary) {
  const std::filesystem::path path = golden_model();
  const Tokenizer tokenizer = Tokenizer::open(path);
  tokenizer.check_vocabulary(320);
  tokenizer.check_vocabulary(384);  // a padded table
  EXPECT_EQ(
      testing::message_of<UserError>([&] { tokenizer.check_vocabulary(300); }),
      path.string() + " has 320 pieces and the model 300 ids: it is the tokenizer of another vocabulary");
  EXPECT_THAT(testing::message_of<UserError>([&] { (void)tokenizer.decode(Ids{320}); }),
              HasSubstr("320 is no token id"));
}

TEST(Tokenizer, RefusesFilesThatAreNone) {
  const testing::TemporaryFolder folder;
  const auto sentence = [&](std::string_view bytes) {
    testing::write(folder.path() / "t.model", bytes);
    return testing::message_of<UserError>([&] { Tokenizer::open(folder.path() / "t.model"); });
  };
  const std::string name = (folder.path() / "t.model").string();
  EXPECT_EQ(sentence(""), name + " is no SentencePiece model");
  EXPECT_EQ(sentence("{\"model\": \"rubbish\"}"), name + " is no SentencePiece model");
  EXPECT_THAT(testing::message_of<UserError>([&] { Tokenizer::open(folder.path() / "absent.model"); }),
              HasSubstr("absent.model: No such file or directory"));
}

// A cut between two fields leaves a file that the library reads as a smaller model.
TEST(Tokenizer, RefusesAFileThatIsCutAnywhere) {
  const std::filesystem::path path = golden_model();
  const testing::TemporaryFolder folder;
  const std::string whole = bytes_of_file(path);
  for (std::size_t n = 1; n < whole.size(); n += 7) {
    testing::write(folder.path() / "t.model", whole.substr(0, n));
    EXPECT_THAT(
        testing::message_of<UserError>([&] { Tokenizer::open(folder.path() / "t.model"); }),
        ::testing::AnyOf(HasSubstr("is cut short or damaged"), HasSubstr("is no SentencePiece model")))
        << n;
  }
}

// Whatever a damaged file holds, it is refused with a sentence or can be used; the library never leaves its
// tables.
TEST(Tokenizer, SurvivesDamagedFiles) {
  const std::filesystem::path path = golden_model();
  const testing::TemporaryFolder folder;
  const std::string whole = bytes_of_file(path);
  Random random(11);
  int used = 0, refused = 0;
  for (int round = 0; round < 300; ++round) {
    std::string bytes = whole;
    for (uint64_t i = 0; i <= random.below(4); ++i)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    testing::write(folder.path() / "t.model", bytes);
    try {
      const Tokenizer tokenizer = Tokenizer::open(folder.path() / "t.model");
      (void)tokenizer.decode(tokenizer.encode("Once upon a time, 你好 ﬁ", false));
      ++used;
    } catch (const UserError&) {
      ++refused;
    }
  }
  EXPECT_GT(used, 0);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace attnlab
