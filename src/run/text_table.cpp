#include "run/text_table.h"

#include <algorithm>
#include <functional>
#include <string_view>

namespace attnlab {
namespace {

using Row = std::vector<std::string>;
using Escape = std::function<std::string(const std::string&)>;

/// Columns on a screen: bytes of UTF-8 that are not continuations.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

std::vector<std::size_t> widths(const TextTable& table) {
  std::vector<std::size_t> most;
  for (const auto& cell : table.header) most.push_back(width(cell));
  for (const auto& row : table.rows)
    for (std::size_t c = 0; c < row.size(); ++c) most[c] = std::max(most[c], width(row[c]));
  return most;
}

/// Cells between `open`, `between` and `close`, padded to `most` where that is given.
std::string line(const Row& row, const std::vector<std::size_t>& most, const Escape& escape,
                 std::string_view open, std::string_view between, std::string_view close) {
  std::string text(open);
  for (std::size_t c = 0; c < row.size(); ++c) {
    const std::string cell = escape(row[c]);
    if (c) text += between;
    text += cell;
    const bool last = c + 1 == row.size() && close.empty();
    if (!most.empty() && !last && most[c] > width(cell)) text += std::string(most[c] - width(cell), ' ');
  }
  return text + std::string(close) + "\n";
}

std::string as_is(const std::string& cell) { return cell; }

std::string for_csv(const std::string& cell) {
  if (cell.find_first_of(",\"\n\r") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string for_markdown(const std::string& cell) {
  std::string text;
  for (const char c : cell) text += c == '|' ? std::string("\\|") : std::string(1, c);
  return text;
}

std::string for_latex(const std::string& cell) {
  std::string text;
  for (const char c : cell) {
    if (std::string_view("&%$#_{}").find(c) != std::string_view::npos)
      text += std::string("\\") + c;
    else if (c == '\\')
      text += "\\textbackslash{}";
    else
      text += c;
  }
  for (std::size_t at; (at = text.find("±")) != std::string::npos;)
    text.replace(at, std::string("±").size(), "$\\pm$");
  return text;
}

std::string latex(const TextTable& table) {
  std::string text = "\\begin{tabular}{" + std::string(table.header.size(), 'l') + "}\n\\toprule\n";
  text += line(table.header, {}, for_latex, "", " & ", " \\\\") + "\\midrule\n";
  for (const auto& row : table.rows) text += line(row, {}, for_latex, "", " & ", " \\\\");
  return text + "\\bottomrule\n\\end{tabular}\n";
}

}  // namespace

std::string render(const TextTable& table, const std::string& format) {
  std::string text;
  if (format == "latex") return latex(table);
  if (format == "csv") {
    text += line(table.header, {}, for_csv, "", ",", "");
    for (const auto& row : table.rows) text += line(row, {}, for_csv, "", ",", "");
    return text;
  }
  const auto most = widths(table);
  if (format == "markdown") {
    Row rule;
    for (const auto w : most) rule.emplace_back(w, '-');
    text += line(table.header, most, for_markdown, "| ", " | ", " |");
    text += line(rule, most, as_is, "| ", " | ", " |");
    for (const auto& row : table.rows) text += line(row, most, for_markdown, "| ", " | ", " |");
    return text;
  }
  text += line(table.header, most, as_is, "", "  ", "");
  for (const auto& row : table.rows) text += line(row, most, as_is, "", "  ", "");
  return text;
}

}  // namespace attnlab
