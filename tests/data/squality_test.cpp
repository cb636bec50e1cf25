// SQuALITY's files, made up in the layout of v1.3, and the published ones where they are at hand.
#include "data/squality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/temporary.h"
#include "mirror.h"

namespace attnlab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;
using testing::write;

constexpr const char* first_story =
    R"({"metadata": {"passage_id": "61263", "license": "free"}, "document": "Once\r\nupon a time.\n",)"
    R"( "questions": [{"question_text": "What is the plot?", "question_number": 1, "responses":)"
    R"( [{"worker_id": "2", "response_text": "Nothing much."}, {"response_text": "A tale “told”."}]},)"
    R"( {"question_text": "Who?", "question_number": 2, "responses": [{"response_text": "Nobody."}]}]})";

/// A story with one question and one response, some of it replaced.
std::string story(const std::string& id, const std::string& text, const std::string& questions) {
  return R"({"metadata": {"passage_id": ")" + id + R"("}, "document": ")" + text + R"(", "questions": )" +
         questions + "}";
}

constexpr const char* one_question =
    R"([{"question_text": "Who?", "question_number": 4, "responses": [{"response_text": "Nobody."}]}])";

class SqualityFile : public ::testing::Test {
 protected:
  std::shared_ptr<QuestionSet> open(std::string_view content) const {
    write(file, content);
    return open_squality(file);
  }
  std::string refusal(std::string_view content) const {
    return message_of<UserError>([&] { open(content); });
  }
  testing::TemporaryFolder folder;
  std::filesystem::path file = folder.path() / "stories.jsonl";
};

TEST_F(SqualityFile, HasAStoryALine) {
  const auto stories = open(std::string(first_story) + "\n\n" + story("7", "Short.", one_question) + "\n");
  ASSERT_EQ(stories->size(), 2);
  const QuestionDocument first = stories->read(0);
  EXPECT_EQ(first.id, "61263");
  EXPECT_EQ(first.text, "Once\nupon a time.\n");
  ASSERT_EQ(first.questions.size(), 2u);
  EXPECT_EQ(first.questions[0].id, "61263-1");
  EXPECT_EQ(first.questions[0].text, "What is the plot?");
  ASSERT_EQ(first.questions[0].references.size(), 2u);
  EXPECT_EQ(first.questions[0].references[1].text, "A tale “told”.");
  EXPECT_EQ(first.questions[0].references[1].type, "");
  EXPECT_EQ(first.questions[1].id, "61263-2");
  EXPECT_EQ(stories->read(1).questions[0].id, "7-4");
}

TEST_F(SqualityFile, MayHaveComeFromAnyEditor) {
  EXPECT_EQ(open("\xEF\xBB\xBF" + std::string(first_story) + "\r\n")->size(), 1);
  EXPECT_THAT(refusal(std::string_view("\xFF\xFE{\0", 4)), HasSubstr("stories.jsonl is in UTF-16"));
}

TEST_F(SqualityFile, OfAHiddenTestSplitIsRefused) {
  for (const char* responses : {"", R"(, "responses": null)", R"(, "responses": [])"})
    EXPECT_THAT(
        refusal(story("7", "Short.",
                      std::string(R"([{"question_text": "Who?", "question_number": 3)") + responses + "}]")),
        HasSubstr("stories.jsonl:1: question '7-3' has no reference answer to compare with"));
}

TEST_F(SqualityFile, IsRefusedWithFileLineAndKey) {
  const std::string sound = story("7", "Short.", one_question) + "\n";
  EXPECT_THAT(refusal(sound + R"({"metadata": {"passage_id": "8"})"),
              HasSubstr("stories.jsonl:2 is no valid JSON: cut short or damaged"));
  EXPECT_THAT(refusal(sound + "{\"caf\xE9\": 1}\n"),
              HasSubstr("stories.jsonl:2 is not UTF-8: byte 0xE9 at column 6"));
  EXPECT_THAT(refusal(sound + "[]"), HasSubstr("stories.jsonl:2 holds no map"));
  EXPECT_THAT(refusal(std::string(100, '[')), HasSubstr("stories.jsonl:1 is no valid JSON"));
  EXPECT_THAT(refusal(R"({"document": "x"})"), HasSubstr("stories.jsonl:1 lacks the key 'metadata'"));
  EXPECT_THAT(refusal(story("7", "Short.", R"([{"question_text": 3, "question_number": 1}])")),
              HasSubstr("stories.jsonl:1: 'questions[0].question_text' is 3 where a text was expected"));
  EXPECT_THAT(refusal(story("7", "Short.", R"([{"question_text": "Who?", "question_number": "1"}])")),
              HasSubstr("'questions[0].question_number' is \"1\" where a whole number was expected"));
  EXPECT_THAT(refusal(story("7", "Short.", "{}")), HasSubstr("'questions' is {} where a list was expected"));
}

TEST_F(SqualityFile, IsRefusedWhereSomethingIsEmptyOrTwice) {
  EXPECT_THAT(refusal("\n \n"), HasSubstr("stories.jsonl holds no documents with questions"));
  EXPECT_THAT(refusal(story("7", " \\n", one_question)), HasSubstr(":1: document '7' has no text"));
  EXPECT_THAT(refusal(story("7", "Short.", "[]")), HasSubstr(":1: nothing is asked about document '7'"));
  EXPECT_THAT(refusal(story("7", "x", R"([{"question_text": "", "question_number": 1}])")),
              HasSubstr(":1: question '7-1' has no text"));
  const std::string sound = story("7", "Short.", one_question);
  EXPECT_THAT(refusal(sound + "\n" + sound), HasSubstr("stories.jsonl:2: document '7' is there twice"));
  const std::string twice = one_question;
  EXPECT_THAT(refusal(story("7", "x", twice.substr(0, twice.size() - 1) + "," + twice.substr(1))),
              HasSubstr(":1: question '7-4' is there twice"));
}

TEST(SqualityAbsent, SaysWhatFetchesIt) {
  EXPECT_THAT(message_of<UserError>([] { open_squality("/nowhere/squality_v1-3_dev.jsonl"); }),
              AllOf(HasSubstr("/nowhere/squality_v1-3_dev.jsonl"), HasSubstr("scripts/fetch_data squality")));
}

class PublishedSquality : public ::testing::TestWithParam<std::pair<const char*, int64_t>> {};

TEST_P(PublishedSquality, HasFiveQuestionsAStoryAndFourResponsesAQuestion) {
  const auto [split, published] = GetParam();
  ATTNLAB_FROM_MIRROR(packed, std::string("squality/squality_v1-3_") + split + ".jsonl.xz");
  const testing::TemporaryFolder folder;
  const auto stories = open_squality(testing::unpacked(packed, folder.path()));
  ASSERT_EQ(stories->size(), published);
  for (int64_t i = 0; i < published; ++i) {
    const QuestionDocument story = stories->read(i);
    EXPECT_GT(story.text.size(), 10'000u) << story.id;
    EXPECT_EQ(story.questions.size(), 5u) << story.id;
    EXPECT_EQ(story.questions[0].text, "What is the plot of the story?");
    for (const Question& question : story.questions) EXPECT_EQ(question.references.size(), 4u) << question.id;
  }
}

INSTANTIATE_TEST_SUITE_P(Splits, PublishedSquality,
                         ::testing::Values(std::pair("train", 50), std::pair("dev", 25),
                                           std::pair("test", 52)),
                         [](const auto& split) { return split.param.first; });

}  // namespace
}  // namespace attnlab
