#include "io/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/json_nesting.h"
#include "core/json_text.h"

namespace attnlab {
namespace {

using nlohmann::json;

constexpr uint64_t length_bytes = 8;
constexpr uint64_t longest_header = 100'000'000;  // as the reference implementation: no header needs more
constexpr const char* metadata_key = "__metadata__";

uint64_t header_length(std::string_view bytes, const std::string& file) {
  if (bytes.size() < length_bytes)
    user_error("{} is cut short: {} bytes are too few for a safetensors file", file, bytes.size());
  uint64_t length = 0;
  for (uint64_t i = length_bytes; i-- > 0;) length = length << 8 | static_cast<unsigned char>(bytes[i]);
  if (length < 2 || length > longest_header)
    user_error("{} is not a safetensors file: it claims a header of {} bytes", file, length);
  if (length > bytes.size() - length_bytes)
    user_error("{} is cut short: its header has {} bytes, of which {} are there", file, length,
               bytes.size() - length_bytes);
  return length;
}

/// JSON in which no object has a key twice; nlohmann's parser alone keeps the last one silently.
json parse_json(std::string_view text, const std::string& file) {
  std::vector<std::set<std::string>> keys;
  const auto check_keys = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
      user_error("{}: the header names '{}' twice", file, value.get<std::string>());
    return true;
  };
  if (text.front() != '{')
    user_error("{} is not a safetensors file: its header does not begin with '{{'", file);
  if (nests_too_deeply(text))
    user_error("{} is not a safetensors file: its header has brackets nested more than {} deep", file,
               deepest_json);
  try {
    return json::parse(text, check_keys);
  } catch (const json::exception&) {
    user_error("{} is not a safetensors file: its header is not valid JSON", file);
  }
}

/// A value as a sentence quotes it.
std::string quoted(const json& value) {
  constexpr std::size_t longest = 80;
  std::string text = json_text(value);
  if (text.size() > longest) text.replace(longest, std::string::npos, "…");
  return text;
}

/// A JSON number that is an integer within [0, 2^63).
uint64_t count(const json& value, const std::string& file, const std::string& name, const char* what) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > std::numeric_limits<int64_t>::max())
    user_error("{}: {} of tensor '{}' is {}, which is no count", file, what, name, quoted(value));
  return value.get<uint64_t>();
}

/// Bytes of a shape; a product beyond 2^63 is the file's mistake, never an overflow. A size of 0 makes none
/// of the others harmless: Torch computes strides from them.
uint64_t bytes_of(const SafetensorsEntry& tensor, const std::string& file) {
  auto bytes = static_cast<uint64_t>(safetensors_element_bytes(tensor.dtype));
  bool empty = false;
  for (const int64_t n : tensor.shape) {
    const auto size = static_cast<uint64_t>(std::max<int64_t>(n, 1));
    empty = empty || n == 0;
    if (bytes > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) / size)
      user_error("{}: the shape of tensor '{}' asks for more than 2^63 bytes", file, tensor.name);
    bytes *= size;
  }
  return empty ? 0 : bytes;
}

SafetensorsEntry parse_entry(const std::string& name, const json& value, const std::string& file) {
  const auto needs = [&](bool holds) {
    if (!holds) user_error("{}: tensor '{}' lacks a dtype, a shape or its data_offsets", file, name);
  };
  needs(value.is_object() && value.contains("dtype") && value.contains("shape") &&
        value.contains("data_offsets"));
  const json &dtype = value["dtype"], &shape = value["shape"], &offsets = value["data_offsets"];
  needs(dtype.is_string() && shape.is_array() && offsets.is_array() && offsets.size() == 2);

  SafetensorsEntry tensor{name, dtype.get<std::string>(), {}, 0, 0};
  if (safetensors_element_bytes(tensor.dtype) == 0)
    user_error(
        "{}: tensor '{}' has the type {}, and only F64, F32, F16, BF16, I64, I32, I16, I8, U8 and BOOL are "
        "read",
        file, name, tensor.dtype);
  for (const json& n : shape) tensor.shape.push_back(static_cast<int64_t>(count(n, file, name, "the shape")));
  tensor.begin = count(offsets[0], file, name, "an offset");
  tensor.end = count(offsets[1], file, name, "an offset");
  if (tensor.end < tensor.begin || tensor.end - tensor.begin != bytes_of(tensor, file))
    user_error("{}: tensor '{}' of type {} and shape {} needs {} bytes, and its data_offsets are {}", file,
               name, tensor.dtype, quoted(shape), bytes_of(tensor, file), quoted(offsets));
  return tensor;
}

std::map<std::string, std::string> parse_metadata(const json& value, const std::string& file) {
  if (!value.is_object()) user_error("{}: __metadata__ is not a map of texts", file);
  std::map<std::string, std::string> metadata;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) user_error("{}: '{}' in __metadata__ is not a text", file, key);
    metadata[key] = text.get<std::string>();
  }
  return metadata;
}

/// Tensors stand side by side from the first byte of data to the last: no overlap, no hole, nothing left
/// over.
void check_layout(std::vector<SafetensorsEntry>& tensors, uint64_t data_bytes, const std::string& file) {
  std::sort(tensors.begin(), tensors.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t at = 0;
  for (const SafetensorsEntry& tensor : tensors) {
    if (tensor.begin != at)
      user_error(
          "{}: tensor '{}' begins at byte {} of the data where {} was expected: tensors overlap or leave a "
          "hole",
          file, tensor.name, tensor.begin, at);
    at = tensor.end;
  }
  if (at > data_bytes)
    user_error("{} is cut short: its tensors need {} bytes, and {} are there", file, at, data_bytes);
  if (at < data_bytes)
    user_error("{}: {} bytes follow the last tensor, which belong to nothing", file, data_bytes - at);
}

}  // namespace

int64_t safetensors_element_bytes(std::string_view dtype) {
  static const std::map<std::string_view, int64_t> bytes{{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2},
                                                         {"I64", 8}, {"I32", 4}, {"I16", 2}, {"I8", 1},
                                                         {"U8", 1},  {"BOOL", 1}};
  const auto found = bytes.find(dtype);
  return found == bytes.end() ? 0 : found->second;
}

SafetensorsHeader parse_safetensors_header(std::string_view bytes, const std::string& file) {
  const uint64_t length = header_length(bytes, file);
  const json parsed = parse_json(bytes.substr(length_bytes, length), file);

  SafetensorsHeader header;
  header.data_start = length_bytes + length;
  for (const auto& [name, value] : parsed.items()) {
    if (name == metadata_key)
      header.metadata = parse_metadata(value, file);
    else
      header.tensors.push_back(parse_entry(name, value, file));
  }
  check_layout(header.tensors, bytes.size() - header.data_start, file);
  return header;
}

std::string format_safetensors_header(const std::vector<SafetensorsEntry>& tensors,
                                      const std::map<std::string, std::string>& metadata) {
  json header = json::object();
  if (!metadata.empty()) header[metadata_key] = metadata;
  for (const SafetensorsEntry& tensor : tensors) {
    ensure(tensor.name != metadata_key && !header.contains(tensor.name), "tensor '{}' to be named once",
           tensor.name);
    header[tensor.name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {tensor.begin, tensor.end}}};
  }
  std::string text = json_text(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string out;
  for (uint64_t i = 0; i < length_bytes; ++i) out += static_cast<char>(text.size() >> (8 * i) & 0xff);
  return out + text;
}

}  // namespace attnlab
