// Two runs beside each other: in what they differ, and what each came to.
#pragma once

#include <filesystem>

#include "results/reader.h"
#include "tables/text_table.h"

namespace attnlab {

/// A row an option that differs, then one an attribute that does (commit, machine, versions, checksums); not
/// what differs between any two runs, such as their times. "–" where a run has none.
TextTable differences(const RunRecord& a, const RunRecord& b);

/// A row a headline figure of either, in units that people read, with the ratio b / a; marked * where they
/// lie more than two standard errors of the difference apart, taken as independent.
TextTable figures_beside(const RunRecord& a, const RunRecord& b);

/// A row a figure of which both records tell question by question, example by example or document by
/// document: b − a over those that both have, or for perplexity b / a, with its paired standard error, and on
/// how many b is higher; of verdicts McNemar's exact p. Accuracies also beside the byte counts of the same
/// run.
TextTable paired(const std::filesystem::path& record_a, const std::filesystem::path& record_b);

}  // namespace attnlab
