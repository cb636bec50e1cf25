// run.h5 and its append-only JSON-lines twin metrics.jsonl: one RecordSink. results/README.md is the schema.
#pragma once

#include <filesystem>
#include <memory>

#include "core/record.h"

namespace attnlab {

/// Creates folder/run.h5 and folder/metrics.jsonl, or opens them for resuming. Throws UserError where the
/// file was made by a newer schema or is no HDF5 file, RunError where the disk refuses.
///
/// Rows, figures and attributes wait in memory for flush(), which the destructor calls too. A new run.h5
/// appears with its first flush. flush() throws RunError "cannot write …: No space left on device" before it
/// has touched the file, and may be tried again. rows() counts what is flushed.
std::unique_ptr<RecordSink> open_record(const std::filesystem::path& folder);

}  // namespace attnlab
