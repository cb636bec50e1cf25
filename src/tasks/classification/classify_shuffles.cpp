#include "tasks/classification/classify_shuffles.h"

#include <fmt/format.h>

#include "core/error.h"

namespace attnlab {
namespace {

const char* words_about(Shuffle shuffle) {
  return shuffle == Shuffle::words ? "the bytes of each word shuffled" : "all symbols of the text shuffled";
}

}  // namespace

Table shuffled_table(Shuffle shuffle) {
  return {fmt::format("/eval/test_{}", name_of(shuffle)),
          fmt::format("every example of test, {}", words_about(shuffle)), example_columns()};
}

std::vector<Headline> shuffled_headlines(Shuffle shuffle) {
  return {
      {fmt::format("accuracy_shuffled_{}", name_of(shuffle)), "1",
       fmt::format("share of test examples classified correctly with {}", words_about(shuffle)),
       Summary::Better::neither},
      {fmt::format("accuracy_lost_{}", name_of(shuffle)), "1",
       fmt::format("accuracy less that with {}: what the model had from their order; its standard error is "
                   "paired over the examples",
                   words_about(shuffle)),
       Summary::Better::neither}};
}

void write_shuffled(Shuffle shuffle, const SplitResults& results, const SplitResults& as_they_are,
                    const LabelledSequences& data, RecordSink& record) {
  ensure(results.examples.size() == as_they_are.examples.size(), "the same examples, shuffled and not");
  results.write_examples(shuffled_table(shuffle).path, data, record);
  PairedVerdicts verdicts;
  for (std::size_t i = 0; i < results.examples.size(); ++i) {
    const ExampleResult &one = results.examples[i], &other = as_they_are.examples[i];
    verdicts.add(one.predicted == one.label, other.predicted == other.label);
  }
  const auto headlines = shuffled_headlines(shuffle);
  const Validation v = results.validation();
  record.summarise(summary_of(headlines[0], v.value, v.n, v.standard_error));
  record.summarise(
      summary_of(headlines[1], verdicts.difference(), verdicts.examples(), verdicts.standard_error()));
}

}  // namespace attnlab
