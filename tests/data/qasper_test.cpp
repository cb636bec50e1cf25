// QASPER's files in both layouts, made up, and the mirror's subset where it is at hand.
#include "data/qasper.h"

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

/// A paper of v0.3 with these sections and questions.
std::string paper(const std::string& sections, const std::string& questions) {
  return R"({"title": "A title", "abstract": "An abstract.", "full_text": [)" + sections + R"(], "qas": [)" +
         questions + "]}";
}

/// A question with one answer for each of `answers`, maps in JSON.
std::string asked(const std::string& id, const std::vector<std::string>& answers) {
  std::string all;
  for (const std::string& answer : answers)
    all += (all.empty() ? "" : ", ") + (R"({"annotation_id": "a", "answer": )" + answer + "}");
  return R"({"question": "Which data?", "question_id": ")" + id + R"(", "answers": [)" + all + "]}";
}

constexpr const char* section = R"({"section_name": "Introduction", "paragraphs": ["One.", "Two."]})";
constexpr const char* spans =
    R"({"unanswerable": false, "extractive_spans": ["IMDb", "PG-19"], "yes_no": null, "free_form_answer": ""})";
constexpr const char* free_form =
    R"({"unanswerable": false, "extractive_spans": [], "yes_no": null, "free_form_answer": "Two sets."})";
constexpr const char* yes =
    R"({"unanswerable": false, "extractive_spans": [], "yes_no": true, "free_form_answer": ""})";
constexpr const char* no =
    R"({"unanswerable": false, "extractive_spans": [], "yes_no": false, "free_form_answer": ""})";
constexpr const char* none =
    R"({"unanswerable": true, "extractive_spans": [], "yes_no": null, "free_form_answer": ""})";
constexpr const char* nothing =
    R"({"unanswerable": false, "extractive_spans": [], "yes_no": null, "free_form_answer": ""})";

class QasperFile : public ::testing::Test {
 protected:
  std::shared_ptr<QuestionSet> open(std::string_view content, const char* name = "papers.json") const {
    write(folder.path() / name, content);
    return open_qasper(folder.path() / name);
  }
  std::string refusal(std::string_view content, const char* name = "papers.json") const {
    return message_of<UserError>([&] { open(content, name); });
  }
  std::string text_of(const std::string& sections) const {
    return open(R"({"1": )" + paper(sections, asked("q", {yes})) + "}")->read(0).text;
  }
  testing::TemporaryFolder folder;
};

TEST_F(QasperFile, HasPapersInTheOrderOfTheirIds) {
  const auto papers = open(R"({"1912.1": )" + paper(section, asked("b", {no})) + R"(, "1704.2": )" +
                           paper(section, asked("a", {yes}) + ", " + asked("c", {none})) + "}");
  ASSERT_EQ(papers->size(), 2);
  EXPECT_EQ(papers->read(0).id, "1704.2");
  EXPECT_EQ(papers->read(0).questions[1].id, "c");
  EXPECT_EQ(papers->read(0).questions[1].text, "Which data?");
  EXPECT_EQ(papers->read(1).questions[0].references[0].text, "No");
}

TEST_F(QasperFile, KeepsEveryAnswerWithItsType) {
  const QuestionDocument read =
      open(R"({"1": )" + paper(section, asked("q", {spans, free_form, yes, no, none})) + "}")->read(0);
  std::vector<std::pair<std::string, std::string>> references;
  for (const Reference& one : read.questions[0].references) references.emplace_back(one.type, one.text);
  EXPECT_THAT(references,
              ::testing::ElementsAre(std::pair("extractive", "IMDb, PG-19"),
                                     std::pair("abstractive", "Two sets."), std::pair("boolean", "Yes"),
                                     std::pair("boolean", "No"), std::pair("none", "Unanswerable")));
}

TEST_F(QasperFile, TakesAnAnswerAsTheAuthorsEvaluatorDoes) {
  const auto reference = [&](const std::string& answer) {
    return open(R"({"1": )" + paper(section, asked("q", {answer})) + "}")
        ->read(0)
        .questions[0]
        .references[0]
        .text;
  };
  EXPECT_EQ(reference(R"({"extractive_spans": ["x"], "yes_no": true, "free_form_answer": "y"})"), "x");
  EXPECT_EQ(reference(R"({"extractive_spans": [], "yes_no": true, "free_form_answer": "y"})"), "y");
  EXPECT_EQ(reference(R"({"unanswerable": true, "extractive_spans": ["x"], "yes_no": false})"),
            "Unanswerable");
}

TEST_F(QasperFile, MakesATextOfSectionsAsScrollsDoes) {
  const std::string rest = R"({"section_name": "Data ::: Books", "paragraphs": ["Three.\r\nFour."]})";
  EXPECT_EQ(text_of(section + (", " + rest)), "Introduction\nOne.\nTwo.\n\nData ::: Books\nThree.\nFour.");
}

TEST_F(QasperFile, HasNoLinesOfWhatIsAbsent) {
  EXPECT_EQ(
      text_of(R"({"section_name": "", "paragraphs": ["", "One.", " "]}, {"section_name": null,)"
              R"( "paragraphs": []}, {"paragraphs": ["Two."]}, {"section_name": "Data", "paragraphs": []})"),
      "One.\n\nTwo.\n\nData");
}

TEST_F(QasperFile, IsRefusedWhereAnAnswerSaysNothing) {
  EXPECT_THAT(
      refusal(R"({"1704.2": )" + paper(section, asked("q7", {yes, nothing})) + "}"),
      AllOf(HasSubstr("papers.json: '1704.2.qas[0].answers[1].answer', of question 'q7', has no answer")));
}

TEST_F(QasperFile, IsRefusedWithFileAndKey) {
  EXPECT_THAT(refusal("{"), HasSubstr("papers.json is no valid JSON: cut short or damaged"));
  EXPECT_THAT(refusal("{\n\"caf\xE9\": 1}"),
              HasSubstr("papers.json is not UTF-8: byte 0xE9 at line 2, column 5"));
  EXPECT_THAT(refusal("[]"), HasSubstr("papers.json holds no map"));
  EXPECT_THAT(refusal(std::string(100, '[')), HasSubstr("papers.json has brackets nested more than 64 deep"));
  EXPECT_THAT(refusal("{}"), HasSubstr("papers.json holds no documents with questions"));
  EXPECT_THAT(refusal(std::string_view("{\0\"\0", 4)), HasSubstr("papers.json is in UTF-16LE"));
  EXPECT_THAT(refusal(R"({"1": []})"), HasSubstr("'1' is [] where a map was expected"));
  EXPECT_THAT(refusal(R"({"1": {"full_text": []}})"), HasSubstr("papers.json lacks the key '1.qas'"));
  EXPECT_THAT(refusal(R"({"1": )" + paper(R"({"paragraphs": [7]})", "") + "}"),
              HasSubstr("'1.full_text[0].paragraphs[0]' is 7 where a text was expected"));
  EXPECT_THAT(refusal(R"({"1": )" + paper(section, asked("q", {R"({"yes_no": "yes"})"})) + "}"),
              HasSubstr("answers[0].answer.yes_no' is \"yes\" where true or false was expected"));
}

TEST_F(QasperFile, IsRefusedWhereSomethingIsEmptyOrTwice) {
  EXPECT_THAT(refusal(R"({"1": )" + paper("", asked("q", {yes})) + "}"),
              HasSubstr("document '1' has no text"));
  EXPECT_THAT(refusal(R"({"1": )" + paper(section, "") + "}"),
              HasSubstr("nothing is asked about document '1'"));
  EXPECT_THAT(refusal(R"({"1": )" + paper(section, asked("q", {})) + "}"),
              HasSubstr("papers.json: question 'q' has no reference answer"));
  EXPECT_THAT(refusal(R"({"1": )" + paper(section, asked("q", {yes}) + "," + asked("q", {yes})) + "}"),
              HasSubstr("question 'q' is there twice"));
}

TEST_F(QasperFile, OfLongBenchHasAQuestionALine) {
  const std::string line =
      R"({"input": "Which data?", "context": "Introduction\nOne.", "answers": ["IMDb", "reviews"], "length": 2,)"
      R"( "dataset": "qasper", "language": "en", "all_classes": null, "_id": "f0"})";
  const auto questions = open(line + "\n", "qasper.jsonl");
  ASSERT_EQ(questions->size(), 1);
  const QuestionDocument read = questions->read(0);
  EXPECT_EQ(read.id, "f0");
  EXPECT_EQ(read.text, "Introduction\nOne.");
  ASSERT_EQ(read.questions.size(), 1u);
  EXPECT_EQ(read.questions[0].id, "f0");
  EXPECT_EQ(read.questions[0].text, "Which data?");
  ASSERT_EQ(read.questions[0].references.size(), 2u);
  EXPECT_EQ(read.questions[0].references[1].text, "reviews");
  EXPECT_EQ(read.questions[0].references[1].type, "");
  EXPECT_THAT(refusal(line + "\n" + line, "qasper.jsonl"),
              HasSubstr("qasper.jsonl:2: document 'f0' is there twice"));
}

TEST_F(QasperFile, OfLongBenchIsRefusedWithLineAndKey) {
  EXPECT_THAT(refusal(R"({"input": "x", "_id": "f0", "answers": ["y"]})", "qasper.jsonl"),
              HasSubstr("qasper.jsonl:1 lacks the key 'context'"));
  EXPECT_THAT(refusal(R"({"input": "x", "_id": "f0", "context": "z", "answers": "y"})", "qasper.jsonl"),
              HasSubstr("qasper.jsonl:1: 'answers' is \"y\" where a list was expected"));
  EXPECT_THAT(refusal(R"({"input": "x", "_id": "f0", "context": "z", "answers": []})", "qasper.jsonl"),
              HasSubstr("qasper.jsonl:1: question 'f0' has no reference answer"));
}

TEST_F(QasperFile, HasANameThatTellsItsLayout) {
  EXPECT_THAT(refusal("{}", "papers.txt"), HasSubstr("papers.txt ends neither in .json"));
  EXPECT_THAT(message_of<UserError>([] { open_qasper("/nowhere/qasper-dev-v0.3.json"); }),
              HasSubstr("scripts/fetch_data qasper fetches it"));
  EXPECT_THAT(message_of<UserError>([] { open_qasper("/nowhere/qasper.jsonl"); }),
              HasSubstr("scripts/fetch_data longbench_qasper fetches it"));
}

TEST(QasperSubset, Has161QuestionsOf20Papers) {
  ATTNLAB_FROM_MIRROR(packed, "qasper/qasper-leval-subset.json.xz");
  const testing::TemporaryFolder folder;
  const auto papers = open_qasper(testing::unpacked(packed, folder.path()));
  ASSERT_EQ(papers->size(), 20);
  std::map<std::string, int> types;
  for (int64_t i = 0; i < papers->size(); ++i) {
    const QuestionDocument read = papers->read(i);
    for (const Question& question : read.questions) {
      ASSERT_EQ(question.references.size(), 1u) << question.id;
      ++types[question.references[0].type];
    }
  }
  EXPECT_EQ(types, (std::map<std::string, int>{{"abstractive", 138}, {"boolean", 22}, {"none", 1}}));
}

}  // namespace
}  // namespace attnlab
