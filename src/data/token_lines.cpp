#include "data/token_lines.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_nesting.h"
#include "core/json_text.h"
#include "core/log.h"
#include "core/shown.h"
#include "data/json_lines.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class TokenLines final : public Documents {
 public:
  explicit TokenLines(std::vector<Document> lines) : lines_(std::move(lines)) {}
  int64_t size() const override { return static_cast<int64_t>(lines_.size()); }
  const std::string& id(int64_t i) const override { return lines_[static_cast<std::size_t>(i)].id; }
  Document read(int64_t i) const override { return lines_[static_cast<std::size_t>(i)]; }

 private:
  std::vector<Document> lines_;
};

/// What nlohmann says is wrong, without its own name and number before it.
std::string reason_of(const json::exception& e) {
  const std::string_view what = e.what();
  const auto end = what.find("] ");
  return std::string(end == std::string_view::npos ? what : what.substr(end + 2));
}

int32_t id_of(const json& value, std::size_t index, const std::string& origin) {
  const bool whole = value.is_number_integer() && (value.is_number_unsigned() || value.get<int64_t>() >= 0);
  if (!whole || value.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int32_t>::max()))
    user_error("{}: token {} is {}; an id is a whole number from 0 to {}", origin, index,
               json_text(value).substr(0, 40), std::numeric_limits<int32_t>::max());
  return value.get<int32_t>();
}

}  // namespace

Document parse_token_line(std::string_view line, const std::string& origin, const std::string& default_id) {
  if (nests_too_deeply(line))
    user_error("{}: brackets nested more than {} deep hold no token ids", origin, deepest_json);
  json value;
  try {
    value = json::parse(line);
  } catch (const json::exception& e) {
    user_error("{}: not one JSON value, perhaps cut short: {}", origin, reason_of(e));
  }
  Document chunk{default_id, origin, "", {}};
  if (value.is_object()) {
    if (!value.contains("ids")) user_error("{}: the object has no \"ids\", a list of token ids", origin);
    if (const auto name = value.find("id"); name != value.end()) {
      if (!name->is_string()) user_error("{}: \"id\" must be a text", origin);
      chunk.id = name->get<std::string>();
    }
    value = json(value["ids"]);
  }
  if (!value.is_array()) user_error("{}: expected a list of token ids, or an object with \"ids\"", origin);
  chunk.ids.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) chunk.ids.push_back(id_of(value[i], i, origin));
  return chunk;
}

void check_ids(const Document& document, int64_t vocabulary) {
  for (std::size_t i = 0; i < document.ids.size(); ++i)
    if (document.ids[i] >= vocabulary)
      user_error("{}: token {} is {}, outside the model's vocabulary of {}", document.origin, i,
                 document.ids[i], vocabulary);
}

void TokenLinesOptions::visit(Fields& f) {
  f("path", path, OneOf{}, "file of JSON lines, each a list of token ids or an object with \"ids\"");
  f.require(!path.empty(), "path", "must name a file of JSON lines");
}

std::shared_ptr<Documents> TokenLinesOptions::open(const DataPlace&) const {
  if (!fs::is_regular_file(path)) user_error("there is no file {} to read token ids from", path);
  const std::string stem = shown_name(fs::path(path).stem().string());
  std::vector<Document> lines;
  for_each_line(path, [&](std::string_view line, int64_t number) {
    Document chunk =
        parse_token_line(line, fmt::format("{}:{}", path, number), fmt::format("{}:{}", stem, number));
    if (chunk.ids.empty())
      log_info("{} has no tokens: skipped", chunk.origin);
    else
      lines.push_back(std::move(chunk));
  });
  if (lines.empty()) user_error("{} holds no token ids", path);
  return std::make_shared<TokenLines>(std::move(lines));
}

}  // namespace attnlab
