#include "results/reader.h"

#include <hdf5.h>

#include <algorithm>

#include "core/error.h"
#include "results/hdf5.h"
#include "results/open_file.h"
#include "results/stored_summary.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// The first `rows` cells of a column, read through the memory type of T.
template <class T>
std::vector<T> read_cells(hid_t dataset, hid_t type, hsize_t rows, const fs::path& path) {
  std::vector<T> cells(rows);
  if (rows == 0) return cells;
  const hsize_t start = 0;
  const h5::Space source(h5::check(H5Dget_space(dataset), "read", path));
  h5::check(H5Sselect_hyperslab(source, H5S_SELECT_SET, &start, nullptr, &rows, nullptr), "read", path);
  const h5::Space target(h5::check(H5Screate_simple(1, &rows, nullptr), "read", path));
  h5::check(H5Dread(dataset, type, target, source, H5P_DEFAULT, cells.data()), "read", path);
  return cells;
}

std::vector<Value> read_column(hid_t dataset, hsize_t rows, const fs::path& path) {
  const h5::Type type(h5::check(H5Dget_type(dataset), "read", path));
  std::vector<Value> column;
  if (H5Tget_class(type) == H5T_INTEGER) {
    for (const auto v : read_cells<int64_t>(dataset, H5T_NATIVE_INT64, rows, path)) column.emplace_back(v);
  } else if (H5Tget_class(type) == H5T_FLOAT) {
    for (const auto v : read_cells<double>(dataset, H5T_NATIVE_DOUBLE, rows, path)) column.emplace_back(v);
  } else if (H5Tis_variable_str(type) > 0) {
    for (char* text : read_cells<char*>(dataset, h5::text_type(), rows, path)) {
      column.emplace_back(std::string(text ? text : ""));
      H5free_memory(text);
    }
  } else {
    run_error("cannot read {}: a column is neither a number nor a text", path.string());
  }
  return column;
}

}  // namespace

std::string text_of(const Value& value) {
  return std::visit([](const auto& held) { return fmt::format("{}", held); }, value);
}

RunRecord read_run(const fs::path& run_h5) {
  const h5::File file = h5::open_for_reading(run_h5);
  RunRecord record;
  for (const auto& name : h5::attribute_names(file, run_h5))
    record.attributes[name] = h5::read_attribute(file, name, run_h5);
  if (!h5::has_member(file, "/summary")) return record;
  const h5::Group group(h5::check(H5Gopen2(file, "/summary", H5P_DEFAULT), "read", run_h5));
  for (const auto& name : h5::member_names(group, run_h5))
    record.summaries[name] = read_summary(group, name, run_h5);
  return record;
}

std::map<std::string, std::vector<Value>> read_table(const fs::path& run_h5, const std::string& table) {
  const h5::File file = h5::open_for_reading(run_h5);
  if (!h5::has_member(file, table)) user_error("{} holds no table {}", run_h5.string(), table);
  const h5::Group group(h5::check(H5Gopen2(file, table.c_str(), H5P_DEFAULT), "read", run_h5));
  if (!h5::has_attribute(group, "rows_written")) user_error("{} holds no table {}", run_h5.string(), table);
  const auto rows = static_cast<hsize_t>(h5::attribute_or<int64_t>(group, "rows_written", 0, run_h5));
  std::map<std::string, std::vector<Value>> columns;
  for (const auto& name : h5::member_names(group, run_h5)) {
    const h5::Object object(h5::check(H5Oopen(group, name.c_str(), H5P_DEFAULT), "read", run_h5));
    if (H5Iget_type(object) == H5I_DATASET) columns[name] = read_column(object, rows, run_h5);
  }
  return columns;
}

}  // namespace attnlab
