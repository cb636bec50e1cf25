// A record in a folder of plain text files, for tests of what survives a kill: a row that was flushed stays,
// a row that was not is lost, as with the real one.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/record.h"

namespace attnlab {

class FileRecord final : public RecordSink {
 public:
  explicit FileRecord(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }

  void define(const Table& table) override {
    Rows& rows = tables_[table.path];
    std::ifstream in(file_of(table.path));
    for (std::string line; std::getline(in, line) && !in.eof();) rows.lines.push_back(line);
    rows.flushed = rows.lines.size();
    rewrite(table.path, rows);  // without the half row that a kill may have left
  }
  void append(std::string_view table, std::span<const Value> row) override {
    std::string line;
    for (const Value& value : row)
      line += std::visit([](const auto& v) { return fmt::format("{}\t", v); }, value);
    at(table).lines.push_back(line);
  }
  int64_t rows(std::string_view table) const override {
    return static_cast<int64_t>(tables_.at(std::string(table)).lines.size());
  }
  void truncate(std::string_view table, int64_t count) override {
    Rows& rows = at(table);
    rows.lines.resize(static_cast<std::size_t>(count));
    rows.flushed = rows.lines.size();
    rewrite(std::string(table), rows);
  }
  void store(const Array&) override {}
  void summarise(const Summary& figure) override { summary[figure.name] = figure; }
  void attribute(std::string_view, const Value&) override {}
  void flush() override {
    for (auto& [name, rows] : tables_) {
      std::ofstream out(file_of(name), std::ios::app);
      for (; rows.flushed < rows.lines.size(); ++rows.flushed) out << rows.lines[rows.flushed] << '\n';
    }
  }

  const std::vector<std::string>& lines(const std::string& table) const { return tables_.at(table).lines; }
  /// One value of a row, as text.
  std::string cell(const std::string& table, std::size_t row, std::size_t column) const {
    const std::string& line = lines(table).at(row);
    std::size_t begin = 0;
    for (; column > 0; --column) begin = line.find('\t', begin) + 1;
    return line.substr(begin, line.find('\t', begin) - begin);
  }

  std::map<std::string, Summary> summary;

 private:
  struct Rows {
    std::vector<std::string> lines;
    std::size_t flushed = 0;
  };

  Rows& at(std::string_view table) { return tables_.at(std::string(table)); }
  std::filesystem::path file_of(std::string name) const {
    for (char& c : name)
      if (c == '/') c = '_';
    return folder_ / (name + ".tsv");
  }
  void rewrite(const std::string& name, const Rows& rows) const {
    std::string text;
    for (const std::string& line : rows.lines) text += line + '\n';
    write_atomically(file_of(name), text);
  }

  std::filesystem::path folder_;
  std::map<std::string, Rows> tables_;
};

}  // namespace attnlab
