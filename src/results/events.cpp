#include "results/events.h"

#include "core/files.h"
#include "results/stored_array.h"

namespace attnlab {
namespace {

using nlohmann::ordered_json;

const char* word(Column::Type type) {
  if (type == Column::Type::integer) return "integer";
  return type == Column::Type::real ? "real" : "text";
}

ordered_json to_json(const Value& value) {
  return std::visit([](const auto& v) { return ordered_json(v); }, value);
}

}  // namespace

const char* word(Summary::Better better) {
  if (better == Summary::Better::higher) return "higher";
  return better == Summary::Better::lower ? "lower" : "neither";
}

ordered_json event(const Table& table) {
  ordered_json columns = ordered_json::array();
  for (const auto& c : table.columns)
    columns.push_back(
        {{"name", c.name}, {"type", word(c.type)}, {"units", c.unit}, {"long_name", c.meaning}});
  return {{"event", "table"}, {"table", table.path}, {"long_name", table.meaning}, {"columns", columns}};
}

ordered_json event(const Array& array) {
  const PackedIntegers packed = pack(array.values);
  ordered_json dimensions = ordered_json::array();
  for (const Dimension& dimension : array.dimensions)
    dimensions.push_back({{"name", dimension.name},
                          {"length", dimension.at.size()},
                          {"units", dimension.unit},
                          {"long_name", dimension.meaning}});
  return {{"event", "array"},
          {"array", array.path + "/" + array.name},
          {"units", array.unit},
          {"long_name", array.meaning},
          {"dimensions", dimensions},
          {"type", packed.bits == 32 ? "int32" : "int64"},
          {"sha256", sha256(packed.bytes)}};
}

ordered_json event(const Summary& s) {
  ordered_json line = {{"event", "summary"},
                       {"name", s.name},
                       {"value", s.value},
                       {"units", s.unit},
                       {"long_name", s.meaning},
                       {"better", word(s.better)},
                       {"n", s.n},
                       {"standard_error", s.standard_error}};
  if (!s.floor_of.empty()) line.update({{"floor_of", s.floor_of}, {"row", s.row}});
  return line;
}

ordered_json row_event(const Table& table, int64_t row, std::span<const Value> values) {
  ordered_json cells;
  for (std::size_t i = 0; i < values.size(); ++i) cells[table.columns[i].name] = to_json(values[i]);
  return {{"event", "row"}, {"table", table.path}, {"row", row}, {"values", cells}};
}

ordered_json truncate_event(const Table& table, int64_t rows) {
  return {{"event", "truncate"}, {"table", table.path}, {"rows", rows}};
}

ordered_json attribute_event(std::string_view name, const Value& value) {
  return {{"event", "attribute"}, {"name", name}, {"value", to_json(value)}};
}

}  // namespace attnlab
