// What the tests of perplexity share: runs in a temporary folder, recorded in memory.
#pragma once

#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "data/text_files.h"
#include "data/token_lines.h"
#include "tasks/language/perplexity.h"
#include "tasks/memory_record.h"

namespace attnlab {

class PerplexityTask : public ::testing::Test {
 protected:
  PerplexityTask() {
    std::string name = ::testing::TempDir() + "perplexity.XXXXXX";
    folder = ::mkdtemp(name.data());
    options.model = ATTNLAB_SOURCE_DIR "/tests/golden/decoders/llama";  // 40 ids, 64 positions
  }
  ~PerplexityTask() override { std::filesystem::remove_all(folder); }

  std::filesystem::path file(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name, std::ios::binary) << content;
    return folder / name;
  }
  void read_ids(const std::string& lines) {
    options.data.select("token_lines");
    dynamic_cast<TokenLinesOptions&>(*options.data).path = file("chunks.jsonl", lines).string();
  }
  void read_texts(const std::filesystem::path& path) {
    options.data.select("texts");
    dynamic_cast<TextFilesOptions&>(*options.data).path = path.string();
  }
  void keep(const std::string& policy, int64_t size) {
    options.cache.policy.select(policy);
    options.cache.size = size;
  }

  RunContext context(const std::string& run) const {
    RunContext c;
    c.folder = folder / run;
    std::filesystem::create_directories(c.folder);
    return c;
  }
  /// The options as they are now, as a run of its own.
  MemoryRecord run() {
    MemoryRecord record;
    for (const Table& t : options.tables()) record.define(t);
    options.run(context("run" + std::to_string(runs++)), record);
    return record;
  }

  static int64_t whole(const Value& value) { return std::get<int64_t>(value); }
  static double real(const Value& value) { return std::get<double>(value); }
  /// A column of numbers.
  static std::vector<double> column(const MemoryRecord& record, const std::string& table, std::size_t i) {
    std::vector<double> values;
    for (const auto& row : record.tables.at(table))
      values.push_back(std::holds_alternative<double>(row[i]) ? real(row[i])
                                                              : static_cast<double>(whole(row[i])));
    return values;
  }
  static std::vector<double> token_losses(const MemoryRecord& record) { return column(record, "/tokens", 4); }

  std::filesystem::path folder;
  PerplexityOptions options;
  int runs = 0;
};

/// Fails at the n-th flush, when a killed run would have written its rows but not that it did.
class FailingRecord final : public RecordSink {
 public:
  FailingRecord(MemoryRecord& inner, int flushes) : inner_(inner), left_(flushes) {}
  void define(const Table& t) override { inner_.define(t); }
  void append(std::string_view t, std::span<const Value> row) override { inner_.append(t, row); }
  int64_t rows(std::string_view t) const override { return inner_.rows(t); }
  void truncate(std::string_view t, int64_t count) override { inner_.truncate(t, count); }
  void store(const Array& array) override { inner_.store(array); }
  void summarise(const Summary& figure) override { inner_.summarise(figure); }
  void attribute(std::string_view name, const Value& value) override { inner_.attribute(name, value); }
  void flush() override {
    if (--left_ < 0) throw RunError("cut off");
  }

 private:
  MemoryRecord& inner_;
  int left_;
};

/// Columns of /eval/test.
enum EvalColumn : std::size_t { kDocument, kId, kLength, kChunks, kTokens, kBytes, kWords, kNll };

}  // namespace attnlab
