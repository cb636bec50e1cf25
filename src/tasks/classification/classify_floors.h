// What can be reached without reading in order: the floors that stand beside every accuracy.
#pragma once

#include "tasks/classification/classify.h"

namespace attnlab {

/// accuracy_majority and accuracy_byte_counts, both floors of `accuracy`.
Headline majority_floor();
Headline byte_count_floor();

/// Writes accuracy_majority and, where asked for, accuracy_byte_counts: both chosen on train and validation
/// alone, of the same symbols that the model reads.
void write_floors(const ClassifyOptions& options, const LabelledSequences& train,
                  const LabelledSequences& validation, const LabelledSequences& test, int64_t limit,
                  RecordSink& record);

}  // namespace attnlab
