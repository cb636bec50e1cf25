// Questions about documents through the program: what is refused, resumed and told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab.h"
#include "results/reader.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const char* const story_yaml = R"(task: question_answering
device: cpu
threads: 1
model: model
length: 90
max_new_tokens: 8
past_training: true
cache: {policy: tova, size: 16}
)";

std::string story(const std::string& number, const std::string& responses) {
  return R"({"metadata": {"passage_id": ")" + number +
         R"("}, "document": "Once upon a time a girl saw a dog.", "questions": [)"
         R"({"question_text": "Who?", "question_number": 1, "responses": [)" +
         responses + "]}]}\n";
}
const char* const one_response = R"({"response_text": "A girl."})";

class Questions : public testing::Test {
 protected:
  Questions() {
    const fs::path golden = fs::path(ATTNLAB_SOURCE_DIR) / "tests/golden";
    fs::copy(golden / "decoders/tied", lab.path() / "model");
    fs::copy_file(golden / "small_tokenizer.model", lab.path() / "model/tokenizer.model");
    lab.write("story.yaml", story_yaml);
    write(story("1", one_response) + story("2", one_response));
  }
  void write(const std::string& lines) const { lab.write("data/squality/squality_v1-3_dev.jsonl", lines); }
  Finished run(const Words& more = {}) const {
    Words words{"run", "story.yaml"};
    words.insert(words.end(), more.begin(), more.end());
    return lab.attnlab(words);
  }
  void expect_refused(const Words& more, const testing::Matcher<std::string>& words) const {
    const Finished done = run(more);
    EXPECT_EQ(done.status, 2) << done.err;
    EXPECT_THAT(done.err, words);
  }

  Lab lab;
};

TEST_F(Questions, AreAnsweredAndTabulated) {
  ASSERT_EQ(run().status, 0);
  const auto answers = read_table(lab.run_folder("story") / "run.h5", "/answers");
  ASSERT_EQ(answers.at("prediction").size(), 2U);
  EXPECT_EQ(answers.at("question_visible")[0], Value(std::string("no")));
  EXPECT_EQ(answers.at("references")[1], Value(std::string("[\"A girl.\"]")));
  const Finished table = lab.attnlab({"table", "story.yaml"});
  EXPECT_THAT(table.out, HasSubstr("rouge_geometric_mean"));
}

TEST_F(Questions, WithoutReferencesAreRefused) {
  write(story("1", one_response) + story("2", ""));
  expect_refused({}, HasSubstr("squality_v1-3_dev.jsonl:2"));
}

TEST_F(Questions, ThatAreNotThereAreSaidToBeFetched) {
  expect_refused({"benchmark=qasper"}, HasSubstr("qasper-test-v0.3.json"));
}

TEST_F(Questions, OfLongBenchAreAskedInItsWordsAlone) {
  expect_refused({"benchmark={type: qasper, source: longbench}"},
                 HasSubstr("source and prompt are both longbench, or neither is"));
}

TEST_F(Questions, WhoseWordsLeaveNoRoomForTheStoryAreRefused) {
  expect_refused({"length=20"}, HasSubstr("1-1: the words around its document take"));
}

TEST_F(Questions, InAnUnknownChatTemplateAreRefused) {
  expect_refused({"template=vicuna"}, HasSubstr("template"));
  expect_refused({"template=folder"}, HasSubstr("declares no chat template that is known here"));
}

TEST_F(Questions, InAnotherEncodingAreRefused) {
  write(std::string("\xff\xfe{\0", 4));
  expect_refused({}, HasSubstr("UTF-16"));
}

}  // namespace
}  // namespace attnlab
