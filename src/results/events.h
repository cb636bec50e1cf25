// The lines of metrics.jsonl: one event each, as results/README.md lists them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "core/record.h"

namespace attnlab {

nlohmann::ordered_json event(const Table& table);
/// Shape and checksum; the values are in run.h5 alone.
nlohmann::ordered_json event(const Array& array);
nlohmann::ordered_json event(const Summary& figure);
/// `row` counts from 0.
nlohmann::ordered_json row_event(const Table& table, int64_t row, std::span<const Value> values);
/// Rows after the first `rows` are void.
nlohmann::ordered_json truncate_event(const Table& table, int64_t rows);
nlohmann::ordered_json attribute_event(std::string_view name, const Value& value);

/// "higher", "lower" or "neither".
const char* word(Summary::Better better);

}  // namespace attnlab
