// A table of words in the formats that people read, paste and parse.
#pragma once

#include <string>
#include <vector>

namespace attnlab {

struct TextTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  ///< each as long as the header
};

/// format: text (aligned columns), markdown, csv (RFC 4180) or latex (tabular with booktabs' rules).
std::string render(const TextTable& table, const std::string& format);

}  // namespace attnlab
