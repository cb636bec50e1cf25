#include "data/tokenizers/json_node.h"

#include "core/error.h"
#include "core/json_text.h"

namespace attnlab {
namespace {

/// The beginning of a value, in whole characters.
std::string beginning(const nlohmann::json& value) {
  std::string text = json_text(value);
  if (text.size() <= 80) return text;
  std::size_t end = 77;
  while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

}  // namespace

bool JsonNode::has(const std::string& key) const {
  if (!value_->is_object()) refuse("a map");
  const auto found = value_->find(key);
  return found != value_->end() && !found->is_null();
}

JsonNode JsonNode::at(const std::string& key) const {
  const std::string path = where_.empty() ? key : where_ + "." + key;
  if (!has(key)) user_error("{} lacks the key '{}'", file_, path);
  return {value_->at(key), file_, path};
}

std::vector<JsonNode> JsonNode::elements() const {
  if (!value_->is_array()) refuse("a list");
  std::vector<JsonNode> all;
  for (std::size_t i = 0; i < value_->size(); ++i)
    all.emplace_back((*value_)[i], file_, fmt::format("{}[{}]", where_, i));
  return all;
}

std::string JsonNode::text() const {
  if (!value_->is_string()) refuse("a text");
  return value_->get<std::string>();
}

int64_t JsonNode::token_id() const {
  if (!value_->is_number_unsigned() || value_->get<uint64_t>() > static_cast<uint64_t>(largest_token_id))
    refuse("a token id");
  return value_->get<int64_t>();
}

bool JsonNode::flag(const std::string& key, bool otherwise) const {
  if (!has(key)) return otherwise;
  const JsonNode node = at(key);
  if (!node.value_->is_boolean()) node.refuse("true or false");
  return node.value_->get<bool>();
}

void JsonNode::refuse(const std::string& expected) const {
  user_error("{}: '{}' is {} where {} was expected", file_, where_, beginning(*value_), expected);
}

void JsonNode::not_implemented(const std::string& what) const {
  user_error("{}: '{}' has {}, which is not implemented", file_, where_, what);
}

}  // namespace attnlab
