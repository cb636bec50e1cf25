// Normaliser, pre-tokeniser, post-processor and decoder of a tokenizer.json.
#include <algorithm>

#include "core/error.h"
#include "data/tokenizers/json_spec.h"

namespace attnlab {
namespace {

/// The members of a Sequence, or the step itself.
std::vector<JsonNode> steps_of(const JsonNode& node, const char* members) {
  if (node.text("type") != "Sequence") return {node};
  std::vector<JsonNode> all;
  for (const JsonNode& member : node.at(members).elements())
    for (JsonNode& step : steps_of(member, members)) all.push_back(std::move(step));
  return all;
}

/// The text that a Replace looks for, or that a Split cuts at.
std::string string_pattern(const JsonNode& step) {
  const JsonNode pattern = step.at("pattern");
  if (!pattern.has("String")) pattern.not_implemented("an expression in the place of a text");
  if (pattern.text("String").empty()) pattern.refuse("a text that is not empty");
  return pattern.text("String");
}

void read_normalizer(const JsonNode& root, JsonSpec& spec) {
  if (!root.has("normalizer")) return;
  for (const JsonNode& step : steps_of(root.at("normalizer"), "normalizers")) {
    const std::string type = step.text("type");
    if (type == "NFC")
      spec.normalizer.push_back({TextStepKind::nfc, {}, {}});
    else if (type == "Prepend")
      spec.normalizer.push_back({TextStepKind::prepend, step.text("prepend"), {}});
    else if (type == "Replace")
      spec.normalizer.push_back({TextStepKind::replace, step.text("content"), string_pattern(step)});
    else
      step.not_implemented(fmt::format("the normaliser {}", type));
  }
}

TextStepKind prepending(const JsonNode& step) {
  const std::string scheme = step.has("prepend_scheme") ? step.text("prepend_scheme") : "always";
  if (scheme == "always") return TextStepKind::prepend_once;
  if (scheme == "first") return TextStepKind::prepend_at_start;
  step.at("prepend_scheme").not_implemented("'" + scheme + "'");
}

void read_metaspace(const JsonNode& step, JsonCuts& cuts) {
  const std::string space = step.text("replacement");
  if (space.empty()) step.at("replacement").refuse("a character");
  cuts.steps.push_back({TextStepKind::replace, space, " "});
  const bool prepends = step.has("prepend_scheme") ? step.text("prepend_scheme") != "never"
                                                   : step.flag("add_prefix_space", true);
  if (prepends) cuts.steps.push_back({prepending(step), space, {}});
  if (step.flag("split", true)) cuts.before = space;
}

SplitRule split_rule(const JsonNode& step) {
  const JsonNode pattern = step.at("pattern");
  if (!pattern.has("Regex")) pattern.not_implemented("a text in the place of an expression");
  const std::string behaviour = step.text("behavior");
  const bool inverted = step.flag("invert", false);
  // The known expressions cover every text, so that to drop what they leave is to drop nothing.
  if (behaviour != (inverted ? "Removed" : "Isolated"))
    step.not_implemented(fmt::format("the behaviour {}{}", behaviour, inverted ? ", inverted" : ""));
  const auto rule = known_pattern(pattern.text("Regex"));
  if (!rule)
    pattern.not_implemented(fmt::format("an expression that begins with {}",
                                        pattern.value()["Regex"].dump(-1, ' ', true).substr(0, 60)));
  return *rule;
}

void read_byte_level(const JsonNode& step, JsonCuts& cuts) {
  if (step.flag("add_prefix_space", true)) step.not_implemented("add_prefix_space");
  if (step.flag("use_regex", true)) cuts.splits.push_back(SplitRule::gpt2);
  cuts.of_bytes = true;
}

void read_pre_tokenizer(const JsonNode& root, JsonSpec& spec) {
  if (!root.has("pre_tokenizer")) return;
  JsonCuts& cuts = spec.cuts;
  const std::vector<JsonNode> steps = steps_of(root.at("pre_tokenizer"), "pretokenizers");
  for (const JsonNode& step : steps) {
    const std::string type = step.text("type");
    const bool first = &step == &steps.front();
    if (cuts.of_bytes) step.not_implemented(type + " behind ByteLevel");
    if (type == "Digits")
      cuts.splits.push_back(step.flag("individual_digits", false) ? SplitRule::digits
                                                                  : SplitRule::digit_runs);
    else if (type == "Split")
      cuts.splits.push_back(split_rule(step));
    else if (type == "ByteLevel")
      read_byte_level(step, cuts);
    else if (type == "Metaspace" && first)
      read_metaspace(step, cuts);
    else
      step.not_implemented(
          fmt::format("the pre-tokeniser {}{}", type, type == "Metaspace" ? " behind another" : ""));
  }
}

/// Replace, ByteFallback, Fuse and perhaps Strip, as Llama's and Mistral's files have them.
void read_piece_decoder(const JsonNode& decoder, JsonSpec& spec) {
  const std::vector<JsonNode> steps = steps_of(decoder, "decoders");
  std::string order;
  for (const JsonNode& step : steps) order += (order.empty() ? "" : ", ") + step.text("type");
  const bool strips = order == "Replace, ByteFallback, Fuse, Strip";
  if (!strips && order != "Replace, ByteFallback, Fuse")
    decoder.not_implemented(fmt::format("{} where Replace, ByteFallback, Fuse and Strip would be", order));
  spec.decoder.space = string_pattern(steps[0]);
  if (steps[0].text("content") != " ") steps[0].at("content").not_implemented("another text than a space");
  if (!strips) return;
  const auto& strip = steps[3].value();
  if (steps[3].text("content") != " " || strip.value("start", nlohmann::json()) != 1 ||
      strip.value("stop", nlohmann::json()) != 0)
    steps[3].not_implemented("another rule than the first space");
  spec.decoder.drops_first_space = true;
}

void read_decoder(const JsonNode& root, JsonSpec& spec) {
  const JsonNode decoder = root.at("decoder");
  if (!spec.cuts.of_bytes) {
    read_piece_decoder(decoder, spec);
    return;
  }
  const std::vector<JsonNode> steps = steps_of(decoder, "decoders");
  if (steps.size() != 1 || steps[0].text("type") != "ByteLevel")
    decoder.not_implemented("another decoder than ByteLevel behind such a pre-tokeniser");
}

void read_template(const JsonNode& processor, JsonSpec& spec) {
  const std::vector<JsonNode> parts = processor.at("single").elements();
  if (parts.empty() || parts.size() > 2 || !parts.back().has("Sequence") || spec.first_token)
    processor.not_implemented("other tokens around a text than one before it");
  if (parts.size() == 1) return;
  if (!parts[0].has("SpecialToken")) processor.at("single").not_implemented("two texts");
  const std::string name = parts[0].at("SpecialToken").text("id");
  const std::vector<JsonNode> ids = processor.at("special_tokens").at(name).at("ids").elements();
  if (ids.size() != 1) processor.at("special_tokens").not_implemented("a token of several ids");
  spec.first_token = ids[0].token_id();
  if (*spec.first_token >= static_cast<int64_t>(spec.pieces.size())) ids[0].refuse("an id of the vocabulary");
}

}  // namespace

void read_json_steps(const JsonNode& root, JsonSpec& spec) {
  read_normalizer(root, spec);
  read_pre_tokenizer(root, spec);
  read_decoder(root, spec);
}

void read_post_processor(const JsonNode& root, JsonSpec& spec) {
  if (!root.has("post_processor")) return;
  for (const JsonNode& step : steps_of(root.at("post_processor"), "processors")) {
    const std::string type = step.text("type");
    if (type == "TemplateProcessing")
      read_template(step, spec);
    else if (type != "ByteLevel")  // which moves offsets alone
      step.not_implemented(fmt::format("the post-processor {}", type));
  }
}

}  // namespace attnlab
