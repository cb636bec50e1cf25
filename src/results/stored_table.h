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

/// Rows are kept in memory until write(); they count as written only after commit().
class StoredTable {
 public:
  /// Creates the group, its datasets, attributes and dimension scale. `path` is the file's, for messages.
  static StoredTable create(hid_t file, const Table& table, const std::filesystem::path& path);
  /// Opens an existing group and drops what was written after its trusted rows. Throws UserError where its
  /// columns are not those of `table`.
  static StoredTable open(hid_t file, const Table& table, const std::filesystem::path& path);

  const Table& definition() const { return table_; }
  int64_t rows() const { return rows_; }
  int64_t pending() const { return pending_; }
  /// An upper bound of what write() adds to the file.
  int64_t pending_bytes() const;

  void add(std::span<const Value> row);
  /// Extends the datasets by the kept rows.
  void write();
  /// Declares the written rows trusted; call it when they are on disk.
  void commit();
  void drop_pending_after(int64_t count);
  /// Lowers the counter; shrink() then gives up the rows behind it. Between the two the file is flushed.
  void lower(int64_t count);
  void shrink();

 private:
  using Cells = std::variant<std::vector<int64_t>, std::vector<double>, std::vector<std::string>>;

  StoredTable(const Table& table, const std::filesystem::path& path) : table_(table), path_(path) {}
  void check_row(std::span<const Value> row) const;
  void write_column(std::size_t column);
  void set_extent(std::size_t column, int64_t rows);

  Table table_;
  std::filesystem::path path_;
  h5::Group group_;
  std::vector<h5::Dataset> datasets_;
  std::vector<Cells> cells_;
  int64_t rows_ = 0;
  int64_t written_ = 0;  ///< rows in the datasets, trusted or about to be
  int64_t pending_ = 0;
};

}  // namespace attnlab
