// One table of a record: an HDF5 group with an extendable dataset a column and a counter of trusted rows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/record.h"
#include "results/hdf5.h"

namespace attnlab {

/// Rows wait until write() extends the datasets; rows() counts them after commit(), when the file is on disk.
class StoredTable {
 public:
  /// Creates the group, its datasets, attributes and dimension scale. `path` is the file's, for messages.
  static StoredTable create(hid_t file, const Table& table, const std::filesystem::path& path);
  /// Opens an existing group, cut to the rows that its counter counts. Throws UserError where its
  /// columns are not those of `table`.
  static StoredTable open(hid_t file, const Table& table, const std::filesystem::path& path);

  const Table& definition() const { return table_; }
  /// Rows that a reader may trust.
  int64_t rows() const { return safe_; }
  /// All rows, those that wait included.
  int64_t all_rows() const { return written_ + pending_; }
  int64_t pending() const { return pending_; }

  void add(std::span<const Value> row);
  /// Extends the datasets by the rows that wait.
  void write();
  /// Declares the written rows safe; call it when they are on disk.
  void commit() { safe_ = written_; }
  /// Forgets the rows after the first `count`.
  void truncate(int64_t count);

 private:
  using Cells = std::variant<std::vector<int64_t>, std::vector<double>, std::vector<std::string>>;

  StoredTable(const Table& table, const std::filesystem::path& path) : table_(table), path_(path) {}
  void check_row(std::span<const Value> row) const;
  void keep_pending(int64_t count);
  void write_column(std::size_t column);
  void set_rows(int64_t rows);

  Table table_;
  std::filesystem::path path_;
  h5::Group group_;
  std::vector<h5::Dataset> datasets_;
  std::vector<Cells> cells_;
  int64_t safe_ = 0;
  int64_t written_ = 0;  ///< rows in the datasets
  int64_t pending_ = 0;
};

}  // namespace attnlab
