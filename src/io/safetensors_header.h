// The header of a safetensors file (huggingface/safetensors, README "Format"): 8 bytes of little-endian
// length, JSON, then the tensors' bytes. Parsing trusts nothing.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace attnlab {

/// One tensor as the header describes it. Row-major, little-endian.
struct SafetensorsEntry {
  std::string name;
  std::string dtype;  ///< F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL
  std::vector<int64_t> shape;
  uint64_t begin = 0;  ///< first byte, counted from the end of the header
  uint64_t end = 0;    ///< one past the last
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> tensors;  ///< in the order of their bytes
  std::map<std::string, std::string> metadata;
  uint64_t data_start = 0;  ///< where the tensors' bytes begin in the file
};

/// Bytes of one element, or 0 for a type that is not read here.
int64_t safetensors_element_bytes(std::string_view dtype);

/// The header of a file with these bytes, checked: lengths, JSON, types, shapes against bytes, names once
/// each, tensors side by side from the first byte of data to the last. Throws UserError with a sentence that
/// begins with `file`.
SafetensorsHeader parse_safetensors_header(std::string_view bytes, const std::string& file);

/// The bytes that stand before the data: length and JSON, padded with spaces to a multiple of 8.
std::string format_safetensors_header(const std::vector<SafetensorsEntry>& tensors,
                                      const std::map<std::string, std::string>& metadata);

}  // namespace attnlab
