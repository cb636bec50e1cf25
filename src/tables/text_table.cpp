#include "tables/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace attnlab {
namespace {

using Row = std::vector<std::string>;
using Escape = std::function<std::string(const std::string&)>;
using Replacements = std::vector<std::pair<std::string_view, std::string_view>>;

/// Columns on a screen: bytes of UTF-8 that are not continuations.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

std::string spaces(std::size_t count) { return std::string(count, ' '); }

/// Characters before the decimal point of the number that the cell begins with.
std::size_t whole_part(const std::string& cell) {
  return std::min(cell.find_first_not_of("-0123456789"), cell.size());
}

bool is_number_column(const TextTable& table, std::size_t column) {
  return column < table.numbers.size() && table.numbers[column];
}

/// Puts the decimal points of a column under each other, and all of it to the right under its heading.
void align_column(TextTable& table, std::size_t column) {
  std::size_t lead = 0, block = 0;
  for (const auto& row : table.rows) lead = std::max(lead, whole_part(row[column]));
  for (auto& row : table.rows) {
    std::string& cell = row[column];
    if (!cell.empty()) cell.insert(0, spaces(lead - whole_part(cell)));
    block = std::max(block, width(cell));
  }
  const std::size_t most = std::max(block, width(table.header[column]));
  table.header[column].insert(0, spaces(most - width(table.header[column])));
  for (auto& row : table.rows)
    if (!row[column].empty()) row[column].insert(0, spaces(most - block));
}

TextTable aligned(TextTable table) {
  for (std::size_t c = 0; c < table.header.size(); ++c)
    if (is_number_column(table, c)) align_column(table, c);
  return table;
}

TextTable escaped(TextTable table, const Escape& escape) {
  for (auto& cell : table.header) cell = escape(cell);
  for (auto& row : table.rows)
    for (auto& cell : row) cell = escape(cell);
  return table;
}

std::vector<std::size_t> widths(const TextTable& table) {
  std::vector<std::size_t> most;
  for (const auto& cell : table.header) most.push_back(width(cell));
  for (const auto& row : table.rows)
    for (std::size_t c = 0; c < row.size(); ++c) most[c] = std::max(most[c], width(row[c]));
  return most;
}

/// Cells between `open`, `between` and `close`, padded to `most` where that is given; no blanks at its end.
std::string line(const Row& row, const std::vector<std::size_t>& most, std::string_view open,
                 std::string_view between, std::string_view close) {
  std::string text(open);
  for (std::size_t c = 0; c < row.size(); ++c) {
    if (c) text += between;
    text += row[c];
    if (!most.empty() && most[c] > width(row[c])) text += spaces(most[c] - width(row[c]));
  }
  text += close;
  if (!most.empty()) text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

std::string all_lines(const TextTable& table, const std::vector<std::size_t>& most, std::string_view open,
                      std::string_view between, std::string_view close, const std::string& rule = "") {
  std::string text = line(table.header, most, open, between, close) + rule;
  for (const auto& row : table.rows) text += line(row, most, open, between, close);
  return text;
}

std::string replaced(const std::string& text, const Replacements& replacements) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto found = std::find_if(replacements.begin(), replacements.end(), [&](const auto& r) {
      return text.compare(at, r.first.size(), r.first) == 0;
    });
    if (found == replacements.end()) {
      out += text[at++];
      continue;
    }
    out += found->second;
    at += found->first.size();
  }
  return out;
}

std::string for_csv(const std::string& cell) {
  if (cell.find_first_of(",\"\n\r") == std::string::npos) return cell;
  return fmt::format("\"{}\"", replaced(cell, {{"\"", "\"\""}}));
}

std::string for_markdown(const std::string& cell) {
  return replaced(cell, {{"|", "\\|"}, {"*", "\\*"}, {"`", "\\`"}, {"<", "&lt;"}, {"\n", " "}});
}

/// A `[` or `*` at the start of a row would be taken for an argument of the `\\` before it.
std::string for_latex(const std::string& cell) {
  return replaced(cell, {{"\\", "\\textbackslash{}"},
                         {"&", "\\&"},
                         {"%", "\\%"},
                         {"$", "\\$"},
                         {"#", "\\#"},
                         {"_", "\\_"},
                         {"{", "\\{"},
                         {"}", "\\}"},
                         {"~", "\\textasciitilde{}"},
                         {"^", "\\textasciicircum{}"},
                         {"<", "\\textless{}"},
                         {">", "\\textgreater{}"},
                         {"|", "\\textbar{}"},
                         {"[", "{[}"},
                         {"*", "{*}"},
                         {"±", "$\\pm$"},
                         {"×", "$\\times$"},
                         {"…", "\\ldots{}"},
                         {"\n", " "}});
}

std::string markdown(const TextTable& plain) {
  const TextTable table = aligned(escaped(plain, for_markdown));
  const auto most = widths(table);
  std::string rule = "|";
  for (std::size_t c = 0; c < most.size(); ++c)
    rule += is_number_column(table, c) ? fmt::format(" {:->{}} |", ':', std::max<std::size_t>(most[c], 2))
                                       : fmt::format(" {:->{}} |", '-', std::max<std::size_t>(most[c], 1));
  return all_lines(table, most, "| ", " | ", " |", rule + "\n");
}

std::string latex(const TextTable& plain) {
  std::string columns;
  for (std::size_t c = 0; c < plain.header.size(); ++c) columns += is_number_column(plain, c) ? 'r' : 'l';
  return "\\begin{tabular}{" + columns + "}\n\\toprule\n" +
         all_lines(escaped(plain, for_latex), {}, "", " & ", " \\\\", "\\midrule\n") +
         "\\bottomrule\n\\end{tabular}\n";
}

}  // namespace

std::string render(const TextTable& table, const std::string& format) {
  if (format == "latex") return latex(table);
  if (format == "markdown") return markdown(table);
  if (format == "csv") return all_lines(escaped(table, for_csv), {}, "", ",", "");
  const TextTable text = aligned(table);
  return all_lines(text, widths(text), "", "  ", "");
}

}  // namespace attnlab
