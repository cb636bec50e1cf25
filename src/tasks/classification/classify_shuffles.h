// What a classifier has learned of order: its accuracy on texts that have lost some of it. The floor of byte
// counts says the same of a text however it is shuffled.
#pragma once

#include <vector>

#include "data/shuffled.h"
#include "tasks/classification/classify_evaluation.h"

namespace attnlab {

/// /eval/test_<shuffle>: rows as in /eval/test.
Table shuffled_table(Shuffle shuffle);
/// accuracy_shuffled_<shuffle>, and accuracy_lost_<shuffle>, by how much it lies below that of the texts as
/// they are, paired over the examples.
std::vector<Headline> shuffled_headlines(Shuffle shuffle);

void write_shuffled(Shuffle shuffle, const SplitResults& results, const SplitResults& as_they_are,
                    const LabelledSequences& data, RecordSink& record);

}  // namespace attnlab
