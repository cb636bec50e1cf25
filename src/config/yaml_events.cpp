#include "config/yaml_events.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/node/node.h>
#include <yaml-cpp/node/parse.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <optional>
#include <sstream>

#include "config/problems.h"
#include "core/error.h"

namespace attnlab {
namespace {

using Kind = Tree::Kind;

constexpr std::size_t most_nodes = 200'000;  // aliases of aliases grow exponentially

std::size_t count_nodes(const Tree& tree) {
  std::size_t n = 1;
  for (const Tree& child : tree.children) n += count_nodes(child);
  return n;
}

/// Builds the tree from events, innermost open map or list on top of a stack.
class Builder final : public YAML::EventHandler {
 public:
  Builder(std::string name, bool has_lines, std::string prefix, std::vector<std::string>& problems)
      : name_(std::move(name)), has_lines_(has_lines), prefix_(std::move(prefix)), problems_(problems) {}

  std::optional<Tree> take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& at) override {
    if (root_) fail(mark_of(at), "a configuration is one YAML document, here a second one begins");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& at, YAML::anchor_t anchor) override { add(node(Kind::null, at), anchor); }

  void OnAlias(const YAML::Mark& at, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail(mark_of(at), "an alias stands inside of what it names");
    nodes_ += count_nodes(found->second);
    Tree copy = found->second;
    copy.mark = mark_of(at);
    add(std::move(copy), 0);
  }

  void OnScalar(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(tag, at);
    Tree scalar = node(Kind::scalar, at);
    scalar.text = value;
    scalar.quoted = tag == "!";  // the non-specific tag that the parser gives to quoted scalars
    if (!scalar.quoted &&
        (value.empty() || value == "~" || value == "null" || value == "Null" || value == "NULL"))
      scalar.kind = Kind::null;
    add(std::move(scalar), anchor);
  }

  void OnSequenceStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Kind::list, at, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Kind::map, at, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Tree tree;
    YAML::anchor_t anchor = 0;
    std::optional<Tree> key;
  };

  Mark mark_of(const YAML::Mark& at) const {
    return has_lines_ ? Mark{name_, at.line + 1, at.column + 1} : Mark{name_, 0, 0};
  }

  [[noreturn]] void fail(const Mark& mark, std::string_view sentence) const {
    throw UserError(problem_line(mark, path(), sentence));
  }

  /// The key path of the map that is open.
  std::string path() const {
    std::string all = prefix_;
    for (const Open& o : open_)
      if (o.key) all = joined_path(all, o.key->text);
    return all;
  }

  void refuse_tag(const std::string& tag, const YAML::Mark& at) const {
    if (!tag.empty() && tag != "?" && tag != "!")
      fail(mark_of(at), "YAML tags (!" + tag + ") have no meaning here");
  }

  Tree node(Kind kind, const YAML::Mark& at) {
    ++nodes_;
    Tree tree;
    tree.kind = kind;
    tree.mark = mark_of(at);
    return tree;
  }

  void open(Kind kind, const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor) {
    refuse_tag(tag, at);
    if (!open_.empty() && open_.back().tree.kind == Kind::map && !open_.back().key)
      fail(mark_of(at), "a key must be a word");
    open_.push_back({node(kind, at), anchor, std::nullopt});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.tree), done.anchor);
  }

  void add(Tree tree, YAML::anchor_t anchor) {
    if (nodes_ > most_nodes) fail(tree.mark, "more than 200,000 values; are there aliases of aliases?");
    if (anchor) anchors_[anchor] = tree;
    if (open_.empty()) {
      root_ = std::move(tree);
    } else if (open_.back().tree.kind == Kind::list) {
      open_.back().tree.children.push_back(std::move(tree));
    } else if (!open_.back().key) {
      if (tree.kind != Kind::scalar || tree.text.empty()) fail(tree.mark, "a key must be a word");
      open_.back().key = std::move(tree);
    } else {
      add_member(std::move(tree));
    }
  }

  void add_member(Tree value) {
    Open& map = open_.back();
    const std::string full_path = path();
    const Tree key = *std::exchange(map.key, std::nullopt);
    if (value.kind == Kind::null) value.mark = key.mark;  // the parser's is at whatever comes next
    if (key.text == "<<") {
      problems_.push_back(problem_line(
          key.mark, full_path, "merge keys ('<<') are not supported; use include, or repeat the keys"));
    } else if (const Tree* first = map.tree.find(key.text)) {
      problems_.push_back(problem_line(key.mark, full_path,
                                       "duplicate key; it stands at " + where(first->key_mark) + " already"));
    } else {
      set_member(map.tree, key.text, key.mark, std::move(value));
    }
  }

  std::string name_;
  bool has_lines_;
  std::string prefix_;
  std::vector<std::string>& problems_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Tree> anchors_;
  std::optional<Tree> root_;
  std::size_t nodes_ = 0;
};

/// yaml-cpp takes byte 4 for the end of the file and would drop the rest.
void refuse_control_characters(std::string_view text, const std::string& name, bool has_lines) {
  int line = 1;
  for (const char c : text) {
    if (c == '\n') ++line;
    if (static_cast<unsigned char>(c) >= ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    throw UserError(
        problem_line({name, has_lines ? line : 0, 0}, "",
                     fmt::format("byte {} does not belong into a text file", static_cast<int>(c))));
  }
}

std::optional<Tree> parse(std::string_view text, const std::string& name, bool has_lines,
                          const std::string& prefix, std::vector<std::string>& problems) {
  refuse_control_characters(text, name, has_lines);
  Builder builder(name, has_lines, prefix, problems);
  try {
    // Syntax first: a bracket left open is announced as a map with a list for its key before it is found
    // open. Not LoadAll, which finds empty documents for ever in ",a".
    YAML::Load(std::string(text));
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& e) {
    throw UserError(problem_line({name, has_lines ? e.mark.line + 1 : 0, 0}, has_lines ? "" : prefix,
                                 "cannot be read as YAML: " + e.msg));
  }
  return builder.take_root();
}

}  // namespace

Tree tree_from_yaml(std::string_view text, const std::string& name, const std::string& prefix,
                    std::vector<std::string>& problems) {
  auto root = parse(text, name, true, prefix, problems);
  if (root && root->kind != Kind::null) return *std::move(root);
  Tree empty;
  empty.mark = {name, 1, 1};
  return empty;
}

Tree value_from_yaml(std::string_view text, const std::string& path, std::vector<std::string>& problems) {
  const Mark mark = command_line_mark();
  auto root = parse(text, mark.file, false, path, problems);
  if (root) return *std::move(root);
  Tree nothing;
  nothing.kind = Kind::null;
  nothing.mark = mark;
  return nothing;
}

}  // namespace attnlab
