#include "data/essay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/temporary.h"
#include "data/text_files.h"

namespace attnlab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EssayOf : public ::testing::Test {
 protected:
  Essay essay(const std::vector<std::string>& texts, int64_t words) {
    for (std::size_t i = 0; i < texts.size(); ++i)
      testing::write(folder.path() / (std::to_string(i) + ".txt"), texts[i]);
    return Essay(*open_text_files(folder.path(), ""), words);
  }
  std::vector<std::string> sentences(const std::string& text, int64_t words) {
    const Essay made = essay({text}, words);
    std::vector<std::string> all;
    for (int64_t i = 0; i < made.sentences(words); ++i) all.emplace_back(made.part(i, i + 1, words));
    return all;
  }
  testing::TemporaryFolder folder;
};

TEST_F(EssayOf, EndsSentencesWhereNothingSpeaksAgainstIt) {
  EXPECT_THAT(
      sentences("Mr. J. Smith  went. ST. PAUL!\n\"Really?\" he\tsaid. (\"Yes!\") 'So it was.' “Oh!” cried "
                "he. Am I? "
                "It cost 3.14 then. _Now_ he left... and came",
                27),
      ElementsAre("Mr. J. Smith went.", "ST. PAUL!", "\"Really?\" he said.", "(\"Yes!\")", "'So it was.'",
                  "“Oh!” cried he.", "Am I?", "It cost 3.14 then.", "_Now_ he left... and came"));
}

TEST_F(EssayOf, CutsTheLastSentence) {
  const Essay made = essay({"One two. Three four five. Six."}, 6);
  EXPECT_EQ(made.sentences(1), 1);
  EXPECT_EQ(made.sentences(2), 1);
  EXPECT_EQ(made.sentences(3), 2);
  EXPECT_EQ(made.part(1, 2, 3), "Three");
  EXPECT_EQ(made.part(1, 2, 4), "Three four");
  EXPECT_EQ(made.part(0, 2, 4), "One two. Three four");
  EXPECT_EQ(made.part(1, 3, 6), "Three four five. Six.");
  EXPECT_EQ(made.part(3, 3, 6), "");
  EXPECT_EQ(made.part(0, 0, 6), "");
}

TEST_F(EssayOf, ReadsTextsInTheirOrderAndAgain) {
  EXPECT_EQ(essay({"A b.", " C  d ", "e"}, 3).text(), "A b. C");
  EXPECT_EQ(essay({"A b.", " C  d ", "e"}, 12).text(), "A b. C d e A b. C d e A b.");
}

TEST_F(EssayOf, NeedsAWord) {
  EXPECT_THAT(testing::message_of<UserError>([&] { essay({" \n"}, 3); }), HasSubstr("0.txt"));
}

}  // namespace
}  // namespace attnlab
