#include "config/reader.h"

#include <algorithm>
#include <cmath>
#include <regex>
#include <set>

#include "config/explain.h"
#include "config/former_words.h"
#include "config/problems.h"
#include "config/scalars.h"
#include "config/text.h"
#include "core/error.h"
#include "core/log.h"

namespace attnlab {
namespace {

using Kind = Tree::Kind;

/// One map of keys on the way down.
struct Scope {
  const Tree* map = nullptr;  ///< null where the file is silent
  std::string path;
  Mark mark;                       ///< of the section's key, or of the nearest one around it that is written
  std::vector<std::string> known;  ///< keys that the options have
  std::set<std::string> bad;       ///< keys whose value was refused
  AnyChoice* chosen = nullptr;     ///< the choice whose keys these are
  bool type_known = true;          ///< false: the type is unknown or was to come from a missing include
};

struct UnknownKey {
  Mark mark;
  std::string key, path, parent;
  std::vector<std::string> siblings;
  std::string belongs_to;  ///< "; it belongs to luna, but type is softmax"
};

class Reader final : public Fields {
 public:
  explicit Reader(const Config& config) : config_(config), problems_(config.problems) {
    Scope root;
    root.map = &config.tree;
    root.mark = {config.tree.mark.file, 0, 0};
    scopes_.push_back(std::move(root));
  }

  void finish() {
    report_unknown_in(scopes_.back());
    for (const UnknownKey& u : unknown_) report(u.mark, u.path, "unknown key" + hint(u));
    throw_if_any(problems_);
  }

  void require(bool holds, std::string_view key, const std::string& sentence) override {
    const Scope& scope = scopes_.back();
    if (holds || config_.incomplete || concerns_bad_value(scope, key, sentence)) return;
    const Tree* value = scope.map ? scope.map->find(key) : nullptr;
    report(value ? value->key_mark : scope.mark, joined_path(scope.path, key), sentence);
  }

 private:
  // --- scalars
  void field(std::string_view name, bool& value, const Note&) override {
    if (const Tree* t = enter(name)) read(name, *t, value);
  }
  void field(std::string_view name, int64_t& value, Range range, const Note&) override {
    if (const Tree* t = enter(name)) read(name, *t, value, range);
  }
  void field(std::string_view name, double& value, Range range, const Note&) override {
    if (const Tree* t = enter(name)) read(name, *t, value, range);
  }
  void field(std::string_view name, std::string& value, const OneOf& words, const Note&) override {
    if (const Tree* t = enter(name)) read(name, *t, value, words);
  }
  void field(std::string_view name, std::vector<int64_t>& value, Range range, const Note&) override {
    read_list(name, value, range, "whole numbers");
  }
  void field(std::string_view name, std::vector<double>& value, Range range, const Note&) override {
    read_list(name, value, range, "numbers");
  }
  void field(std::string_view name, std::vector<std::string>& value, const OneOf& words,
             const Note&) override {
    read_list(name, value, words, "texts");
  }

  void read(std::string_view name, const Tree& tree, bool& value) {
    if (const auto b = to_bool(tree))
      value = *b;
    else
      refuse(name, tree, "expected true or false, got " + in_words(tree));
  }

  void read(std::string_view name, const Tree& tree, int64_t& value, Range range) {
    const auto number = to_integer(tree);
    if (!number && too_large(tree)) return refuse(name, tree, out_of_bounds(tree.text, range, true));
    if (!number) return refuse(name, tree, "expected a whole number, got " + number_in_words(tree));
    const auto v = static_cast<double>(*number);
    if (v < range.low || v > range.high) return refuse(name, tree, out_of_bounds(tree.text, range, true));
    value = *number;
  }

  void read(std::string_view name, const Tree& tree, double& value, Range range) {
    const auto number = to_double(tree);
    if (!number) return refuse(name, tree, "expected a number, got " + number_in_words(tree));
    if (*number < range.low || *number > range.high)
      return refuse(name, tree, out_of_bounds(tree.text, range, false));
    value = *number;
  }

  void read(std::string_view name, const Tree& tree, std::string& value, const OneOf& words) {
    if (tree.kind != Kind::scalar) return refuse(name, tree, "expected text, got " + in_words(tree));
    const auto& all = words.words;
    const auto is_one = [&](const std::string& word) {
      return all.empty() || std::find(all.begin(), all.end(), word) != all.end();
    };
    const std::string now = is_one(tree.text) ? tree.text : std::string(word_now(name, tree.text));
    if (!is_one(now))
      return refuse(name, tree,
                    "expected one of " + listed(all) + ", got " + in_words(tree) + close_to(tree.text, all));
    if (now != tree.text)
      log_info("{}", problem_line(tree.mark, joined_path(scopes_.back().path, name),
                                  fmt::format("'{}' is called {} now", tree.text, now)));
    value = now;
  }

  template <class Item, class Bounds>
  void read_list(std::string_view name, std::vector<Item>& value, const Bounds& bounds, const char* items) {
    const Tree* tree = enter(name);
    if (!tree) return;
    if (tree->kind != Kind::list)
      return refuse(name, *tree, fmt::format("expected a list of {}, got {}", items, in_words(*tree)));
    std::vector<Item> all(tree->children.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      read(fmt::format("{}[{}]", name, i), tree->children[i], all[i], bounds);
    value = std::move(all);
  }

  // --- nesting
  void section(std::string_view name, const Note&, const std::function<void()>& inside) override {
    const Tree* tree = enter(name);
    const bool is_map = !tree || tree->kind == Kind::map;
    if (!is_map) refuse(name, *tree, "expected a map of keys, got " + in_words(*tree));
    visit_scope(scope_of(name, tree, is_map), inside);
  }

  void optional_section(std::string_view name, bool& on, const Note&,
                        const std::function<void()>& inside) override {
    const Tree* tree = enter(name);
    const bool switched_off = tree && tree->kind == Kind::scalar && tree->text == "none";
    const bool is_map = !tree || tree->kind == Kind::map;
    if (tree && !switched_off) on = true;
    if (switched_off) on = false;
    if (!is_map && !switched_off)
      refuse(name, *tree, "expected a map of keys or none, got " + in_words(*tree));
    visit_scope(scope_of(name, tree, is_map), inside);
  }

  void choice(std::string_view name, AnyChoice& value, const Note&) override {
    const Tree* tree = enter(name);
    const bool is_map = tree && tree->kind == Kind::map;
    const Tree* type = is_map ? tree->find("type") : tree;
    Scope scope = scope_of(name, tree, is_map);
    scope.chosen = &value;
    scope.known.push_back("type");
    paths_.push_back(joined_path(scope.path, "type"));
    const bool refused = type && !select(is_map ? scope.path + ".type" : scope.path, *type, value);
    if (refused) scopes_.back().bad.insert(std::string(name));
    scope.type_known = !refused && (type || !config_.incomplete);
    visit_scope(std::move(scope), [&] { visit_chosen(value, refused); });
  }

  void spread_choice(std::string_view name, AnyChoice& value, const Note& note) override {
    const Tree* type = enter(name);
    Scope& scope = scopes_.back();
    scope.chosen = &value;
    const bool missing = !type && note.required && !config_.incomplete;
    const bool refused = type && !select(joined_path(scope.path, name), *type, value);
    if (refused || missing || (!type && config_.incomplete)) scope.type_known = false;
    if (missing && !scope.bad.contains(std::string(name)))
      report(scope.mark, joined_path(scope.path, name), "is missing; choose from " + listed(names_of(value)));
    visit_chosen(value, refused || missing);
  }

  /// Reads the component's keys. Where its name was refused they belong to another one, so nothing is said of
  /// them.
  void visit_chosen(AnyChoice& value, bool refused) {
    const bool outer = std::exchange(silent_, silent_ || refused);
    value.component().visit(*this);
    silent_ = outer;
  }

  static std::vector<std::string> names_of(const AnyChoice& value) {
    std::vector<std::string> names;
    for (const auto& [name, meaning] : value.names()) names.push_back(name);
    return names;
  }

  /// Chooses the component, unless it is the one already chosen: its options may have defaults of their own
  /// there.
  bool select(const std::string& path, const Tree& type, AnyChoice& value) {
    const std::vector<std::string> names = names_of(value);
    if (type.kind == Kind::scalar && (type.text == value.name() || value.select(type.text))) return true;
    const std::string found = type.kind == Kind::scalar ? close_to(type.text, names) : "";
    if (type.kind == Kind::null)
      report(type.key_mark, path, "has no value; choose from " + listed(names));
    else
      report(type.mark, path, "expected one of " + listed(names) + ", got " + in_words(type) + found);
    return false;
  }

  Scope scope_of(std::string_view name, const Tree* tree, bool is_map) const {
    Scope scope;
    scope.map = is_map ? tree : nullptr;
    scope.path = joined_path(scopes_.back().path, name);
    scope.mark = tree ? tree->key_mark : scopes_.back().mark;
    return scope;
  }

  void visit_scope(Scope scope, const std::function<void()>& inside) {
    scopes_.push_back(std::move(scope));
    inside();
    report_unknown_in(scopes_.back());
    scopes_.pop_back();
  }

  // --- keys
  /// Notes that the key exists. Returns its value; null when absent or refused for having none.
  const Tree* enter(std::string_view name) {
    Scope& scope = scopes_.back();
    scope.known.emplace_back(name);
    paths_.push_back(joined_path(scope.path, name));
    const Tree* tree = scope.map ? scope.map->find(name) : nullptr;
    if (!tree || tree->kind != Kind::null) return tree;
    scope.bad.emplace(name);
    report(tree->key_mark, paths_.back(), "has no value");
    return nullptr;
  }

  void report_unknown_in(const Scope& scope) {
    if (!scope.map || !scope.type_known || silent_) return;
    for (const Tree& child : scope.map->children)
      if (std::find(scope.known.begin(), scope.known.end(), child.key) == scope.known.end())
        unknown_.push_back({child.key_mark, child.key, joined_path(scope.path, child.key), scope.path,
                            scope.known, other_owner(scope, child.key)});
  }

  /// Which components of the same family have the key that the chosen one lacks.
  static std::string other_owner(const Scope& scope, const std::string& key) {
    if (!scope.chosen) return "";
    std::vector<std::string> owners;
    for (const auto& [name, meaning] : scope.chosen->names()) {
      const auto keys = describe(*scope.chosen->fresh(name));
      if (std::any_of(keys.begin(), keys.end(), [&](const Described& d) { return d.name == key; }))
        owners.push_back(name);
    }
    return owners.empty()
               ? ""
               : fmt::format("; it belongs to {}, but the type is {}", listed(owners), scope.chosen->name());
  }

  /// The nearest name beside the unknown key; or the place where such a key does exist; or all names.
  std::string hint(const UnknownKey& u) const {
    if (!u.belongs_to.empty()) return u.belongs_to;
    if (const std::string close = nearest(u.key, u.siblings); !close.empty())
      return fmt::format("; did you mean '{}'?", u.mark.line ? close : joined_path(u.parent, close));
    for (const auto& path : paths_)
      if (split_path(path).back() == u.key) return fmt::format("; did you mean '{}'?", path);
    if (u.siblings.empty()) return "; there is none to be set here";
    return "; choose from " + listed(u.siblings);
  }

  // --- sentences
  /// ", …" only where something is close, since the words were listed already.
  static std::string close_to(const std::string& word, const std::vector<std::string>& words) {
    const std::string close = nearest(word, words);
    return close.empty() ? "" : fmt::format("; did you mean '{}'?", close);
  }

  static std::string number_in_words(const Tree& tree) {
    if (looks_octal(tree)) return tree.text + ", which some read as octal; write it without the leading 0";
    return in_words(tree);
  }

  static bool too_large(const Tree& tree) {
    const auto number = to_double(tree);
    constexpr double exact = 9007199254740992.0;
    return number && std::abs(*number) > exact;
  }

  static std::string out_of_bounds(const std::string& text, Range range, bool whole) {
    const std::string bounds = bounds_in_words(range, whole);
    return text + (bounds.empty() ? " does not fit into 64 bits" : " is out of range; it must be " + bounds);
  }

  /// Whether a rule reads a value that was refused already, so that it speaks about a default nobody wrote:
  /// the key itself, or one whose name is in the sentence.
  static bool concerns_bad_value(const Scope& scope, std::string_view key, const std::string& sentence) {
    return std::any_of(scope.bad.begin(), scope.bad.end(), [&](const std::string& bad) {
      return bad == key || std::regex_search(sentence, std::regex("\\b" + bad + "\\b"));
    });
  }

  void refuse(std::string_view name, const Tree& tree, const std::string& sentence) {
    Scope& scope = scopes_.back();
    scope.bad.emplace(name.substr(0, name.find('[')));
    const bool empty = tree.kind == Kind::null;
    report(tree.mark, joined_path(scope.path, name), empty ? "has no value" : sentence);
  }

  void report(const Mark& mark, const std::string& path, const std::string& sentence) {
    if (!silent_) problems_.push_back(problem_line(mark, path, sentence));
  }

  const Config& config_;
  std::vector<std::string> problems_;
  std::vector<Scope> scopes_;
  std::vector<UnknownKey> unknown_;
  bool silent_ = false;
  std::vector<std::string> paths_;  ///< of every key that the options have
};

}  // namespace

void read_fields(const Config& config, const std::function<void(Fields&)>& visit) {
  Reader reader(config);
  visit(reader);
  reader.finish();
}

}  // namespace attnlab
