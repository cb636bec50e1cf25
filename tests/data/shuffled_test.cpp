#include "data/shuffled.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "data/temporary.h"

namespace attnlab {
namespace {

using testing::InMemory;
using testing::text_of;

InMemory texts(const std::vector<std::string>& all) {
  std::vector<std::vector<uint8_t>> symbols;
  for (const auto& text : all) symbols.emplace_back(text.begin(), text.end());
  return InMemory(symbols, std::vector<int32_t>(all.size(), 1));
}

std::string sorted(std::string text) {
  std::sort(text.begin(), text.end());
  return text;
}

const std::string sentence =
    "What an extraordinarily  wonderful\tfilm!\nUnforgettable performances throughout.";

TEST(ShuffledSequences, WithinWordsKeepWhiteSpaceAndTheLettersOfEachWord) {
  const InMemory data = texts({sentence});
  const ShuffledSequences shuffled(data, {}, Shuffle::words, 1);
  const std::string text = text_of(shuffled, 0);
  EXPECT_NE(text, sentence);
  std::string kept, word, of_sentence;
  for (std::size_t i = 0; i <= sentence.size(); ++i) {
    const bool space = i == sentence.size() || std::isspace(sentence[i]);
    if (!space) {
      word += text[i];
      of_sentence += sentence[i];
      continue;
    }
    EXPECT_EQ(sorted(word), sorted(of_sentence));
    word.clear();
    of_sentence.clear();
    if (i < sentence.size()) {
      EXPECT_EQ(text[i], sentence[i]) << i;
    }
  }
}

TEST(ShuffledSequences, OverTheTextKeepTheBytes) {
  const InMemory data = texts({sentence, sentence});
  const ShuffledSequences shuffled(data, {}, Shuffle::text, 1);
  EXPECT_NE(text_of(shuffled, 0), sentence);
  EXPECT_EQ(sorted(text_of(shuffled, 0)), sorted(sentence));
  EXPECT_NE(text_of(shuffled, 0), text_of(shuffled, 1)) << "each has a stream of its own";
  EXPECT_EQ(shuffled.label(1), 1);
  EXPECT_EQ(shuffled.id(1), "example/1");
}

TEST(ShuffledSequences, FollowTheSeedAlone) {
  const InMemory data = texts({sentence});
  const auto with = [&](uint64_t seed) {
    return text_of(ShuffledSequences(data, {}, Shuffle::text, seed), 0);
  };
  EXPECT_EQ(with(1), with(1));
  EXPECT_NE(with(1), with(2));
}

TEST(ShuffledSequences, ShowWhatTheModelWouldHaveSeen) {
  const InMemory data = texts({"abcdefgh"});
  for (const Shuffle what : {Shuffle::words, Shuffle::text})
    EXPECT_EQ(sorted(text_of(ShuffledSequences(data, {.max_length = 4, .cls = true}, what, 3), 0)), "abc");
}

TEST(ShuffledSequences, AreCalledByName) {
  for (const Shuffle what : {Shuffle::words, Shuffle::text}) EXPECT_EQ(shuffle_named(name_of(what)), what);
}

}  // namespace
}  // namespace attnlab
