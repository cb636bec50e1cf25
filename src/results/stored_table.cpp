#include "results/stored_table.h"

#include <hdf5_hl.h>

#include <algorithm>

#include "core/error.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr hsize_t chunk_rows = 1024;

h5::Type disk_type(Column::Type type) {
  if (type == Column::Type::integer) return h5::Type(H5Tcopy(H5T_STD_I64LE));
  if (type == Column::Type::real) return h5::Type(H5Tcopy(H5T_IEEE_F64LE));
  return h5::text_type();
}

h5::Type memory_type(Column::Type type) {
  if (type == Column::Type::integer) return h5::Type(H5Tcopy(H5T_NATIVE_INT64));
  if (type == Column::Type::real) return h5::Type(H5Tcopy(H5T_NATIVE_DOUBLE));
  return h5::text_type();
}

h5::Dataset create_column(hid_t group, const Column& column, const fs::path& path) {
  const hsize_t none = 0, unlimited = H5S_UNLIMITED, chunk = chunk_rows;
  const h5::Space space(h5::check(H5Screate_simple(1, &none, &unlimited), "write", path));
  const h5::PropertyList layout(H5Pcreate(H5P_DATASET_CREATE));
  h5::check(H5Pset_chunk(layout, 1, &chunk), "write", path);
  h5::Dataset dataset(h5::check(
      H5Dcreate2(group, column.name.c_str(), disk_type(column.type), space, H5P_DEFAULT, layout, H5P_DEFAULT),
      "write", path));
  h5::write_attribute(dataset, "units", column.unit, path);
  h5::write_attribute(dataset, "long_name", column.meaning, path);
  return dataset;
}

std::string listed(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

void check_columns(hid_t group, const Table& table, const fs::path& path) {
  const std::vector<std::string> present = h5::member_names(group, path);
  std::vector<std::string> wanted;
  for (const auto& column : table.columns) wanted.push_back(column.name);
  if (!std::is_permutation(present.begin(), present.end(), wanted.begin(), wanted.end()))
    user_error("{}: table {} has the columns {} but this program writes {}; start over with --fresh",
               path.string(), table.path, listed(present), listed(wanted));
}

h5::Dataset open_column(hid_t group, const Table& table, const Column& column, const fs::path& path) {
  h5::Dataset dataset(h5::check(H5Dopen2(group, column.name.c_str(), H5P_DEFAULT), "read", path));
  const h5::Type type(h5::check(H5Dget_type(dataset), "read", path));
  if (H5Tget_class(type) != H5Tget_class(disk_type(column.type)))
    user_error("{}: column {} of table {} has another type than this program writes; start over with --fresh",
               path.string(), column.name, table.path);
  return dataset;
}

}  // namespace

StoredTable StoredTable::create(hid_t file, const Table& table, const fs::path& path) {
  StoredTable stored(table, path);
  stored.group_ = h5::create_group(file, table.path, path);
  h5::write_attribute(stored.group_, "long_name", table.meaning, path);
  h5::write_attribute(stored.group_, "rows_written", int64_t{0}, path);
  for (const auto& column : table.columns)
    stored.datasets_.push_back(create_column(stored.group_, column, path));
  h5::check(H5DSset_scale(stored.datasets_.front(), table.columns.front().name.c_str()), "write", path);
  for (std::size_t i = 1; i < stored.datasets_.size(); ++i)
    h5::check(H5DSattach_scale(stored.datasets_[i], stored.datasets_.front(), 0), "write", path);
  stored.keep_pending(0);
  return stored;
}

StoredTable StoredTable::open(hid_t file, const Table& table, const fs::path& path) {
  StoredTable stored(table, path);
  stored.group_ = h5::Group(h5::check(H5Gopen2(file, table.path.c_str(), H5P_DEFAULT), "read", path));
  check_columns(stored.group_, table, path);
  stored.safe_ = stored.written_ = std::get<int64_t>(h5::read_attribute(stored.group_, "rows_written", path));
  for (const auto& column : table.columns)
    stored.datasets_.push_back(open_column(stored.group_, table, column, path));
  stored.set_rows(stored.written_);
  stored.keep_pending(0);
  return stored;
}

void StoredTable::keep_pending(int64_t count) {
  pending_ = count;
  const auto keep = static_cast<std::size_t>(pending_);
  cells_.resize(table_.columns.size());
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (keep == 0) {
      if (table_.columns[i].type == Column::Type::integer) cells_[i] = std::vector<int64_t>();
      if (table_.columns[i].type == Column::Type::real) cells_[i] = std::vector<double>();
      if (table_.columns[i].type == Column::Type::text) cells_[i] = std::vector<std::string>();
    }
    std::visit([keep](auto& values) { values.resize(keep); }, cells_[i]);
  }
}

void StoredTable::check_row(std::span<const Value> row) const {
  ensure(row.size() == table_.columns.size(), "{} values in a row of {}, not {}", table_.columns.size(),
         table_.path, row.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    const Column& column = table_.columns[i];
    const bool fits = column.type == Column::Type::integer ? std::holds_alternative<int64_t>(row[i])
                      : column.type == Column::Type::real  ? !std::holds_alternative<std::string>(row[i])
                                                           : std::holds_alternative<std::string>(row[i]);
    ensure(fits, "a value of its type for column {} of {}", column.name, table_.path);
  }
}

void StoredTable::add(std::span<const Value> row) {
  check_row(row);
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (auto* integers = std::get_if<std::vector<int64_t>>(&cells_[i]))
      integers->push_back(std::get<int64_t>(row[i]));
    else if (auto* texts = std::get_if<std::vector<std::string>>(&cells_[i]))
      texts->push_back(h5::clean_text(std::get<std::string>(row[i])));
    else if (const auto* integer = std::get_if<int64_t>(&row[i]))  // welcome in a column of reals
      std::get<std::vector<double>>(cells_[i]).push_back(static_cast<double>(*integer));
    else
      std::get<std::vector<double>>(cells_[i]).push_back(std::get<double>(row[i]));
  }
  ++pending_;
}

void StoredTable::set_rows(int64_t rows) {
  const hsize_t extent = static_cast<hsize_t>(rows);
  for (const auto& dataset : datasets_) h5::check(H5Dset_extent(dataset, &extent), "write", path_);
  h5::write_attribute(group_, "rows_written", rows, path_);
}

void StoredTable::write_column(std::size_t column) {
  const hsize_t start = static_cast<hsize_t>(written_), count = static_cast<hsize_t>(pending_);
  const h5::Space target(h5::check(H5Dget_space(datasets_[column]), "write", path_));
  h5::check(H5Sselect_hyperslab(target, H5S_SELECT_SET, &start, nullptr, &count, nullptr), "write", path_);
  const h5::Space source(h5::check(H5Screate_simple(1, &count, nullptr), "write", path_));
  const h5::Type type = memory_type(table_.columns[column].type);
  const auto write = [&](const void* data) {
    h5::check(H5Dwrite(datasets_[column], type, source, target, H5P_DEFAULT, data), "write", path_);
  };
  if (const auto* texts = std::get_if<std::vector<std::string>>(&cells_[column])) {
    std::vector<const char*> pointers;
    for (const auto& text : *texts) pointers.push_back(text.c_str());
    write(pointers.data());
  } else if (const auto* integers = std::get_if<std::vector<int64_t>>(&cells_[column])) {
    write(integers->data());
  } else {
    write(std::get<std::vector<double>>(cells_[column]).data());
  }
}

void StoredTable::write() {
  if (pending_ == 0) return;
  set_rows(written_ + pending_);
  for (std::size_t i = 0; i < datasets_.size(); ++i) write_column(i);
  written_ += pending_;
  keep_pending(0);
}

void StoredTable::truncate(int64_t count) {
  if (count >= all_rows()) return;
  keep_pending(std::max<int64_t>(0, count - written_));
  if (count >= written_) return;
  set_rows(count);
  written_ = count;
}

}  // namespace attnlab
