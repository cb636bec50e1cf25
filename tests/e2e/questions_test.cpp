// Questions about documents through the program: what is refused, resumed and told.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/random.h"
#include "lab.h"
#include "results/reader.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using namespace std::chrono_literals;

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

/// How many documents the run has saved as done; 0 before it has saved any.
int64_t documents_done(const Lab& lab) {
  const fs::path runs = lab.results() / "story";
  if (!fs::exists(runs) || fs::is_empty(runs)) return 0;
  const fs::path file = fs::directory_iterator(runs)->path() / "checkpoint" / "questions.json";
  return fs::exists(file) ? nlohmann::json::parse(contents_of(file)).at("done").at("next").get<int64_t>() : 0;
}

TEST_F(Questions, ThatWereAnsweredBeforeAKillAreNotAskedAgain) {
  constexpr int64_t stories = 300;
  std::string lines;
  for (int64_t i = 0; i < stories; ++i) lines += story(std::to_string(i), one_response);
  write(lines);
  ASSERT_EQ(run({"results_folder=undisturbed"}).status, 0);

  int64_t done = 0;
  Random random(20241129);
  for (int kill = 0; kill < 3; ++kill) {
    const auto process = lab.start({"run", "story.yaml"});
    while (!process->ended() && documents_done(lab) <= done) std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(30'000)));
    process->signal(SIGKILL);
    const Finished killed = process->finish();
    ASSERT_EQ(killed.status, 128 + SIGKILL) << "the process had ended before its kill";
    if (done > 0) {
      EXPECT_THAT(killed.out, HasSubstr(fmt::format("{} documents are done already", done)));
    }
    done = documents_done(lab);
    ASSERT_LT(done, stories);
  }
  const Finished last = run();
  ASSERT_EQ(last.status, 0) << last.err;
  EXPECT_THAT(last.out, HasSubstr(fmt::format("{} documents are done already", done)));

  const auto answers = [](const fs::path& folder) {
    return read_table(fs::directory_iterator(folder / "story")->path() / "run.h5", "/answers");
  };
  const auto expected = answers(lab.path() / "undisturbed"), found = answers(lab.results());
  ASSERT_EQ(found.at("question").size(), static_cast<std::size_t>(stories));
  for (const char* column : {"question", "prediction", "references", "rouge1"})
    EXPECT_EQ(found.at(column), expected.at(column)) << column;
}

}  // namespace
}  // namespace attnlab
