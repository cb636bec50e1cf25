// A RecordSink that keeps everything in memory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/record.h"

namespace attnlab {

class MemoryRecord final : public RecordSink {
 public:
  void define(const Table& table) override { tables[table.path]; }
  void append(std::string_view table, std::span<const Value> row) override {
    tables.at(std::string(table)).emplace_back(row.begin(), row.end());
  }
  int64_t rows(std::string_view table) const override {
    return static_cast<int64_t>(tables.at(std::string(table)).size());
  }
  void truncate(std::string_view table, int64_t count) override {
    tables.at(std::string(table)).resize(static_cast<size_t>(count));
  }
  void store(const Array& array) override { arrays[array.path] = array; }
  void summarise(const Summary& figure) override { summaries[figure.name] = figure; }
  void attribute(std::string_view name, const Value& value) override {
    attributes[std::string(name)] = value;
  }
  void flush() override {}

  std::map<std::string, std::vector<std::vector<Value>>> tables;
  std::map<std::string, Array> arrays;
  std::map<std::string, Summary> summaries;
  std::map<std::string, Value> attributes;
};

}  // namespace attnlab
