// Tokens that a SentencePiece folder declares, against transformers' LlamaTokenizerFastFast
// (tests/golden/make_folder_tokens.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "data/temporary.h"
#include "data/tokenizer.h"

namespace attnlab {
namespace {

using ::testing::HasSubstr;
using Ids = std::vector<int64_t>;

constexpr const char* golden_folder = ATTNLAB_SOURCE_DIR "/tests/golden/";

const nlohmann::json& golden() {
  static const auto all =
      nlohmann::json::parse(std::ifstream(std::string(golden_folder) + "folder_tokens.json"));
  return all;
}

/// small_tokenizer.model (320 pieces) with the files given beside it.
class SmallFolder {
 public:
  explicit SmallFolder(const nlohmann::json& files) {
    std::filesystem::copy_file(std::string(golden_folder) + "small_tokenizer.model",
                               temporary_.path() / "tokenizer.model");
    for (const auto& [name, content] : files.items()) std::ofstream(temporary_.path() / name) << content;
  }
  Tokenizer open() const { return Tokenizer::open(temporary_.path()); }

 private:
  testing::TemporaryFolder temporary_;
};

const nlohmann::json two_tokens = {{"added_tokens.json", {{"<|im_start|>", 320}, {"[X]", 322}}},
                                   {"special_tokens_map.json", {{"bos_token", "<|im_start|>"}}}};

TEST(FolderTokens, IdsAreTheReferences) {
  for (const auto& folder : golden()["folders"]) {
    const Tokenizer tokenizer = SmallFolder(folder["files"]).open();
    for (std::size_t i = 0; i < golden()["texts"].size(); ++i) {
      const auto text = golden()["texts"][i].get<std::string>();
      const Ids expected = folder["ids"][i].get<Ids>();
      EXPECT_EQ(tokenizer.encode(text, false), expected) << folder["name"] << " " << text;
      EXPECT_EQ(tokenizer.encode_with_ends(text).ids, expected) << folder["name"] << " " << text;
    }
  }
}

TEST(FolderTokens, AreTextWhereAskedForOrWhereTheFolderDeclaresNone) {
  const std::string text = "the end.</s>once";
  const nlohmann::json named = {{"tokenizer_config.json", {{"eos_token", "</s>"}}}};
  const Tokenizer declared = SmallFolder(named).open(), bare = SmallFolder(nlohmann::json::object()).open();
  EXPECT_THAT(declared.encode(text, false), ::testing::Contains(*declared.eos_id()));
  EXPECT_EQ(declared.encode(text, false, SpecialTokens::as_text), bare.encode(text, false));
}

TEST(FolderTokens, AreFoundBesideBytesThatAreNoUtf8) {
  const nlohmann::json token = {
      {"content", "<t>"}, {"lstrip", true}, {"rstrip", true}, {"single_word", false}};
  const nlohmann::json files = {{"tokenizer_config.json", {{"added_tokens_decoder", {{"320", token}}}}}};
  const Tokenizer tokenizer = SmallFolder(files).open();
  EXPECT_EQ(tokenizer.encode("\x80<t>\xff", false), tokenizer.encode("\uFFFD<t>\uFFFD", false));
  EXPECT_EQ(tokenizer.encode_with_ends("\x80<t>\xff").ends.back(), 5);
}

TEST(FolderTokens, TextGoesOnBehindIdsOfAPaddedTable) {
  const Tokenizer tokenizer = SmallFolder(nlohmann::json::object()).open();
  const Ids ids = tokenizer.encode("the end", false);
  EXPECT_EQ(text_after(tokenizer, {tokenizer.size() + 3}, ids), text_after(tokenizer, {}, ids));
}

TEST(FolderTokens, EndsCoverTheTextAndDecodingGivesItBack) {
  for (const bool legacy : {true, false}) {
    nlohmann::json files = two_tokens;
    files["tokenizer_config.json"] = {{"legacy", legacy}};
    const Tokenizer tokenizer = SmallFolder(files).open();
    const std::string text = "the dog[X]the cat[X] 1 €";
    const Encoding made = tokenizer.encode_with_ends(text);
    EXPECT_EQ(made.ends.back(), static_cast<int64_t>(text.size()));
    EXPECT_TRUE(std::is_sorted(made.ends.begin(), made.ends.end()));
    EXPECT_EQ(tokenizer.decode(made.ids), text) << legacy;
  }
}

TEST(FolderTokens, AStreamGivesTheTextOfTheWholeWithSilentTokensBetween) {
  const Tokenizer tokenizer = SmallFolder(two_tokens).open();
  const Ids ids = tokenizer.encode("the<|im_start|>dog[X]and<|im_start|><|im_start|> €", true);
  TextStream stream(tokenizer);
  std::string text;
  for (const int64_t id : ids) text += stream.push(id);
  EXPECT_EQ(text + stream.finish(), tokenizer.decode(ids));
  EXPECT_THAT(text, HasSubstr("the dog[X]and"));
}

TEST(FolderTokens, CountAsPiecesAndLeaveGapsSilent) {
  const Tokenizer tokenizer = SmallFolder(two_tokens).open();
  EXPECT_EQ(tokenizer.size(), 323);
  EXPECT_EQ(tokenizer.piece(320), "<|im_start|>");
  EXPECT_EQ(tokenizer.id_of("[X]"), 322);
  EXPECT_EQ(tokenizer.bytes_of(320), 0);
  EXPECT_EQ(tokenizer.bytes_of(322), 3);
  EXPECT_EQ(tokenizer.piece(321), "");
  EXPECT_EQ(tokenizer.decode(Ids{320, 321, 322}), "[X]");
}

TEST(FolderTokens, MayBeBeyondTheModelsIdsWhereNoTextHasThem) {
  Tokenizer tokenizer = SmallFolder(two_tokens).open();
  tokenizer.limit_to(320);
  EXPECT_EQ(tokenizer.encode("the", false), tokenizer.encode_with_ends("the").ids);
  const std::string refused =
      "a text has the token '[X]', whose id in " + tokenizer.path() + " is 322, and the model has 320 ids";
  EXPECT_EQ(testing::message_of<UserError>([&] { (void)tokenizer.encode("the [X]", false); }), refused);
  EXPECT_EQ(testing::message_of<UserError>([&] { (void)tokenizer.encode_with_ends("[X]"); }), refused);
  EXPECT_EQ(
      testing::message_of<UserError>([&] { tokenizer.limit_to(319); }),
      tokenizer.path() + " has 323 pieces and the model 319 ids: it is the tokenizer of another vocabulary");
}

TEST(FolderTokens, RefusesWhatIsDamagedOrContradictsItself) {
  const auto refusal = [](const nlohmann::json& files) -> std::string {
    try {
      SmallFolder(files).open();
    } catch (const UserError& error) {
      return error.what();
    }
    return "nothing was refused";
  };
  EXPECT_THAT(refusal({{"added_tokens.json", {{"<a>", 320}, {"<b>", 320}}}}),
              HasSubstr("the tokens '<a>' and '<b>' beside it both have the id 320"));
  EXPECT_THAT(refusal({{"added_tokens.json", {{"<a>", 9000000}}}}), HasSubstr("far beyond its 320 pieces"));
  EXPECT_THAT(refusal({{"added_tokens.json", {{"<a>", "x"}}}}),
              HasSubstr("added_tokens.json: '<a>' is \"x\" where a token id was expected"));
  EXPECT_THAT(
      refusal({{"tokenizer_config.json", {{"added_tokens_decoder", {{"-1", {{"content", "<a>"}}}}}}}}),
      HasSubstr("where a token under its id was expected"));
  EXPECT_THAT(refusal({{"tokenizer_config.json", {{"add_eos_token", true}}}}),
              HasSubstr("tokenizer_config.json: 'add_eos_token' asks for EOS behind every text"));
  EXPECT_THAT(refusal({{"special_tokens_map.json", {{"additional_special_tokens", {1}}}}}),
              HasSubstr("where a text was expected"));
}

}  // namespace
}  // namespace attnlab
