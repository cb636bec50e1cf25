#include "core/plain_text.h"

#include <algorithm>
#include <array>
#include <istream>

#include "core/error.h"
#include "core/log.h"
#include "core/utf8.h"

namespace attnlab {
namespace {

using namespace std::literals;

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t looked_at = 1 << 16;  // bytes, of a text without a mark

/// How many NULs stand at positions 0, 1, 2 and 3 of each four bytes.
std::array<std::size_t, 4> count_nuls(std::string_view bytes) {
  std::array<std::size_t, 4> nuls{};
  for (std::size_t i = 0; i < bytes.size(); ++i) nuls[i % 4] += bytes[i] == '\0';
  return nuls;
}

/// Characters of most scripts, and spaces of all, have a NUL for their upper byte; no character but NUL
/// itself has one for its lower byte and its upper byte alike.
std::optional<std::string> encoding_by_nuls(std::string_view bytes) {
  const auto nuls = count_nuls(bytes);
  const std::size_t quads = bytes.size() / 4, pairs = std::max<std::size_t>(bytes.size() / 2, 1);
  if (quads > 0 && nuls[3] >= quads && 2 * nuls[2] >= quads && nuls[0] < quads) return "UTF-32LE";
  if (quads > 0 && nuls[0] >= quads && 2 * nuls[1] >= quads && nuls[3] < quads) return "UTF-32BE";
  const auto stand_apart = [&](std::size_t upper, std::size_t lower) {
    const bool many = 2 * upper >= pairs || (upper > 2 && 10 * upper >= pairs);
    return many && upper > 0 && upper >= 10 * lower;
  };
  if (stand_apart(nuls[1] + nuls[3], nuls[0] + nuls[2])) return "UTF-16LE";
  if (stand_apart(nuls[0] + nuls[2], nuls[1] + nuls[3])) return "UTF-16BE";
  return std::nullopt;
}

std::optional<std::string> encoding_by_mark(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE\0\0"sv) || bytes.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
  if (bytes.starts_with("\xFF\xFE"sv) || bytes.starts_with("\xFE\xFF"sv)) return "UTF-16";
  return std::nullopt;
}

void refuse_encoding(const std::optional<std::string>& encoding, const std::string& origin) {
  if (encoding)
    user_error("{} is in {}, and texts are read as UTF-8: `iconv -f {} -t UTF-8` converts it", origin,
               *encoding, *encoding);
}

/// Of UTF-8.
int64_t characters_in(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

void remove_mark(std::string& text) {
  if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
}

}  // namespace

std::string universal_newlines(std::string text) {
  std::size_t to = 0;
  for (std::size_t from = 0; from < text.size(); ++from) {
    if (text[from] != '\r')
      text[to++] = text[from];
    else if (from + 1 == text.size() || text[from + 1] != '\n')
      text[to++] = '\n';
  }
  text.resize(to);
  return text;
}

std::optional<std::string> wide_encoding(std::string_view bytes) {
  if (auto encoding = encoding_by_mark(bytes)) return encoding;
  if (bytes.size() < 2) return std::nullopt;
  return encoding_by_nuls(bytes.substr(0, looked_at));
}

void refuse_wide_encoding(std::string_view bytes, const std::string& origin) {
  refuse_encoding(wide_encoding(bytes), origin);
}

std::optional<std::string> stray_byte_of(std::string_view bytes) {
  const std::size_t at = first_stray_byte(bytes);
  if (at == bytes.size()) return std::nullopt;
  const std::string_view before = bytes.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const bool has_lines = bytes.find('\n') < bytes.size() - 1;
  const auto column = 1 + characters_in(before.substr(before.rfind('\n') + 1));
  return fmt::format(
      "is not UTF-8: byte 0x{:02X} at {}column {} (iconv -f LATIN1 -t UTF-8 converts it, if it is Latin-1)",
      static_cast<unsigned char>(bytes[at]), has_lines ? fmt::format("line {}, ", line) : "", column);
}

std::string plain_text(std::string bytes, const std::string& origin) {
  refuse_wide_encoding(bytes, origin);
  remove_mark(bytes);
  return universal_newlines(std::move(bytes));
}

bool TextLines::next(std::string& line) {
  const bool ended = read_to_end_of_line(line);
  if (!begun_) look_at_beginning(line);
  if (!ended && line.empty()) return false;
  ++number_;
  if (!rules_.lone_cr && line.ends_with('\r')) line.pop_back();
  return true;
}

/// False where the stream came to its end before the line.
bool TextLines::read_to_end_of_line(std::string& line) {
  constexpr int end = std::char_traits<char>::eof();
  line.clear();
  std::streambuf& bytes = *in_.rdbuf();
  for (int byte = bytes.sbumpc(); byte != end; byte = bytes.sbumpc()) {
    const char c = std::char_traits<char>::to_char_type(byte);
    if (!begun_) beginning_ += c;
    const bool rest_of_crlf = c == '\n' && after_cr_ && rules_.lone_cr;
    after_cr_ = c == '\r';
    if (rest_of_crlf) continue;
    if (c == '\n' || (c == '\r' && rules_.lone_cr)) return true;
    line += c;
  }
  return false;
}

/// Lines without a character leave open what the encoding is: those of UTF-16 hold a NUL.
void TextLines::look_at_beginning(std::string& line) {
  refuse_encoding(rules_.by_nuls ? wide_encoding(beginning_) : encoding_by_mark(beginning_), origin_);
  if (number_ == 0) remove_mark(line);
  begun_ = !rules_.by_nuls || std::any_of(line.begin(), line.end(), [](char c) { return c != '\0'; });
  if (begun_) beginning_ = {};
}

void StrayBytes::Kind::found(std::string_view text, std::size_t at, const std::string& origin) {
  if (count++ > 0) return;
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  const bool has_lines = text.find('\n') != std::string_view::npos;
  first = fmt::format("{}{}: byte 0x{:02x}", origin, has_lines ? fmt::format(", line {}", line) : "",
                      static_cast<unsigned char>(text[at]));
}

void StrayBytes::look_at(std::string_view text, const std::string& origin) {
  ++texts_;
  if (const auto at = first_stray_byte(text); at < text.size()) stray_.found(text, at, origin);
  if (const auto at = text.find('\0'); at != std::string_view::npos) nul_.found(text, at, origin);
}

void StrayBytes::tell(const char* what, const char* read) const {
  if (stray_.count > 0)
    log_info("{} of {} {} are not UTF-8 (the first: {}); such bytes are {}", stray_.count, texts_, what,
             stray_.first, read);
  if (nul_.count > 0)
    log_info("{} of {} {} hold NULs (the first: {}); they are read as they are", nul_.count, texts_, what,
             nul_.first);
}

}  // namespace attnlab
