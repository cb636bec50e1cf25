// What can be reached without reading in order: the floors that stand beside every accuracy.
#pragma once

#include "tasks/classification/classify_evaluation.h"

namespace attnlab {

/// accuracy_majority and accuracy_byte_counts, both floors of `accuracy`.
Headline majority_floor();
Headline byte_count_floor();
/// The accuracy less that of the byte counts, paired over the examples.
Headline above_byte_counts();

/// /eval/test_byte_counts: what the byte counts say of every example of /eval/test.
Table floor_table();

/// Writes accuracy_majority and, where asked for, accuracy_byte_counts with its rows and what `on_test`, the
/// model's own answers, lie above it: both floors are chosen on train and validation alone, of the same
/// symbols that the model reads.
void write_floors(const ClassifyOptions& options, const LabelledSplits& splits, const SplitResults& on_test,
                  int64_t limit, RecordSink& record);

}  // namespace attnlab
