// RULER's needles: its words byte for byte, sizes counted again, and what is drawn.
#include "data/needles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <regex>
#include <set>
#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "data/temporary.h"

namespace attnlab {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::message_of;
using ::testing::StartsWith;
using enum NeedleVariant;

constexpr NeedleVariant kVariants[] = {single_1, single_2, single_3, multikey_1, multikey_2, multikey_3};
constexpr const char* kGrass =
    "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.";
constexpr const char* kUuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string prompt_of(const NeedleSample& s) { return s.frame.before + s.haystack + s.frame.after; }

/// Where the needle of a sample's own key stands.
std::string own_needle(const NeedleSample& s, const char* kind) {
  return "One of the special magic " + std::string(kind) + " for " + s.key + " is: " + s.references.at(0) +
         ".";
}

std::string without(std::string text, const std::string& part) {
  const auto at = text.find(part);
  if (at == std::string::npos) ADD_FAILURE() << part << " is not in " << text;
  return at == std::string::npos ? text : text.erase(at, part.size());
}

class Needles : public ::testing::Test {
 protected:
  Needles() {
    // 700 sentences, whose numbers say where they stand.
    std::string book;
    for (int i = 0; i < 700; ++i) book += "Sentence " + std::to_string(i) + " is\nabout the sea. ";
    testing::write(folder.path() / "pg19/test/1.txt", book);
    options.length = 1500;
    options.samples = 40;
  }
  NeedleSet set(int64_t template_tokens = 0) const { return {options, tokenizer, place, template_tokens}; }
  int64_t count(const std::string& text) const {
    return static_cast<int64_t>(tokenizer.encode(text, false).size());
  }

  testing::TemporaryFolder folder;
  DataPlace place{folder.path(), folder.path() / "cache"};
  Tokenizer tokenizer = Tokenizer::open(ATTNLAB_SOURCE_DIR "/tests/golden/small_tokenizer.model");
  NeedleOptions options;
};

// scripts/data/synthetic/constants.py of NVIDIA/RULER, "niah", after niah.py's replacements for one value:
// Some → A, are all → is, are → is, and the kind without its s.
TEST_F(Needles, PromptsAreRulers) {
  const NeedleFrame number = needle_frame(single_1, "brave-heron");
  EXPECT_EQ(
      number.before,
      "A special magic number is hidden within the following text. Make sure to memorize it. I will quiz you "
      "about the number afterwards.\n");
  EXPECT_EQ(number.after,
            "\nWhat is the special magic number for brave-heron mentioned in the provided text?");
  EXPECT_EQ(number.answer_prefix,
            " The special magic number for brave-heron mentioned in the provided text is");
  const NeedleFrame uuid = needle_frame(multikey_3, "k");
  EXPECT_EQ(
      uuid.before,
      "A special magic uuid is hidden within the following text. Make sure to memorize it. I will quiz you "
      "about the uuid afterwards.\n");
  EXPECT_EQ(uuid.after, "\nWhat is the special magic uuid for k mentioned in the provided text?");
  EXPECT_EQ(uuid.answer_prefix, " The special magic uuid for k mentioned in the provided text is");
  for (const NeedleVariant v : {single_2, multikey_1, multikey_2})
    EXPECT_EQ(needle_frame(v, "k").before, number.before);
  EXPECT_EQ(needle_frame(single_3, "k").before, uuid.before);
}

TEST_F(Needles, AreAsLargeAsTheLengthAllows) {
  for (const NeedleVariant variant : kVariants)
    for (const int64_t length : {700, 1500, 3001}) {
      options.variant = variant;
      options.length = length;
      const NeedleSet samples = set(17);
      for (int64_t i = 0; i < 8; ++i) {
        const NeedleSample s = samples.read(i);
        const std::string prompt = prompt_of(s) + s.frame.answer_prefix;
        EXPECT_EQ(count(prompt), s.tokens) << s.id;
        EXPECT_LE(s.tokens + 17 + needle_answer_tokens, length) << s.id;
        int64_t unit = 0;  // the largest line or word, and what a needle costs more elsewhere
        if (options.reads_essays())
          unit = count(" Sentence 699.") + 4;
        else
          for (const std::string& line : lines_of(s.haystack)) unit = std::max(unit, count(line) + 6);
        EXPECT_GT(s.tokens + unit + 17 + needle_answer_tokens, length) << s.id;
      }
    }
}

TEST_F(Needles, StandAmongGrass) {
  for (const int64_t depth : {0, 37, 100}) {
    options.depth = depth;
    const NeedleSample s = set().read(3);
    const auto lines = lines_of(s.haystack);
    const auto grass = static_cast<int64_t>(lines.size()) - 1;
    const auto at =
        static_cast<int64_t>(std::find(lines.begin(), lines.end(), own_needle(s, "numbers")) - lines.begin());
    EXPECT_EQ(at, grass * depth / 100);
    EXPECT_DOUBLE_EQ(s.depth, static_cast<double>(at) / static_cast<double>(grass));
    EXPECT_EQ(std::count(lines.begin(), lines.end(), kGrass), grass);
    EXPECT_TRUE(std::regex_match(s.references.at(0), std::regex("[1-9][0-9]{6}")));
    EXPECT_TRUE(std::regex_match(s.key, std::regex("[a-z]+-[a-z]+")));
    EXPECT_FALSE(s.haystack.ends_with("\n"));
  }
}

TEST_F(Needles, StandBetweenSentences) {
  options.variant = single_3;
  options.depth = 50;
  const NeedleSample s = set().read(0);
  EXPECT_TRUE(std::regex_match(s.references.at(0), std::regex(kUuid)));
  const std::string book = without(s.haystack, own_needle(s, "uuids") + " ");
  EXPECT_THAT(book, StartsWith("Sentence 0 is about the sea. Sentence 1 is about the sea. Sentence 2"));
  // The sentences are numbered, and the last is cut or whole.
  const std::string last = book.substr(book.rfind("Sentence"));
  const int64_t all = last == "Sentence" ? static_cast<int64_t>(std::count(book.begin(), book.end(), 'S'))
                                         : std::stoll(last.substr(9)) + 1;
  EXPECT_THAT(s.haystack,
              HasSubstr("the sea. " + own_needle(s, "uuids") + " Sentence " + std::to_string(all / 2) + " "));
  EXPECT_DOUBLE_EQ(s.depth, static_cast<double>(all / 2) / static_cast<double>(all));
}

// RULER joins the empty text before the needle, or behind it, with a space too.
TEST_F(Needles, HaveASpaceBesideThemAtEitherEnd) {
  options.variant = single_2;
  options.depth = 0;
  const NeedleSample first = set().read(0);
  EXPECT_THAT(first.haystack, StartsWith(" " + own_needle(first, "numbers") + " Sentence 0 "));
  EXPECT_EQ(first.depth, 0.0);
  options.depth = 100;
  const NeedleSample last = set().read(0);
  EXPECT_THAT(last.haystack, EndsWith(" " + own_needle(last, "numbers") + " "));
  EXPECT_EQ(last.depth, 1.0);
}

TEST_F(Needles, OneOfFourIsAskedFor) {
  options.variant = multikey_1;
  const std::regex needle("One of the special magic numbers for ([a-z]+-[a-z]+) is: ([0-9]{7})\\.");
  std::set<std::ptrdiff_t> ranks;
  const NeedleSet samples = set();
  for (int64_t i = 0; i < samples.size(); ++i) {
    const NeedleSample s = samples.read(i);
    std::vector<std::string> keys;
    for (std::sregex_iterator m(s.haystack.begin(), s.haystack.end(), needle), end; m != end; ++m) {
      keys.push_back((*m)[1]);
      EXPECT_EQ((*m)[1] == s.key, (*m)[2] == s.references.at(0));
    }
    EXPECT_EQ(keys.size(), 4u);
    EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), 4u);
    ranks.insert(std::find(keys.begin(), keys.end(), s.key) - keys.begin());
  }
  EXPECT_EQ(ranks, (std::set<std::ptrdiff_t>{0, 1, 2, 3}));
}

TEST_F(Needles, StandAmongNeedles) {
  const std::string word = "[a-z]+-[a-z]+";
  for (const auto& [variant, kind, key, value] :
       {std::tuple{multikey_2, "numbers", word, std::string("[1-9][0-9]{6}")},
        {multikey_3, "uuids", kUuid, kUuid}}) {
    options.variant = variant;
    const NeedleSet samples = set();
    const std::regex pattern("One of the special magic " + std::string(kind) + " for (" + key +
                             ") is: " + value + "\\.");
    for (int64_t i = 0; i < 5; ++i) {
      const NeedleSample s = samples.read(i);
      std::set<std::string> keys;
      const auto lines = lines_of(s.haystack);
      for (const std::string& line : lines) {
        std::smatch found;
        ASSERT_TRUE(std::regex_match(line, found, pattern)) << line;
        keys.insert(found[1]);
      }
      EXPECT_EQ(keys.size(), lines.size());
      EXPECT_EQ(std::count(lines.begin(), lines.end(), own_needle(s, kind)), 1);
    }
  }
}

TEST_F(Needles, AreDrawnAtFortyDepths) {
  options.variant = single_2;
  options.samples = 400;
  options.length = 3000;
  testing::write(folder.path() / "own.txt", "Seas rise.");  // hundreds of short sentences
  options.essays = folder.path() / "own.txt";
  const NeedleSet samples = set();
  std::set<int> seen;
  for (int64_t i = 0; i < samples.size(); ++i) {
    // Whole sentences stand before the needle: the next of 0, 3, 5, 8, … 97, 100 per cent is what was drawn.
    const double depth = samples.read(i).depth;
    int drawn = 0;
    while (std::round(drawn * 100 / 39.0) / 100 < depth - 1e-9) ++drawn;
    EXPECT_LT(std::round(drawn * 100 / 39.0) / 100 - depth, 0.01);
    seen.insert(drawn);
  }
  EXPECT_EQ(seen.size(), 40u);
}

TEST_F(Needles, DependOnSeedAndNumberAlone) {
  for (const NeedleVariant variant : kVariants) {
    options.variant = variant;
    options.samples = 40;
    const NeedleSet many = set();
    const NeedleSample late = many.read(7), early = many.read(2);
    options.samples = 8;
    const NeedleSet few = set();
    EXPECT_EQ(few.read(2).haystack, early.haystack);
    EXPECT_EQ(few.read(7).haystack, late.haystack);
    EXPECT_EQ(few.read(7).id, late.id);
    EXPECT_NE(late.key, early.key);
  }
}

TEST_F(Needles, AreTheSameAtEveryLengthAndDepth) {
  options.variant = multikey_2;
  const NeedleSample s = set().read(5);
  options.length = 2500;
  options.depth = 80;
  const NeedleSample other = set().read(5);
  EXPECT_EQ(s.key, other.key);
  EXPECT_EQ(s.references, other.references);
  EXPECT_EQ(lines_of(without(s.haystack, own_needle(s, "numbers") + "\n")).at(4),
            lines_of(without(other.haystack, own_needle(other, "numbers") + "\n")).at(4));
  options.seed = 43;
  EXPECT_NE(set().read(5).key, s.key);
}

// Recorded when the generator was written: results of different machines and versions stay comparable.
TEST_F(Needles, AreTheSameOnEveryMachine) {
  std::string all;
  for (const NeedleVariant variant : kVariants) {
    options.variant = variant;
    const NeedleSample s = set().read(1);
    all += s.id + prompt_of(s) + s.frame.answer_prefix + s.references.at(0);
  }
  EXPECT_EQ(sha256(all), "52cf0acd2cc97d552857e6e9c50655092871000f334362265ccdbc52de66bac3");
}

TEST_F(Needles, ComeFromTheTextThatIsNamed) {
  options.variant = single_2;
  testing::write(folder.path() / "own.txt", "Own text. It is short.");
  options.essays = folder.path() / "own.txt";
  EXPECT_THAT(set().read(0).haystack, HasSubstr("Own text. It is short. Own text. It is short. Own"));
  EXPECT_THAT(needle_essay(options, place)->text(), StartsWith("Own text. It"));
  options.variant = single_1;
  EXPECT_EQ(needle_essay(options, place), nullptr);
}

TEST_F(Needles, SayWhatIsMissing) {
  options.variant = single_2;
  place.root = folder.path() / "nothing";
  EXPECT_THAT(message_of<UserError>([&] { set(); }),
              AllOf(HasSubstr("nothing/pg19/test"), HasSubstr("niah_single_2"),
                    HasSubstr("scripts/fetch_data pg19"), HasSubstr("`essays`")));
  options.variant = single_1;
  options.length = 200;
  const NeedleSet tiny = set(11);
  const std::string said = message_of<UserError>([&] { tiny.read(0); });
  EXPECT_THAT(said, AllOf(HasSubstr("niah_single_1 needs a length of"), HasSubstr("11 of the chat format"),
                          HasSubstr("length is 200")));
  // The length that it names is enough, and one less is not.
  options.length = std::stoll(said.substr(said.find("length of ") + 10));
  EXPECT_EQ(lines_of(set(11).read(0).haystack).size(), 2u);
  options.length -= 1;
  EXPECT_THAT(message_of<UserError>([&] { set(11).read(0); }), HasSubstr("needs a length"));
}

}  // namespace
}  // namespace attnlab
