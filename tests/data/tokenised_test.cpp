// Documents as tokens that know their text: what is counted for some of them belongs to exactly those.
#include "data/tokenised.h"

#include <gtest/gtest.h>

#include "core/random.h"
#include "data/words.h"
#include "mirror.h"

namespace attnlab {
namespace {

const std::string kText =
    "One day, Lily’s dog ran\n\n\nhome;  it was 7 o'clock.\n\"Where\u00a0am I?\" – naïve €5 \U0001f600 end "
    "\n";

class Tokenised : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string name = GetParam();
    const auto path =
        name.starts_with("tests/") ? std::filesystem::path(ATTNLAB_SOURCE_DIR) / name : in_mirror(name);
    if (path.empty()) GTEST_SKIP() << not_in_mirror(name);
    tokenizer = std::make_unique<Tokenizer>(Tokenizer::open(path));
  }
  std::unique_ptr<Tokenizer> tokenizer;
};

TEST_P(Tokenised, IdsAreThoseOfPlainEncoding) {
  const Encoding encoding = tokenizer->encode_with_ends(kText);
  EXPECT_EQ(encoding.ids, tokenizer->encode(kText, false));
  ASSERT_EQ(encoding.ends.size(), encoding.ids.size());
  EXPECT_EQ(encoding.ends.back(), static_cast<int64_t>(kText.size()));
}

/// Where a token ends a character, the text up to there is what the tokens up to there decode to.
TEST_P(Tokenised, EndsAreWhereTheDecodedTextEnds) {
  const Encoding encoding = tokenizer->encode_with_ends(kText);
  for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
    const std::string decoded = tokenizer->decode(std::span(encoding.ids).first(i + 1));
    if (decoded.ends_with("\uFFFD")) continue;  // inside a character of several tokens
    EXPECT_EQ(kText.substr(0, static_cast<std::size_t>(encoding.ends[i])), decoded) << "token " << i;
  }
}

TEST_P(Tokenised, CountsOfNeighboursAddUpToTheText) {
  const TokenisedDocument document({"a", "a.txt", kText, {}}, tokenizer.get());
  const auto n = static_cast<int64_t>(document.ids().size());
  const auto bytes = static_cast<int64_t>(kText.size());
  EXPECT_EQ(document.count(0, n).bytes, bytes);
  EXPECT_EQ(document.count(0, n).words, count_words(kText, 0, bytes));
  TextCounts sum;
  Random random(1);
  for (int64_t begin = 0; begin < n;) {
    const int64_t end = std::min(n, begin + 1 + static_cast<int64_t>(random.below(4)));
    sum.bytes += document.count(begin, end).bytes;
    sum.words += document.count(begin, end).words;
    begin = end;
  }
  EXPECT_EQ(sum.bytes, bytes);
  EXPECT_EQ(sum.words, document.count(0, n).words);
}

/// Ids that came without their text stand for what they decode to.
TEST_P(Tokenised, IdsAreCountedAsTheirText) {
  const auto ids = tokenizer->encode("One day, Lily ran home.", false);
  const TokenisedDocument document({"a", "a.jsonl:1", "", {ids.begin(), ids.end()}}, tokenizer.get());
  const auto n = static_cast<int64_t>(ids.size());
  EXPECT_EQ(document.count(0, n).bytes, 23);
  EXPECT_EQ(document.count(0, n).words, 5);
  EXPECT_EQ(document.count(0, 3).bytes + document.count(3, n).bytes, 23);
}

std::string name_of_tokenizer(const ::testing::TestParamInfo<const char*>& info) {
  const std::vector<std::string> names = {"small", "llama2", "mistral", "smollm_json", "llama2_json"};
  return names[info.index];
}

INSTANTIATE_TEST_SUITE_P(Every, Tokenised,
                         ::testing::Values("tests/golden/small_tokenizer.model",
                                           "tokenizers/llama2_tokenizer.model",
                                           "tokenizers/mistral_v1_tokenizer.model",
                                           "tests/golden/tokenizer_json/smollm.json",
                                           "tests/golden/tokenizer_json/llama2.json"),
                         name_of_tokenizer);

TEST(TokenisedIds, WithoutATokenizerHaveNoText) {
  const TokenisedDocument document({"a", "a.jsonl:1", "", {3, 4, 5}}, nullptr);
  EXPECT_EQ(document.ids(), (std::vector<int64_t>{3, 4, 5}));
  EXPECT_EQ(document.count(0, 3).bytes, 0);
}

}  // namespace
}  // namespace attnlab
