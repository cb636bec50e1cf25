#include "tasks/classification/classify_floors.h"

#include <algorithm>

#include "core/log.h"
#include "metrics/byte_counts.h"
#include "metrics/statistics.h"

namespace attnlab {
namespace {

/// A split's texts, cut to the symbols that the model sees. `limit` as in evaluation; 0: all.
LabelledTexts texts_of(const LabelledSequences& data, const EncodingOptions& encoding, int64_t limit) {
  const int64_t n = limit > 0 ? std::min(limit, data.size()) : data.size();
  LabelledTexts texts;
  for (int64_t i = 0; i < n; ++i) {
    texts.texts.push_back(visible_symbols(data.symbols(i), encoding));
    texts.labels.push_back(data.label(i));
  }
  return texts;
}

void summarise(const Headline& floor, const Proportion& p, RecordSink& record) {
  record.summarise(summary_of(floor, p.value, p.n, p.standard_error));
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

void write_floors(const ClassifyOptions& options, const LabelledSequences& train,
                  const LabelledSequences& validation, const LabelledSequences& test, int64_t limit,
                  RecordSink& record) {
  const LabelledTexts train_texts = texts_of(train, options.encoding, 0);
  const LabelledTexts test_texts = texts_of(test, options.encoding, limit);
  const auto classes = static_cast<int32_t>(options.data->class_names().size());

  const std::vector<int32_t> majority(test_texts.labels.size(), majority_class(train_texts.labels, classes));
  summarise(majority_floor(), accuracy(majority, test_texts.labels), record);
  if (!options.evaluation.byte_count_floor) return;

  log_info("fitting the floor: logistic regression on symbol counts of {} texts", train_texts.texts.size());
  const auto regression = ByteCountClassifier::fit_best(
      train_texts, texts_of(validation, options.encoding, 0), options.data->symbol_count(), classes);
  summarise(byte_count_floor(), accuracy(regression.predict(test_texts.texts), test_texts.labels), record);
}

}  // namespace attnlab
