// A folder for each test, and the tables that these tests write.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <sstream>
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

/// Standard output of a command; fails the test where the command fails.
inline std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr) << command;
  char buffer[4096];
  while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, got);
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return text;
}

/// The numbers of a dataset, as HDF5's own h5dump prints them.
inline std::vector<int64_t> dumped(const std::filesystem::path& file, const std::string& dataset) {
  const std::string dump = output_of("h5dump -y -d " + dataset + " " + file.string());
  const std::size_t begin = dump.find("DATA {") + 6;
  std::string numbers = dump.substr(begin, dump.find('}', begin) - begin);
  std::replace(numbers.begin(), numbers.end(), ',', ' ');
  std::istringstream in(numbers);
  return {std::istream_iterator<int64_t>(in), {}};
}

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

/// An array of two rows under `path`, all of its numbers `value`.
inline Array array_of(const std::string& path, int64_t value, std::size_t columns) {
  Array array{path,
              "seen",
              "token",
              "what was seen",
              {{"layer", "1", "from 0", {3, 5}}, {"token", "1", "token id", {}}},
              std::vector<int64_t>(2 * columns, value)};
  for (std::size_t i = 0; i < columns; ++i)
    array.dimensions[1].at.push_back(static_cast<int64_t>(i * i % 97));
  return array;
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
