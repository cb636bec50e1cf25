// A folder for each test, and the tables that these tests write.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/record.h"
#include "results/record_file.h"

namespace attnlab {

/// An empty folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = testing::TempDir() + "attnlab_results_XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline Table train_table() {
  return {"/train",
          "one row a logging interval",
          {{"step", Column::Type::integer, "1", "update"},
           {"loss", Column::Type::real, "nat", "mean training loss"},
           {"note", Column::Type::text, "", "remark"}}};
}

inline Table test_table() {
  return {"/eval/test",
          "one row an example",
          {{"example", Column::Type::integer, "1", "position in the split"},
           {"id", Column::Type::text, "", "name of the review"},
           {"correct", Column::Type::integer, "1", "1 where the prediction is right"}}};
}

/// The row that every test writes at this step, so that readers can tell a right value from a wrong one.
inline std::vector<Value> train_row(int64_t step) {
  return {step, 1.0 / static_cast<double>(step + 1), std::string("note ") + std::to_string(step)};
}

inline void append_steps(RecordSink& record, int64_t first, int64_t last) {
  for (int64_t step = first; step < last; ++step) record.append("/train", train_row(step));
}

/// A record in `folder` with the steps [0, steps), closed.
inline void write_record(const std::filesystem::path& folder, int64_t steps) {
  const auto record = open_record(folder);
  record->define(train_table());
  append_steps(*record, 0, steps);
  record->flush();
}

}  // namespace attnlab
