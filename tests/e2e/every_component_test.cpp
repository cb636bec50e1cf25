// Whatever is registered is run once through the program itself: what the whole binary does is not seen by
// programs that link a part of it. A new attention, policy, optimiser, schedule or data set is found in its
// registry; a new task needs its smallest configuration below, without which its test fails.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "attention/attention.h"
#include "attention/causal.h"
#include "cache/policy.h"
#include "captions.h"
#include "data/documents.h"
#include "lab.h"
#include "models/decoder_attention.h"
#include "models/training_states.h"
#include "tasks/generation/benchmarks/benchmark.h"
#include "tasks/task.h"
#include "train/options.h"
#include "train/schedules.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

template <class Base>
std::vector<std::string> registered() {
  std::vector<std::string> names;
  for (const auto& e : registry<Base>()) names.push_back(e.name);
  return names;
}

std::string name_of_case(const testing::TestParamInfo<std::string>& info) { return info.param; }

/// The smallest configuration of each task; MODEL is the folder of the decoder that `train_lm` leaves.
const std::map<std::string, std::string> smallest = {
    {"classify", tiny_yaml},
    {"train_lm", R"(task: train_lm
device: cpu
threads: 1
data: {type: texts, path: texts}
validation: {type: texts, path: texts}
tokenizer: {vocabulary: 320}
model: {dim: 16, ffn_dim: 32, layers: 2, heads: 4, kv_heads: 2, max_positions: 64}
context: 32
batch_size: 4
train: {updates: 2, validate_interval: 1, learning_rate: 0.01}
)"},
    {"perplexity", R"(task: perplexity
device: cpu
threads: 1
data: {type: texts, path: texts}
chunks: {length: 64}
cache: {policy: full, size: 16}
)"},
    {"long_generation", R"(task: long_generation
device: cpu
threads: 1
prompt: Once upon a time
template: none
texts: 2
max_new_tokens: 12
cache: {policy: tova, size: 8}
)"},
    {"question_answering", R"(task: question_answering
device: cpu
threads: 1
length: 90
max_new_tokens: 8
past_training: true
cache: {policy: tova, size: 16}
)"},
    {"decode_speed", R"(task: decode_speed
device: cpu
sizes: {vocabulary: 32, dim: 16, ffn_dim: 32, layers: 1, heads: 2}
context: 32
tokens: 4
warm_up: 1
read_bytes: 1048576
cache: {policy: tova, size: 4}
thread_counts: [1]
)"},
    {"causal_speed", R"(task: causal_speed
device: cpu
forms: [scan, chunks, outer_products, softmax]
length: 40
projection_length: 4
heads: 2
head_dim: 8
thread_counts: [1, 2]
repetitions: 1
warm_up: 0
product_size: 64
)"},
    {"score_speed", R"(task: score_speed
device: cpu
sizes: {vocabulary: 32, dim: 16, ffn_dim: 32, layers: 1, heads: 2}
length: 64
repetitions: 1
warm_up: 0
cache: {policy: tova, size: 8}
thread_counts: [1]
product_size: 64
)"},
    {"speed", R"(task: speed
device: cpu
threads: 1
length: 32
repetitions: 1
warm_up: 1
product_size: 64
model:
  encoder: {dim: 8, layers: 1, heads: 2, ffn_dim: 16}
)"},
    {"translate", translate_yaml},
    {"translation_speed", R"(task: translation_speed
device: cpu
threads: 1
vocabulary: 40
source_length: 6
target_length: 5
sentences: 3
beam: 2
repetitions: 1
product_size: 64
model:
  encoder: {dim: 8, layers: 1, heads: 2, ffn_dim: 16, attention: {type: luna, projection_length: 4}}
  decoder_layers: 1
  cross_attention: {type: luna, projection_length: 4}
)"},
    {"device_rates", R"(task: device_rates
device: cpu
threads: 1
product_size: 64
bytes: 1048576
repetitions: 1
)"},
    {"step_speed", R"(task: step_speed
device: cpu
lengths: [32]
models: [textbook, luna-16]
repetitions: 1
warm_up: 0
product_size: 64
model:
  encoder: {dim: 8, layers: 1, heads: 2, ffn_dim: 16}
)"},
};

class EveryComponent : public testing::TestWithParam<std::string> {
 protected:
  EveryComponent() {
    const std::string story = contents_of(ATTNLAB_SOURCE_DIR "/tests/golden/story.txt");
    lab.write("texts/story.txt", story);
    lab.write("ids.jsonl", "{\"ids\": [1, 5, 7, 9, 11, 13]}\n");
    for (const auto& [task, yaml] : smallest) lab.write(task + ".yaml", yaml);
    write_captions(lab);
  }

  void expect_done(Words arguments, const std::string& input = "") const {
    const Finished run = lab.attnlab(arguments, input);
    EXPECT_EQ(run.status, 0) << run.err;
    const bool answers = run.out.find("\"text\"") != std::string::npos;
    EXPECT_EQ(answers, arguments.front() == "predict") << run.out;
  }
  /// A decoder, trained for two updates.
  std::string decoder() const {
    expect_done({"run", "train_lm.yaml"});
    return (lab.run_folder("train_lm") / "model").string();
  }

  /// A document with a question for every benchmark, where its publisher would have it.
  void write_questions() const {
    const std::string document = "Once upon a time a girl saw a dog in the park.";
    lab.write("data/squality/squality_v1-3_dev.jsonl",
              R"({"metadata": {"passage_id": "1"}, "document": ")" + document +
                  R"(", "questions": [{"question_text": "Who?", "question_number": 1, "responses": [)"
                  R"({"response_text": "A girl."}]}]})"
                  "\n");
    lab.write("data/qasper/qasper-test-v0.3.json",
              R"({"1": {"title": "", "abstract": "", "full_text": [{"section_name": "", "paragraphs": [")" +
                  document +
                  R"("]}], "qas": [{"question": "Who?", "question_id": "1a", "answers": [{"answer": )"
                  R"({"unanswerable": false, "extractive_spans": ["a girl"], "yes_no": null, )"
                  R"("free_form_answer": ""}}]}]}})");
  }

  Lab lab;
};

using EveryTask = EveryComponent;
TEST_P(EveryTask, Runs) {
  ASSERT_TRUE(smallest.contains(GetParam())) << "the task has no smallest configuration in this file";
  Words arguments = {"run", GetParam() + ".yaml"};
  if (GetParam() == "question_answering") write_questions();
  if (const auto& yaml = smallest.at(GetParam());
      GetParam() == "perplexity" || yaml.find("max_new_tokens") != std::string::npos)
    arguments.push_back("model=" + decoder());
  expect_done(arguments);
}
INSTANTIATE_TEST_SUITE_P(Registered, EveryTask, testing::ValuesIn(registered<TaskOptions>()), name_of_case);

using EveryAttention = EveryComponent;
TEST_P(EveryAttention, TrainsAClassifier) {
  expect_done({"run", "classify.yaml", "train.updates=2", "model.encoder.attention=" + GetParam()});
}
INSTANTIATE_TEST_SUITE_P(Registered, EveryAttention, testing::ValuesIn(registered<AttentionOptions>()),
                         name_of_case);

using EveryCausalAttention = EveryComponent;
TEST_P(EveryCausalAttention, Translates) {
  expect_done({"run", "translation_speed.yaml", "model.self_attention=" + GetParam()});
}
INSTANTIATE_TEST_SUITE_P(Registered, EveryCausalAttention,
                         testing::ValuesIn(registered<CausalAttentionOptions>()), name_of_case);

using EveryDecoderAttention = EveryComponent;
TEST_P(EveryDecoderAttention, IsTrainedAndScored) {
  expect_done({"run", "train_lm.yaml", "model.kv_heads=0", "model.attention=" + GetParam()});
  expect_done({"run", "perplexity.yaml", "model=" + (lab.run_folder("train_lm") / "model").string()});
}
INSTANTIATE_TEST_SUITE_P(Registered, EveryDecoderAttention,
                         testing::ValuesIn(registered<DecoderAttentionOptions>()), name_of_case);

using EveryOptimizer = EveryComponent;
TEST_P(EveryOptimizer, TrainsAClassifier) {
  expect_done({"run", "classify.yaml", "train.updates=2", "train.optimizer=" + GetParam()});
}
INSTANTIATE_TEST_SUITE_P(Registered, EveryOptimizer, testing::ValuesIn(registered<OptimizerOptions>()),
                         name_of_case);

using EverySchedule = EveryComponent;
TEST_P(EverySchedule, TrainsAClassifier) {
  expect_done({"run", "classify.yaml", "train.updates=2", "train.schedule=" + GetParam()});
}
INSTANTIATE_TEST_SUITE_P(Registered, EverySchedule, testing::ValuesIn(registered<ScheduleOptions>()),
                         name_of_case);

using EveryDataSet = EveryComponent;
TEST_P(EveryDataSet, IsClassified) {
  Words arguments = {"run", "classify.yaml", "train.updates=2", "data=" + GetParam()};
  if (GetParam() == "listops")
    for (const char* few : {"data.train_examples=40", "data.validation_examples=10", "data.test_examples=10"})
      arguments.emplace_back(few);
  expect_done(arguments);
}
INSTANTIATE_TEST_SUITE_P(Registered, EveryDataSet, testing::ValuesIn(registered<SequenceDataOptions>()),
                         name_of_case);

using EveryDocumentSet = EveryComponent;
TEST_P(EveryDocumentSet, IsScored) {
  const std::map<std::string, Words> places = {
      {"texts", {}},
      {"text_lines", {"data.files=[texts/story.txt]", "data.held_out=0"}},
      {"token_lines", {"data.path=ids.jsonl"}},
      {"pg19", {}}};
  ASSERT_TRUE(places.contains(GetParam())) << "the set has no documents in this file";
  lab.write("data/pg19/test/1.txt", contents_of(lab.path() / "texts/story.txt"));
  Words arguments = {"run", "perplexity.yaml", "model=" + decoder(), "data=" + GetParam()};
  if (GetParam() == "texts") arguments.emplace_back("data.path=texts");
  for (const std::string& word : places.at(GetParam())) arguments.push_back(word);
  if (GetParam() == "token_lines") arguments.emplace_back("chunks.bos=none");
  expect_done(arguments);
}
INSTANTIATE_TEST_SUITE_P(Registered, EveryDocumentSet, testing::ValuesIn(registered<DocumentDataOptions>()),
                         name_of_case);

using EveryBenchmark = EveryComponent;
TEST_P(EveryBenchmark, IsAnswered) {
  write_questions();
  const std::string benchmark = "benchmark=" + GetParam();
  Words arguments = {"run", "question_answering.yaml", "model=" + decoder(), benchmark, "length=900"};
  if (GetParam() == "ruler") arguments.insert(arguments.end(), {"benchmark.length=800", "documents=1"});
  expect_done(arguments);
}
INSTANTIATE_TEST_SUITE_P(Registered, EveryBenchmark, testing::ValuesIn(registered<BenchmarkOptions>()),
                         name_of_case);

using EveryPolicy = EveryComponent;
TEST_P(EveryPolicy, ScoresAndContinues) {
  const std::string model = decoder(), policy = "cache.policy=" + GetParam();
  Choice<PolicyOptions> chosen(GetParam());
  Words predict = {"predict", model, "max_new_tokens=24", policy, "cache.size=8", "threads=1"};
  if (chosen->needs().prefill_only)
    predict.insert(predict.end(), {"cache.prompt=one_shot", "cache.policy.window=4"});
  else
    expect_done({"run", "perplexity.yaml", "model=" + model, policy});
  expect_done(predict, "Once upon a time there was a little dog who lived in a house\nAnd\n");
}
TEST_P(EveryPolicy, IsTrainedWithOrRefused) {
  CacheOptions cache;
  cache.policy.select(GetParam());
  const Words arguments = {"run", "train_lm.yaml", "train.policy.cache.policy=" + GetParam(),
                           "train.policy.cache.size=12"};
  if (why_not_trained(cache).empty()) {
    expect_done(arguments);
    return;
  }
  const Finished run = lab.attnlab(arguments);
  EXPECT_EQ(run.status, 2) << run.err;
  EXPECT_NE(run.err.find("train.policy.cache: names " + GetParam() + ", "), std::string::npos) << run.err;
}
INSTANTIATE_TEST_SUITE_P(Registered, EveryPolicy, testing::ValuesIn(registered<PolicyOptions>()),
                         name_of_case);

}  // namespace
}  // namespace attnlab
