#include "tasks/classification/classify_floors.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "core/log.h"
#include "metrics/byte_counts.h"
#include "metrics/statistics.h"

namespace attnlab {
namespace {

using ExampleIds = std::unordered_set<std::string_view>;

ExampleIds ids_of(const LabelledSequences& data) {
  ExampleIds ids;
  for (int64_t i = 0; i < data.size(); ++i) ids.insert(data.id(i));
  return ids;
}

/// A split's texts but those of `left_out`, cut to the symbols that the model sees. `limit` as in evaluation;
/// 0: all.
LabelledTexts texts_of(const LabelledSequences& data, const EncodingOptions& encoding, int64_t limit,
                       const ExampleIds& left_out = {}) {
  const int64_t n = limit > 0 ? std::min(limit, data.size()) : data.size();
  LabelledTexts texts;
  for (int64_t i = 0; i < n; ++i) {
    if (left_out.contains(data.id(i))) continue;
    texts.texts.push_back(visible_symbols(data.symbols(i), encoding));
    texts.labels.push_back(data.label(i));
  }
  return texts;
}

void summarise(const Headline& floor, const Proportion& p, RecordSink& record) {
  record.summarise(summary_of(floor, p.value, p.n, p.standard_error));
}

/// Its form is chosen on texts that it was not fitted to, also where the model is trained on all.
ByteCountClassifier fit_floor(const ClassifyOptions& options, const LabelledSplits& splits,
                              const LabelledTexts& train, int64_t classes) {
  const int64_t symbols = options.data->symbol_count();
  const LabelledTexts validation = texts_of(*splits.validation, options.encoding, 0);
  if (!options.data->trains_on_validation())
    return ByteCountClassifier::fit_best(train, validation, symbols, classes);
  const LabelledTexts others = texts_of(*splits.train, options.encoding, 0, ids_of(*splits.validation));
  // data.train_examples leaves too few of them: chosen on what it is fitted to.
  if (others.texts.size() < train.texts.size() / 2)
    return ByteCountClassifier::fit_best(train, validation, symbols, classes);
  const auto chosen = ByteCountClassifier::fit_best(others, validation, symbols, classes);
  return ByteCountClassifier::fit(train, symbols, classes, chosen.options());
}

/// The rows of the byte counts, and how the model compares with them.
void write_predictions(const std::vector<int32_t>& predicted, const SplitResults& on_test,
                       const LabelledSequences& test, RecordSink& record) {
  const std::string table = floor_table().path;
  record.truncate(table, 0);
  PairedVerdicts verdicts;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const ExampleResult& e = on_test.examples[i];
    const bool correct = predicted[i] == e.label;
    verdicts.add(correct, e.predicted == e.label);
    const Value row[] = {e.example, std::string(test.id(e.example)), int64_t{predicted[i]}, int64_t{correct}};
    record.append(table, row);
  }
  record.summarise(
      summary_of(above_byte_counts(), verdicts.difference(), verdicts.examples(), verdicts.standard_error()));
}

}  // namespace

Headline majority_floor() {
  return {"accuracy_majority",
          "1",
          "floor: the most frequent class of the training examples, on test",
          Summary::Better::neither,
          "accuracy",
          "majority class"};
}

Headline byte_count_floor() {
  return {
      "accuracy_byte_counts",
      "1",
      "floor: logistic regression on symbol counts of the same texts, its form chosen on validation, on test",
      Summary::Better::neither,
      "accuracy",
      "logistic regression on byte counts"};
}

Headline above_byte_counts() {
  return {"accuracy_above_byte_counts", "1",
          "accuracy less that of a logistic regression on symbol counts of the same examples; its standard "
          "error is paired over them",
          Summary::Better::higher};
}

Table floor_table() {
  using Type = Column::Type;
  return {"/eval/test_byte_counts",
          "every example of test, as the logistic regression on symbol counts answers it",
          {{"example", Type::integer, "1", "index in the split, as in /eval/test"},
           {"id", Type::text, "1", "the publisher's name of the example"},
           {"predicted", Type::integer, "1", "most probable class"},
           {"correct", Type::integer, "1", "1 where predicted is the true class"}}};
}

void write_floors(const ClassifyOptions& options, const LabelledSplits& splits, const SplitResults& on_test,
                  int64_t limit, RecordSink& record) {
  const LabelledTexts train_texts = texts_of(*splits.train, options.encoding, 0);
  const LabelledTexts test_texts = texts_of(*splits.test, options.encoding, limit);
  const auto classes = static_cast<int32_t>(options.data->class_names().size());

  const std::vector<int32_t> majority(test_texts.labels.size(), majority_class(train_texts.labels, classes));
  summarise(majority_floor(), accuracy(majority, test_texts.labels), record);
  if (!options.evaluation.byte_count_floor) return;

  log_info("fitting the floor: logistic regression on symbol counts of {} texts", train_texts.texts.size());
  const ByteCountClassifier regression = fit_floor(options, splits, train_texts, classes);
  const std::vector<int32_t> predicted = regression.predict(test_texts.texts);
  summarise(byte_count_floor(), accuracy(predicted, test_texts.labels), record);
  write_predictions(predicted, on_test, *splits.test, record);
}

}  // namespace attnlab
