// attnlab tokenize: what a tokenizer makes of texts, for other programs and for a look.
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_map.h"
#include "core/json_text.h"
#include "core/output.h"
#include "core/plain_text.h"
#include "run/commands.h"
#include "run/exit.h"

namespace attnlab {
namespace {

using nlohmann::json;

json json_of_line(const std::string& line, int64_t number, const char* expected) {
  json value = json_or_discarded(line);
  if (value.is_discarded()) user_error("line {} is no JSON where {} was expected", number, expected);
  return value;
}

std::string text_of_line(const std::string& line, int64_t number) {
  const json value = json_of_line(line, number, "a string");
  if (!value.is_string()) user_error("line {} is no JSON string", number);
  return value.get<std::string>();
}

std::vector<int64_t> ids_of_line(const std::string& line, int64_t number) {
  const json value = json_of_line(line, number, "a list of ids");
  std::vector<int64_t> ids;
  if (!value.is_array()) user_error("line {} is no JSON list of ids", number);
  for (const json& id : value) {
    if (!id.is_number_integer()) user_error("line {} holds {}, which is no id", number, json_text(id));
    ids.push_back(id.get<int64_t>());
  }
  return ids;
}

bool begins_with_bos(const Tokenizer& tokenizer, AddBos wanted) {
  if (wanted != AddBos::model) return wanted == AddBos::always;
  return tokenizer.adds_bos().value_or(tokenizer.bos_id().has_value());
}

json answer(const Tokenizer& tokenizer, const TokenizeOptions& options, const std::string& text) {
  const auto special = options.special_as_text ? SpecialTokens::as_text : SpecialTokens::as_tokens;
  const std::vector<int64_t> ids =
      tokenizer.encode(text, begins_with_bos(tokenizer, options.add_bos), special);
  if (!options.pieces) return ids;
  json pieces = json::array();
  for (const int64_t id : ids) pieces.push_back(tokenizer.piece(id));
  return pieces;
}

}  // namespace

int tokenize_command(const TokenizeOptions& options) {
  const Tokenizer tokenizer = Tokenizer::open(options.place);
  TextLines lines(std::cin, "standard input");
  StrayBytes stray;
  for (std::string line; lines.next(line);) {
    if (options.decode) {
      std::cout << json_text(json(tokenizer.decode(ids_of_line(line, lines.number())))) << '\n';
      continue;
    }
    stray.look_at(line, fmt::format("line {}", lines.number()));
    const std::string text = options.json ? text_of_line(line, lines.number()) : line;
    std::cout << json_text(answer(tokenizer, options, text)) << '\n';
  }
  flush_output(std::cout);
  stray.tell("lines", as_replacement);
  return exit_done;
}

}  // namespace attnlab
