// tokenizer.json in the shapes of published families, against the `tokenizers` package
// (tests/golden/make_tokenizer_json.py), and files that are none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"
#include "data/temporary.h"
#include "data/tokenizer.h"

namespace attnlab {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Ids = std::vector<int64_t>;

const std::filesystem::path golden_folder =
    std::filesystem::path(ATTNLAB_SOURCE_DIR) / "tests/golden/tokenizer_json";

json json_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return json::parse(in);
}

const json& golden() {
  static const json all = json_of(golden_folder / "ids.json");
  return all;
}

class JsonShape : public ::testing::TestWithParam<const char*> {
 protected:
  JsonShape() : tokenizer_(Tokenizer::open(golden_folder / (std::string(GetParam()) + ".json"))) {}
  const json& wanted() const { return golden()["shapes"][GetParam()]; }
  const Tokenizer tokenizer_;
};

TEST_P(JsonShape, GivesTheReferencesIds) {
  EXPECT_EQ(tokenizer_.size(), wanted()["size"].get<int64_t>());
  for (const bool again : {false, true})  // from its memory of pieces
    for (std::size_t i = 0; i < golden()["texts"].size(); ++i) {
      const auto text = golden()["texts"][i].get<std::string>();
      EXPECT_EQ(tokenizer_.encode(text, false), wanted()["ids"][i].get<Ids>()) << text << again;
    }
}

TEST_P(JsonShape, ReadsSpecialTokensAsTextWhereAskedTo) {
  for (std::size_t i = 0; i < golden()["special"].size(); ++i) {
    const auto text = golden()["special"][i].get<std::string>();
    EXPECT_EQ(tokenizer_.encode(text, false, SpecialTokens::as_text),
              wanted()["special_as_text"][i].get<Ids>())
        << text;
  }
}

TEST_P(JsonShape, DecodesAsTheReference) {
  for (const auto& one : wanted()["decode"])
    EXPECT_EQ(tokenizer_.decode(one["ids"].get<Ids>()), one["text"].get<std::string>()) << one["ids"];
}

TEST_P(JsonShape, AStreamGivesTheSameTextPieceByPiece) {
  for (const auto& one : wanted()["decode"]) {
    TextStream stream(tokenizer_);
    std::string text;
    for (const int64_t id : one["ids"].get<Ids>()) text += stream.push(id);
    EXPECT_EQ(text + stream.finish(), one["text"].get<std::string>()) << one["ids"];
  }
}

TEST_P(JsonShape, ItsTemplateSaysWhetherTextsBeginWithBos) {
  const json& bos = wanted()["bos"];
  EXPECT_EQ(tokenizer_.adds_bos(), !bos.is_null());
  if (bos.is_null()) return;
  EXPECT_EQ(tokenizer_.bos_id(), bos.get<int64_t>());
  EXPECT_EQ(tokenizer_.encode("", true), (Ids{bos.get<int64_t>()}));
}

TEST_P(JsonShape, SaysWhereInTheTextEachTokenEnds) {
  for (const auto& one : golden()["texts"]) {
    const auto text = one.get<std::string>();
    const Encoding with_ends = tokenizer_.encode_with_ends(text);
    EXPECT_EQ(with_ends.ids, tokenizer_.encode(text, false));
    ASSERT_EQ(with_ends.ends.size(), with_ends.ids.size());
    EXPECT_TRUE(std::is_sorted(with_ends.ends.begin(), with_ends.ends.end())) << text;
    if (!with_ends.ends.empty()) {
      EXPECT_EQ(with_ends.ends.back(), static_cast<int64_t>(text.size())) << text;
    }
  }
}

/// Between two tokens stands what the second one is of: the bytes that it decodes to.
TEST_P(JsonShape, EndsAreThoseOfTheBytesOfTokens) {
  const std::string text = "It was the best of times,\n  naïve 你好 1234 don't";
  const Encoding found = tokenizer_.encode_with_ends(text);
  for (std::size_t i = 1; i < found.ids.size(); ++i) {
    if (tokenizer_.piece(found.ids[i]) == "<unk>") continue;
    EXPECT_EQ(found.ends[i] - found.ends[i - 1], tokenizer_.bytes_of(found.ids[i]))
        << tokenizer_.piece(found.ids[i]);
  }
}

TEST_P(JsonShape, ReadsBytesThatAreNoTextAsReplacements) {
  EXPECT_EQ(tokenizer_.encode("a\xff\xe2\x82 b", false), tokenizer_.encode("a\uFFFD\uFFFD\uFFFD b", false));
  EXPECT_EQ(tokenizer_.encode_with_ends("a\xff\xe2\x82").ends.back(), 4);
}

INSTANTIATE_TEST_SUITE_P(Every, JsonShape,
                         ::testing::Values("gpt2", "smollm", "llama3", "qwen2", "tekken", "llama2", "mistral",
                                           "unknown"),
                         [](const auto& shape) { return std::string(shape.param); });

Tokenizer shape(const std::string& name) { return Tokenizer::open(golden_folder / (name + ".json")); }

TEST(JsonTokenizer, NamesItsPiecesAsTheFileDoes) {
  const Tokenizer tokenizer = shape("smollm");
  const int64_t the = tokenizer.id_of("Ġthe").value();
  EXPECT_EQ(tokenizer.piece(the), "Ġthe");
  EXPECT_EQ(tokenizer.bytes_of(the), 4);
  EXPECT_EQ(tokenizer.bytes_of(tokenizer.id_of("<|im_end|>").value()), 0);
  EXPECT_THAT(tokenizer.ids_of_text("the"), ::testing::IsSupersetOf({the}));
  EXPECT_EQ(tokenizer.ids_of_text("\n"), (Ids{tokenizer.id_of("Ċ").value()}));
  EXPECT_EQ(tokenizer.id_of("no such piece"), std::nullopt);
}

TEST(JsonTokenizer, AStreamHoldsBackBytesUntilTheyAreACharacter) {
  const Tokenizer tokenizer = shape("gpt2");
  const auto byte = [&](const char* letter) { return tokenizer.id_of(letter).value(); };
  TextStream stream(tokenizer, {byte("â")});  // the text before ends within a character
  EXPECT_EQ(stream.push(byte("Ĥ")), "");
  EXPECT_EQ(stream.push(byte("¬")), "€");
  EXPECT_EQ(stream.push(byte("â")), "");
  EXPECT_EQ(stream.push(byte("a")), "\uFFFDa");
  EXPECT_EQ(stream.push(byte("ÿ")), "\uFFFD");  // which no character begins with
  EXPECT_EQ(stream.push(byte("ð")), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
  EXPECT_EQ(stream.finish(), "");
}

// As SentencePiece does, so that both files of one model give one text; `tokenizers` gives up the whole run.
TEST(JsonTokenizer, AStrayByteCostsItsNeighboursNothing) {
  const Tokenizer tokenizer = shape("llama2");
  Ids ids;
  for (const char* piece : {"<0xC3>", "<0xA9>", "<0xE2>", "<0x82>", "<0xC3>", "<0xA9>"})
    ids.push_back(tokenizer.id_of(piece).value());
  EXPECT_EQ(tokenizer.decode(ids), "é\uFFFD\uFFFDé");
}

/// A folder with what a test puts there.
class TokenizerFolder : public ::testing::Test {
 protected:
  void put_json(const json& content, const char* name = "tokenizer.json") {
    testing::write(folder_.path() / name, content.dump());
  }
  void put_model() {
    std::filesystem::copy_file(golden_folder.parent_path() / "small_tokenizer.model",
                               folder_.path() / "tokenizer.model");
  }
  std::string path(const char* name) const { return (folder_.path() / name).string(); }
  Tokenizer open() const { return Tokenizer::open(folder_.path()); }
  std::string refused() const {
    return testing::message_of<UserError>([&] { (void)open(); });
  }
  /// The sentence about a sound file of which one value has been replaced.
  std::string refused_with(const char* place, const json& value, const char* shape = "smollm") {
    json content = json_of(golden_folder / (std::string(shape) + ".json"));
    content[json::json_pointer(place)] = value;
    put_json(content);
    return refused();
  }
  /// A tokenizer.json with the pieces of the SentencePiece model.
  json same_pieces() const {
    const Tokenizer model = Tokenizer::open(folder_.path() / "tokenizer.model");
    json content = json_of(golden_folder / "mistral.json");
    content["added_tokens"] = json::array();
    content["post_processor"] = nullptr;
    content["model"]["merges"] = json::array();
    content["model"]["vocab"] = json::object();
    for (int64_t id = 0; id < model.size(); ++id) content["model"]["vocab"][model.piece(id)] = id;
    return content;
  }
  const testing::TemporaryFolder folder_;
};

TEST_F(TokenizerFolder, HoldsOneOfTheFilesOrBoth) {
  EXPECT_EQ(refused(), folder_.path().string() +
                           " holds no tokenizer: there is neither tokenizer.json nor "
                           "tokenizer.model in it");
  put_model();
  EXPECT_EQ(open().path(), path("tokenizer.model"));
  put_json(same_pieces());
  EXPECT_EQ(open().path(), path("tokenizer.json"));
  EXPECT_EQ(Tokenizer::open(path("tokenizer.model")).path(), path("tokenizer.model"));
}

TEST_F(TokenizerFolder, TakesItsJsonAloneBesideAModelOfAnotherKind) {
  put_json(json_of(golden_folder / "llama3.json"));
  std::ofstream(path("tokenizer.model")) << "IQ== 0\nIg== 1\n";  // tiktoken's, as Meta's Llama 3 has it
  EXPECT_EQ(open().path(), path("tokenizer.json"));
}

TEST_F(TokenizerFolder, RefusesTwoVocabularies) {
  put_model();
  json content = same_pieces();
  content["model"]["vocab"].erase("▁the");
  content["model"]["vocab"]["▁them"] = Tokenizer::open(path("tokenizer.model")).id_of("▁the").value();
  put_json(content);
  EXPECT_THAT(refused(), AllOf(StartsWith(path("tokenizer.json") + " has '▁them' as piece "),
                               HasSubstr(path("tokenizer.model") + " has '▁the'")));
  content["model"]["vocab"] = {{"a", 0}};
  content["model"]["byte_fallback"] = false;
  content["model"]["unk_token"] = nullptr;
  put_json(content);
  EXPECT_THAT(refused(), HasSubstr("has 1 pieces and " + path("tokenizer.model") + " has 320"));
}

TEST_F(TokenizerFolder, NamesOfBosAndEosStandInTokenizerConfig) {
  put_json(json_of(golden_folder / "smollm.json"));
  EXPECT_EQ(open().bos_id(), std::nullopt);
  EXPECT_EQ(open().adds_bos(), false);
  put_json({{"bos_token", "<|im_start|>"}, {"eos_token", {{"content", "<|im_end|>"}}}},
           "tokenizer_config.json");
  EXPECT_EQ(open().bos_id(), 1);
  EXPECT_EQ(open().eos_id(), 2);
  EXPECT_EQ(open().adds_bos(), false);
  put_json({{"bos_token", "<|im_start|>"}, {"add_bos_token", true}}, "tokenizer_config.json");
  EXPECT_EQ(open().adds_bos(), true);
  put_json({{"bos_token", 3}}, "tokenizer_config.json");
  EXPECT_EQ(refused(), path("tokenizer_config.json") + ": 'bos_token' is 3 where a text was expected");
}

TEST_F(TokenizerFolder, RefusesAFileThatIsCutAnywhere) {
  const std::string whole = json_of(golden_folder / "llama2.json").dump();
  for (std::size_t n = 0; n < whole.size(); n += 97) {
    testing::write(path("tokenizer.json"), whole.substr(0, n));
    EXPECT_EQ(refused(), path("tokenizer.json") + " is no valid JSON: cut short or damaged") << n;
  }
  put_json({{"vocab_size", 3}});
  EXPECT_EQ(refused(), path("tokenizer.json") + " is no tokenizer.json: it has no key 'model'");
}

TEST_F(TokenizerFolder, RefusesWhatContradictsItself) {
  const std::string file = path("tokenizer.json");
  EXPECT_EQ(refused_with("/model/merges/0", json{"Ġ", "nowhere"}),
            file + ": 'model.merges[0]' merges 'Ġ' and 'nowhere', and there is no piece 'nowhere'");
  EXPECT_EQ(refused_with("/model/merges/0", "a b c"),
            file + ": 'model.merges[0]' is \"a b c\" where a pair of pieces was expected");
  EXPECT_THAT(refused_with("/model/vocab/new", 7),
              StartsWith(file + ": 'model.vocab' gives two pieces the id 7, "));
  EXPECT_EQ(refused_with("/model/vocab/new", -1),
            file + ": 'model.vocab.new' is -1 where a token id was expected");
  EXPECT_THAT(refused_with("/model/vocab/new", 1 << 24), HasSubstr("where a token id was expected"));
  EXPECT_EQ(refused_with("/model/vocab/new", 1000000),
            file + ": 'model.vocab.new' is 1000000, far beyond its 441 pieces");
  EXPECT_EQ(refused_with("/added_tokens/1/id", 9),
            file + ": 'added_tokens[1]' gives '<|im_start|>' the id 9, and the vocabulary leaves it 1");
  EXPECT_EQ(refused_with("/added_tokens/1/content", "<|endoftext|>"),
            file + ": 'added_tokens[1]' is the token '<|endoftext|>' for the second time");
  EXPECT_EQ(refused_with("/model/unk_token", "<none>", "unknown"),
            file + ": 'model.unk_token' is '<none>', and there is no such piece");
  EXPECT_EQ(
      refused_with("/post_processor/special_tokens/<s>/ids/0", 5000, "llama2"),
      file +
          ": 'post_processor.special_tokens.<s>.ids[0]' is 5000 where an id of the vocabulary was expected");
}

TEST_F(TokenizerFolder, NamesWhatIsNotImplemented) {
  const std::string file = path("tokenizer.json");
  const std::string end = ", which is not implemented";
  EXPECT_EQ(refused_with("/model/type", "Unigram"),
            file + ": 'model.type' has 'Unigram', a model other than BPE" + end);
  EXPECT_EQ(refused_with("/normalizer", {{"type", "Lowercase"}}),
            file + ": 'normalizer' has the normaliser Lowercase" + end);
  EXPECT_EQ(refused_with("/pre_tokenizer/pretokenizers/0", {{"type", "Whitespace"}}),
            file + ": 'pre_tokenizer.pretokenizers[0]' has the pre-tokeniser Whitespace" + end);
  EXPECT_EQ(refused_with("/pre_tokenizer/pretokenizers/0/pattern/Regex", "\\p{Han}+|\\w+", "llama3"),
            file +
                ": 'pre_tokenizer.pretokenizers[0].pattern' has an expression that begins with "
                "\"\\\\p{Han}+|\\\\w+\"" +
                end);
  EXPECT_EQ(refused_with("/pre_tokenizer/pretokenizers/0/behavior", "Removed", "llama3"),
            file + ": 'pre_tokenizer.pretokenizers[0]' has the behaviour Removed" + end);
  EXPECT_EQ(refused_with("/pre_tokenizer/pretokenizers/1/add_prefix_space", true),
            file + ": 'pre_tokenizer.pretokenizers[1]' has add_prefix_space" + end);
  EXPECT_EQ(refused_with("/post_processor", {{"type", "BertProcessing"}}),
            file + ": 'post_processor' has the post-processor BertProcessing" + end);
  EXPECT_THAT(refused_with("/post_processor/single/2", {{"SpecialToken", {{"id", "</s>"}}}}, "llama2"),
              HasSubstr("has other tokens around a text than one before it" + end));
  EXPECT_THAT(refused_with("/decoder", {{"type", "WordPiece"}}),
              HasSubstr("has another decoder than ByteLevel"));
  EXPECT_THAT(refused_with("/decoder/decoders/3/type", "CTC", "llama2"),
              HasSubstr("has Replace, ByteFallback, Fuse, CTC where"));
  EXPECT_EQ(refused_with("/model/end_of_word_suffix", "</w>"),
            file + ": 'model.end_of_word_suffix' has a text" + end);
}

TEST(JsonTokenizer, AddedTokensMayBeBeyondTheModelsIdsWhereNoTextHasThem) {
  Tokenizer tokenizer = shape("llama2");
  tokenizer.limit_to(542);
  EXPECT_FALSE(tokenizer.encode("the", true).empty());
  EXPECT_THAT(testing::message_of<UserError>([&] { (void)tokenizer.encode("the<pad>", false); }),
              HasSubstr("a text has the token '<pad>', whose id in "));
  EXPECT_EQ(tokenizer.encode("the<pad>", false, SpecialTokens::as_text),
            shape("llama2").encode("the<pad>", false, SpecialTokens::as_text));
}

TEST_F(TokenizerFolder, RefusesAModelOfFewerIds) {
  EXPECT_EQ(testing::message_of<UserError>([] { shape("llama3").check_vocabulary(440); }),
            (golden_folder / "llama3.json").string() +
                " has 444 pieces and the model 440 ids: it is the tokenizer of another vocabulary");
}

}  // namespace
}  // namespace attnlab
