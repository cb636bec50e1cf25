// A table of words in the formats that people read, paste and parse.
#pragma once

#include <string>
#include <vector>

namespace attnlab {

struct TextTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  ///< each as long as the header
  /// Which columns hold numbers: text and markdown align them on the decimal point, LaTeX on the right.
  /// Empty: none.
  std::vector<bool> numbers = {};
};

/// format: text (aligned columns), markdown (GitHub's tables), csv (RFC 4180) or latex (tabular with
/// booktabs' rules). No line is wrapped.
std::string render(const TextTable& table, const std::string& format);

}  // namespace attnlab
