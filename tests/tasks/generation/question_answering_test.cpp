// Answers to questions about documents: what is shared, resumed and recorded.
#include "tasks/generation/question_answering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "tasks/cut_record.h"
#include "tasks/generation/benchmarks/qasper.h"
#include "tasks/generation/benchmarks/squality.h"
#include "tasks/memory_record.h"
#include "tasks/moderated.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Columns of /answers.
enum class AnswerColumn : std::size_t {
  document,
  document_id,
  question,
  prompt_tokens,
  document_share,
  visible,
  new_tokens,
  stopped_by,
  prediction,
  references
};

const Value& answer_cell(const std::vector<Value>& row, AnswerColumn column) {
  return row[static_cast<std::size_t>(column)];
}

class Answers : public testing::Test {
 protected:
  Answers() {
    std::string name = testing::TempDir() + "questions.XXXXXX";
    folder = ::mkdtemp(name.data());
    options.model = moderated(ATTNLAB_SOURCE_DIR "/tests/golden/decoders/tied", folder / "model");
    options.tokenizer = ATTNLAB_SOURCE_DIR "/tests/golden/small_tokenizer.model";
    options.length = 100;
    options.max_new_tokens = 10;
    options.past_training = true;
    write_stories(2);
  }
  ~Answers() override { fs::remove_all(folder); }

  void write_stories(int count) const {
    fs::create_directories(folder / "data/squality");
    std::ofstream out(folder / "data/squality/squality_v1-3_dev.jsonl");
    for (int i = 0; i < count; ++i)
      out << R"({"metadata": {"passage_id": ")" << 100 + i
          << R"("}, "document": "Once upon a time a girl saw dog number )" << i
          << R"( in the park. It was big and red and happy, and she said yes.", "questions": [)"
          << R"({"question_text": "What is the plot?", "question_number": 1, "responses": [)"
          << R"({"response_text": "A girl sees a dog."}, {"response_text": "A dog is seen."}]},)"
          << R"({"question_text": "Where was the dog?", "question_number": 2, "responses": [)"
          << R"({"response_text": "In the park."}]},)"
          << R"({"question_text": "Why?", "question_number": 3, "responses": [{"response_text": "Yes."}]}]})"
          << "\n";
  }
  RunContext context(const std::string& run) const {
    RunContext c;
    c.folder = folder / run;
    c.data.root = folder / "data";
    fs::create_directories(c.folder);
    return c;
  }
  MemoryRecord empty() const {
    MemoryRecord record;
    for (const Table& t : options.tables()) record.define(t);
    return record;
  }
  MemoryRecord run() {
    MemoryRecord record = empty();
    options.run(context("run" + std::to_string(runs++)), record);
    return record;
  }
  static std::vector<std::string> texts(const MemoryRecord& record,
                                        AnswerColumn column = AnswerColumn::prediction) {
    std::vector<std::string> all;
    for (const auto& row : record.tables.at("/answers"))
      all.push_back(std::get<std::string>(answer_cell(row, column)));
    return all;
  }
  void keep(const char* policy, int64_t size, Prompt prompt) {
    options.cache.policy.select(policy);
    options.cache.size = size;
    options.cache.prompt = prompt;
    options.cache.piece = 7;
  }

  fs::path folder;
  QuestionAnsweringOptions options;
  int runs = 0;
};

TEST_F(Answers, AreTheSameWithADocumentReadOnceOrForEveryQuestion) {
  const std::vector<std::pair<const char*, Prompt>> kinds = {{"full", Prompt::per_step},
                                                             {"h2o", Prompt::per_step},
                                                             {"tova", Prompt::per_step},
                                                             {"tova", Prompt::pieces},
                                                             {"tova", Prompt::one_shot}};
  for (const auto& [policy, prompt] : kinds) {
    keep(policy, 12, prompt);
    options.share_document = true;
    options.batch_size = 8;
    const MemoryRecord shared = run();
    options.batch_size = 2;
    EXPECT_EQ(texts(run()), texts(shared)) << policy;
    options.share_document = false;
    EXPECT_EQ(texts(run()), texts(shared)) << policy;
    options.batch_size = 1;
    EXPECT_EQ(texts(run()), texts(shared)) << policy;
    const auto& document = shared.tables.at("/documents")[0];
    EXPECT_GT(std::get<int64_t>(document[3]), 20) << "tokens that the questions share";
  }
}

TEST_F(Answers, CostWhatDocumentsThatAreReadOnceTookOverTheirReadingAndTheAnswers) {
  std::ofstream(fs::path(folder / "data/squality/squality_v1-3_dev.jsonl"), std::ios::app)
      << R"({"metadata": {"passage_id": "alone"}, "document": "A cat ran away.", "questions": [)"
      << R"({"question_text": "Who?", "question_number": 1, "responses": [{"response_text": "A cat."}]}]})"
      << "\n";
  keep("tova", 12, Prompt::per_step);
  const MemoryRecord record = run();
  double all = 0, least = 0, alone = 0;
  for (const auto& row : record.tables.at("/documents")) {
    const double read = std::get<double>(row[6]), rest = std::get<double>(row[7]),
                 answers = std::get<double>(row[8]);
    (std::get<int64_t>(row[3]) > 0 ? all : alone) += read + rest + answers;
    if (std::get<int64_t>(row[3]) > 0) least += read + answers;
  }
  EXPECT_GT(alone, 0) << "a single question shares nothing, and does not count";
  EXPECT_DOUBLE_EQ(record.summaries.at("document_cost").value, all / least);
  options.share_document = false;
  EXPECT_FALSE(run().summaries.contains("document_cost"));
}

TEST_F(Answers, DependOnWhatIsKept) {
  keep("full", 12, Prompt::per_step);
  const auto full = texts(run());
  keep("window", 6, Prompt::per_step);
  EXPECT_NE(texts(run()), full);
}

TEST_F(Answers, SayWhetherTheQuestionWasVisibleWhenStatesWereDropped) {
  keep("tova", 12, Prompt::per_step);
  MemoryRecord record = run();
  EXPECT_EQ(texts(record, AnswerColumn::visible)[0], "no");
  EXPECT_EQ(record.summaries.at("question_visible").value, 0.0);
  keep("tova", 12, Prompt::one_shot);
  record = run();
  EXPECT_EQ(texts(record, AnswerColumn::visible)[0], "yes");
  EXPECT_EQ(record.summaries.at("question_visible").value, 1.0);
  keep("full", 12, Prompt::per_step);
  record = run();
  EXPECT_EQ(texts(record, AnswerColumn::visible)[0], "nothing dropped");
  EXPECT_FALSE(record.summaries.contains("question_visible"));
}

TEST_F(Answers, OfTheBaselineComeFromPromptsCutToTheCachesSize) {
  keep("tova", 80, Prompt::per_step);
  options.baseline = true;
  const MemoryRecord record = run();
  for (const auto& row : record.tables.at("/answers"))
    EXPECT_LE(std::get<int64_t>(answer_cell(row, AnswerColumn::prompt_tokens)), 80);
  EXPECT_EQ(record.summaries.at("documents_cut").value, 1.0);
  EXPECT_EQ(texts(record, AnswerColumn::visible)[0], "nothing dropped");
}

TEST_F(Answers, GoOnBehindTheLastWholeDocument) {
  keep("tova", 12, Prompt::per_step);
  const MemoryRecord whole = run();
  MemoryRecord record = empty();
  CutRecord killed(record, 5, "/answers");  // in the second document
  EXPECT_THROW(options.run(context("killed"), killed), RunError);
  ASSERT_EQ(record.tables.at("/answers").size(), 5U);
  CutRecord once_more(record, 3, "/answers");  // the second document's, and not one more
  options.run(context("killed"), once_more);
  EXPECT_EQ(texts(record), texts(whole));
  for (const auto& [name, summary] : whole.summaries)
    if (summary.unit != "token/s" && name != "document_cost") {  // what was timed
      EXPECT_EQ(record.summaries.at(name).value, summary.value) << name;
    }
}

TEST_F(Answers, AreScoredBesideTheirReferences) {
  keep("full", 12, Prompt::per_step);
  const MemoryRecord record = run();
  EXPECT_EQ(record.tables.at("/answers").size(), 6U);
  EXPECT_EQ(std::get<std::string>(answer_cell(record.tables.at("/answers")[0], AnswerColumn::references)),
            R"(["A girl sees a dog.","A dog is seen."])");
  EXPECT_EQ(record.summaries.at("rouge1").n, 6);
  double sum = 0;
  for (const auto& row : record.tables.at("/shares")) sum += std::get<double>(row[1]);
  EXPECT_NEAR(sum / 6, record.summaries.at("rouge_geometric_mean").value, 1e-12);
  EXPECT_EQ(texts(record, AnswerColumn::question)[4], "101-2");
}

TEST_F(Answers, LongerThanTheModelsPositionsAreRefusedUnlessAskedFor) {
  options.past_training = false;
  options.length = 4096;
  try {
    run();
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("past_training=true reads on, length="));
  }
}

TEST_F(Answers, WhosePromptsGoBeyondThePositionsWithTheirTemplateAreRefusedBeforeTheFirst) {
  fs::create_directories(folder / "data/longbench");
  std::ofstream out(folder / "data/longbench/qasper.jsonl");
  std::string paper;
  for (int i = 0; i < 40; ++i) paper += "A girl saw a big red dog. ";
  for (const char* id : {"short", "long"})
    out << R"({"_id": ")" << id << R"(", "input": "Who?", "context": ")" << (id[0] == 's' ? "A dog." : paper)
        << R"(", "answers": ["a girl"]})"
        << "\n";
  out.close();
  options.benchmark.select("qasper");
  auto& qasper = dynamic_cast<QasperOptions&>(*options.benchmark);
  qasper.source = QasperSource::longbench;
  qasper.prompt = QasperPrompt::longbench;
  options.chat = "chatml";
  options.length = 54;  // and 10 of the answer are the model's 64 positions
  run();
  options.past_training = false;
  try {
    run();
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), testing::MatchesRegex(".*: its prompt has [0-9]+ tokens with its template, and "
                                                    "10 of an answer are longer together than the 64 .*"));
  }
}

TEST_F(Answers, OfAQuestionWithoutRoomAreRefusedBeforeTheFirstDocumentIsRead) {
  std::string question = "Why";
  for (int i = 0; i < 100; ++i) question += " and why";
  std::ofstream(folder / "data/squality/squality_v1-3_dev.jsonl", std::ios::app)
      << R"({"metadata": {"passage_id": "200"}, "document": "A dog.", "questions": [{"question_text": ")"
      << question << R"(", "question_number": 7, "responses": [{"response_text": "Yes."}]}]})"
      << "\n";
  MemoryRecord record = empty();
  try {
    options.run(context("long"), record);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("200-7: the words around its document take "));
  }
  EXPECT_TRUE(record.tables["/answers"].empty());
  options.documents = 2;
  EXPECT_EQ(texts(run()).size(), 6U) << "questions that are not asked may be as long as they like";
}

TEST_F(Answers, InTheFoldersFormatNeedOne) {
  options.chat = "folder";
  try {
    run();
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("declares no chat template that is known here"));
  }
}

TEST(QuestionVisible, IsDecidedByWhenStatesAreDropped) {
  CacheOptions cache;
  cache.policy.select("tova");
  cache.size = 100;
  EXPECT_EQ(question_visible(cache, 2, 102), QuestionVisible::no);
  EXPECT_EQ(question_visible(cache, 2, 101), QuestionVisible::yes) << "the first goes behind the last token";
  EXPECT_EQ(question_visible(cache, 2, 100), QuestionVisible::nothing_dropped);
  cache.prompt = Prompt::pieces;
  cache.piece = 50;
  EXPECT_EQ(question_visible(cache, 2, 151), QuestionVisible::no);
  EXPECT_EQ(question_visible(cache, 2, 150), QuestionVisible::yes) << "behind the third and last piece";
  cache.piece = 101;
  EXPECT_EQ(question_visible(cache, 2, 101), QuestionVisible::yes);
  EXPECT_EQ(question_visible(cache, 2, 102), QuestionVisible::no);
}

TEST(QuestionVisible, LooksAtTheSizeOfEveryLayer) {
  CacheOptions cache;
  cache.policy.select("tova");
  cache.size = 100;  // on average
  cache.budget = Budget::list;
  cache.sizes = {150, 50};
  EXPECT_EQ(question_visible(cache, 2, 100), QuestionVisible::no) << "the second layer drops";
  EXPECT_EQ(question_visible(cache, 2, 50), QuestionVisible::nothing_dropped);
  cache.only_layers = {0};
  EXPECT_EQ(question_visible(cache, 2, 100), QuestionVisible::nothing_dropped)
      << "the second layer keeps all";
  EXPECT_EQ(question_visible(cache, 2, 152), QuestionVisible::no);
}

}  // namespace
}  // namespace attnlab
