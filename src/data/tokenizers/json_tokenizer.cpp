#include "data/tokenizers/json_tokenizer.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "core/error.h"
#include "core/json_map.h"
#include "core/utf8.h"
#include "data/tokenizers/bpe_model.h"
#include "data/tokenizers/byte_text.h"
#include "data/tokenizers/json_spec.h"
#include "data/tokenizers/special_names.h"
#include "data/unicode/characters.h"

namespace attnlab {
namespace {

/// What a piece is in a text.
std::string text_bytes(const JsonSpec& spec, const std::string& piece) {
  if (spec.cuts.of_bytes) return bytes_of_letters(piece).value_or(piece);
  if (const auto byte = byte_of_token(piece)) return std::string(1, static_cast<char>(*byte));
  return SteppedText(piece, {{TextStepKind::replace, " ", spec.decoder.space}}, false).string();
}

/// Whether a piece can be cut before `space`, wherever that follows something else: no rule joins across.
bool cuts_before(const JsonSpec& spec, const std::string& space) {
  if (space.empty()) return false;
  const auto id = spec.ids.find(space);
  if (id == spec.ids.end() || spec.bpe.ignore_merges || first_character(space).size != space.size())
    return false;
  return std::none_of(spec.merges.begin(), spec.merges.end(), [&](const auto& merge) {
    const auto piece = [&](std::size_t i) -> const std::string& {
      return spec.pieces[static_cast<std::size_t>(merge[i])];
    };
    return piece(1).starts_with(space) && !piece(0).ends_with(space);
  });
}

class JsonTokenizer final : public TokenizerImplementation {
 public:
  JsonTokenizer(JsonSpec spec, const SpecialNames& names);

  std::vector<int64_t> encode(std::string_view text, SpecialTokens special) const override {
    return run(text, special, false).ids;
  }
  Encoding encode_with_ends(std::string_view text) const override {
    return run(text, SpecialTokens::as_tokens, true);
  }
  std::string decode(std::span<const int64_t> ids) const override;
  std::unique_ptr<IdStream> stream(std::vector<int64_t> before) const override;

  int64_t size() const override { return static_cast<int64_t>(spec_.pieces.size()); }
  int64_t own_size() const override;
  const std::string& piece(int64_t id) const override { return spec_.pieces[static_cast<std::size_t>(id)]; }
  std::optional<int64_t> id_of(const std::string& piece) const override;
  std::string bytes_of(int64_t id) const override { return bytes_[static_cast<std::size_t>(id)]; }
  bool is_text(int64_t id) const override { return !bytes_of(id).empty(); }
  std::optional<int64_t> bos_id() const override { return bos_; }
  std::optional<int64_t> eos_id() const override { return eos_; }
  std::optional<bool> adds_bos() const override { return adds_bos_; }

  const std::string& text_of(int64_t id) const { return bytes_[static_cast<std::size_t>(id)]; }
  StrayBytesRule stray_rule() const {
    return spec_.cuts.of_bytes ? StrayBytesRule::one_a_sequence : StrayBytesRule::one_a_byte;
  }
  bool drops_first_space() const { return spec_.decoder.drops_first_space; }

 private:
  /// A call of encode: what it makes, and where it remembers pieces.
  struct Run {
    Encoding made;
    bool with_ends;
    SpecialTokens special;
    PieceCache* cache;
    std::vector<Symbol> space;
    void put(int64_t id, std::size_t end) {
      made.ids.push_back(id);
      if (with_ends) made.ends.push_back(static_cast<int64_t>(end));
    }
    std::span<int64_t> ends_from(std::size_t first) { return std::span(made.ends).subspan(first); }
  };

  void fill_model();
  void fill_added();
  Encoding run(std::string_view text, SpecialTokens special, bool with_ends) const;
  void put_section(std::string_view section, std::size_t begin, Run& run) const;
  void put_part(std::string_view part, bool at_start, Run& run) const;
  void put_split(std::string_view text, std::size_t begin, std::size_t rule, Run& run) const;
  void put_piece(std::string_view piece, std::size_t begin, Run& run) const;

  JsonSpec spec_;
  BpeModel model_;
  std::vector<std::string> bytes_;  ///< by id; empty for special tokens
  AddedTokens raw_, normalised_;
  std::string cut_before_;  ///< the runs of it begin a piece, for the cache's sake
  std::unordered_map<std::string_view, int64_t> id_of_piece_;
  std::optional<int64_t> bos_, eos_;
  bool adds_bos_ = false;
  mutable std::mutex cache_lock_;
  mutable PieceCache cache_;
};

BpeOptions with_bytes(BpeOptions options, bool of_bytes) {
  options.of_bytes = of_bytes;
  if (of_bytes) options.byte_fallback = false;  // every byte is a piece
  return options;
}

JsonTokenizer::JsonTokenizer(JsonSpec spec, const SpecialNames& names)
    : spec_(std::move(spec)), model_(with_bytes(spec_.bpe, spec_.cuts.of_bytes)) {
  for (std::size_t id = 0; id < spec_.pieces.size(); ++id) {
    bytes_.push_back(text_bytes(spec_, spec_.pieces[id]));
    id_of_piece_.emplace(spec_.pieces[id], static_cast<int64_t>(id));
  }
  fill_model();
  fill_added();
  if (spec_.cuts.splits.empty() && spec_.cuts.before.empty() && cuts_before(spec_, spec_.decoder.space))
    cut_before_ = spec_.decoder.space;
  bos_ = spec_.first_token ? spec_.first_token : names.bos ? id_of(*names.bos) : std::nullopt;
  if (names.eos) eos_ = id_of(*names.eos);
  adds_bos_ = names.adds_bos.value_or(spec_.first_token.has_value());
  spec_.ids.clear();
  spec_.merges.clear();
}

void JsonTokenizer::fill_model() {
  for (const auto& [piece, id] : spec_.ids) {
    const auto bytes = spec_.cuts.of_bytes ? bytes_of_letters(piece) : std::optional(piece);
    if (!bytes || bytes->empty()) continue;
    model_.add_whole(*bytes, id);
    if (spec_.cuts.of_bytes && bytes->size() == 1)
      model_.add_byte(static_cast<unsigned char>((*bytes)[0]), id);
    if (spec_.cuts.of_bytes) continue;
    if (const Character first = first_character(piece); first.size == piece.size())
      model_.add_character(first.code, id);
    if (const auto byte = byte_of_token(piece)) model_.add_byte(*byte, id);
  }
  for (const auto& [left, right, merged] : spec_.merges) model_.add_merge(left, right, merged);
}

// Special tokens come first where two would be found by the same text. What is decoded is the text that is
// found
// (`tokenizers` reads even it in ByteLevel's alphabet, which breaks "Ångström").
void JsonTokenizer::fill_added() {
  for (const bool special : {true, false})
    for (const AddedToken& token : spec_.added) {
      if (token.special != special) continue;
      const SteppedText found(token.content, token.normalized ? spec_.normalizer : std::vector<TextStep>(),
                              true);
      (token.normalized ? normalised_ : raw_).add(found.string(), token);
      std::string& bytes = bytes_[static_cast<std::size_t>(token.id)];
      bytes = special ? "" : spec_.cuts.of_bytes ? found.string() : text_bytes(spec_, found.string());
    }
}

Encoding JsonTokenizer::run(std::string_view text, SpecialTokens special, bool with_ends) const {
  const std::unique_lock lock(cache_lock_, std::try_to_lock);  // another thread goes without
  Run run{{}, with_ends, special, lock ? &cache_ : nullptr, {}};
  const bool clean = is_utf8(text);
  const ChangedText cleaned = clean ? ChangedText{} : well_formed(text);
  const std::string_view all = clean ? text : cleaned.text;
  for (const auto& [id, begin, end] : raw_.split(all, special == SpecialTokens::as_text))
    if (id >= 0)
      run.put(id, end);
    else
      put_section(all.substr(begin, end - begin), begin, run);
  if (!clean) cleaned.map.to_original(run.made.ends);
  return std::move(run.made);
}

/// What stands between the added tokens of the raw text.
void JsonTokenizer::put_section(std::string_view section, std::size_t begin, Run& run) const {
  const std::size_t first = run.made.ends.size();
  const SteppedText text(section, spec_.normalizer, begin == 0);
  for (const auto& [id, from, to] : normalised_.split(text.text(), run.special == SpecialTokens::as_text)) {
    if (id >= 0) {
      run.put(id, to);
      continue;
    }
    const std::size_t part = run.made.ends.size();
    put_part(text.text().substr(from, to - from), begin == 0 && from == 0, run);
    for (int64_t& end : run.ends_from(part)) end += static_cast<int64_t>(from);
  }
  text.to_original(run.ends_from(first));
  for (int64_t& end : run.ends_from(first)) end += static_cast<int64_t>(begin);
}

void JsonTokenizer::put_part(std::string_view part, bool at_start, Run& run) const {
  const std::size_t first = run.made.ends.size();
  const SteppedText stepped(part, spec_.cuts.steps, at_start);
  const std::string_view text = stepped.text();
  const std::string& before = spec_.cuts.before;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = before.empty() ? text.npos : text.find(before, begin + 1);
    put_split(text.substr(begin, end - begin), begin, 0, run);
    begin = std::min(end, text.size());
  }
  stepped.to_original(run.ends_from(first));
}

void JsonTokenizer::put_split(std::string_view text, std::size_t begin, std::size_t rule, Run& run) const {
  if (rule == spec_.cuts.splits.size()) {
    put_piece(text, begin, run);
    return;
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = first_piece(spec_.cuts.splits[rule], text.substr(at));
    put_split(text.substr(at, size), begin + at, rule + 1, run);
    at += size;
  }
}

void JsonTokenizer::put_piece(std::string_view piece, std::size_t begin, Run& run) const {
  for (std::size_t at = 0; at < piece.size();) {
    std::size_t end = piece.size();
    if (!cut_before_.empty()) {
      std::size_t word = at;
      while (piece.substr(word).starts_with(cut_before_)) word += cut_before_.size();
      end = std::min(end, piece.find(cut_before_, std::max(word, at + 1)));
    }
    for (const Symbol& symbol : model_.encode(piece.substr(at, end - at), run.cache, run.space))
      run.put(symbol.id, begin + at + symbol.end);
    at = end;
  }
}

std::optional<int64_t> JsonTokenizer::id_of(const std::string& piece) const {
  const auto found = id_of_piece_.find(piece);
  return found == id_of_piece_.end() || piece.empty() ? std::nullopt : std::optional(found->second);
}

int64_t JsonTokenizer::own_size() const {
  int64_t size = 0;
  for (const auto& [piece, id] : spec_.ids) size = std::max(size, static_cast<int64_t>(id) + 1);
  return size;
}

/// Special tokens are silent; the first space may be.
class JsonStream final : public IdStream {
 public:
  explicit JsonStream(const JsonTokenizer& tokenizer)
      : tokenizer_(tokenizer), text_(tokenizer.stray_rule()), drops_space_(tokenizer.drops_first_space()) {}
  std::string push(int64_t id) override {
    std::string_view bytes = tokenizer_.text_of(id);
    if (drops_space_ && !bytes.empty()) {
      if (bytes.front() == ' ') bytes.remove_prefix(1);
      drops_space_ = false;
    }
    return text_.push(bytes);
  }
  std::string finish() override { return text_.finish(); }

 private:
  const JsonTokenizer& tokenizer_;
  ByteText text_;
  bool drops_space_;
};

std::unique_ptr<IdStream> JsonTokenizer::stream(std::vector<int64_t> before) const {
  auto stream = std::make_unique<JsonStream>(*this);
  for (const int64_t id : before) stream->push(id);
  return stream;
}

std::string JsonTokenizer::decode(std::span<const int64_t> ids) const {
  JsonStream stream(*this);
  std::string text;
  for (const int64_t id : ids) text += stream.push(id);
  return text + stream.finish();
}

}  // namespace

JsonSpec read_json_spec(const std::filesystem::path& path) {
  const nlohmann::json map = read_json_map(path, no_json);
  const JsonNode root(map, path.string());
  if (!root.has("model")) user_error("{} is no tokenizer.json: it has no key 'model'", path.string());
  JsonSpec spec;
  spec.file = path.string();
  read_json_model(root, spec);
  read_added_tokens(root, spec);
  read_json_steps(root, spec);
  read_post_processor(root, spec);
  check_unknown(root, spec);
  return spec;
}

std::unique_ptr<const TokenizerImplementation> open_json_tokenizer(const std::filesystem::path& path) {
  return std::make_unique<JsonTokenizer>(read_json_spec(path), read_special_names(path));
}

void check_same_vocabulary(const TokenizerImplementation& json, const std::string& json_file,
                           const TokenizerImplementation& model, const std::string& model_file) {
  if (json.size() < model.size())
    user_error("{} has {} pieces and {} has {}: they are two vocabularies; take one of them away", json_file,
               json.size(), model_file, model.size());
  for (int64_t id = 0; id < model.size(); ++id)
    if (json.piece(id) != model.piece(id))
      user_error("{} has '{}' as piece {} and {} has '{}': they are two vocabularies; take one of them away",
                 json_file, json.piece(id), id, model_file, model.piece(id));
}

}  // namespace attnlab
