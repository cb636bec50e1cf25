#include "config/yaml_source.h"

#include <yaml-cpp/exceptions.h>

#include <algorithm>
#include <optional>

#include "config/problems.h"
#include "config/yaml_events.h"
#include "core/error.h"
#include "core/files.h"
#include "core/plain_text.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// One file on the way from the root of the includes to here.
struct Link {
  fs::path identity;
  std::string shown;
};

/// Loads files depth first; what is wrong with included ones is collected.
class Loader {
 public:
  Tree load(const fs::path& path, const std::string& prefix) {
    const Link link{fs::weakly_canonical(path), path.string()};
    refuse_circle(link);
    chain_.push_back(link);
    Tree tree = tree_from_yaml(text_of(path), path.string(), prefix, config_.problems);
    if (tree.kind != Tree::Kind::map)
      user_error("{}: expected a map of keys, got {}", where(tree.mark),
                 tree.kind == Tree::Kind::list ? "a list" : "a single value");
    tree = with_includes(tree, prefix);
    chain_.pop_back();
    return tree;
  }

  Config take(Tree tree) {
    config_.tree = std::move(tree);
    return std::move(config_);
  }

 private:
  static std::string text_of(const fs::path& path) try {
    return plain_text(read_file(path), path.string());
  } catch (const RunError& e) {
    throw UserError(e.what());
  }

  void refuse_circle(const Link& link) const {
    const auto again = std::find_if(chain_.begin(), chain_.end(),
                                    [&](const Link& l) { return l.identity == link.identity; });
    if (again == chain_.end()) return;
    std::string circle;
    for (auto l = again; l != chain_.end(); ++l) circle += l->shown + " → ";
    user_error("circular include: {}{}", circle, link.shown);
  }

  /// The tree with each map's `include:` laid beneath its own keys.
  Tree with_includes(const Tree& tree, const std::string& path) {
    Tree own = tree;
    for (Tree& child : own.children)
      child = with_includes(child, child.key.empty() ? path : joined_path(path, child.key));
    if (!own.find("include")) return own;
    const Tree include = take_member(own, "include");
    Tree base;
    base.mark = own.mark;
    for (const Tree& file : files_of(include, path)) base = merged(base, included(file, path));
    base.key = own.key;
    base.key_mark = own.key_mark;
    return merged(base, own);
  }

  std::vector<Tree> files_of(const Tree& include, const std::string& path) {
    const bool is_list = include.kind == Tree::Kind::list;
    std::vector<Tree> files = is_list ? include.children : std::vector<Tree>{include};
    const auto is_path = [](const Tree& t) { return t.kind == Tree::Kind::scalar && !t.text.empty(); };
    if (std::all_of(files.begin(), files.end(), is_path)) return files;
    problem(include.mark, path, "expected the path of a file or a list of paths");
    return {};
  }

  Tree included(const Tree& file, const std::string& path) {
    const std::size_t depth = chain_.size();
    const fs::path target = (fs::path(file.mark.file).parent_path() / file.text).lexically_normal();
    try {
      return load(target, path);
    } catch (const UserError& e) {
      chain_.resize(depth);
      problem(file.mark, path, e.what());
    }
    Tree nothing;
    nothing.mark = file.mark;
    return nothing;
  }

  void problem(const Mark& mark, const std::string& path, const std::string& sentence) {
    config_.problems.push_back(problem_line(mark, joined_path(path, "include"), sentence));
    config_.incomplete = true;
  }

  std::vector<Link> chain_;
  Config config_;
};

}  // namespace

Config load_yaml(const fs::path& path) {
  Loader loader;
  Tree tree = loader.load(path, "");
  return loader.take(std::move(tree));
}

Config parse_yaml(std::string_view text, const std::string& name) {
  Config config;
  config.tree = tree_from_yaml(text, name, "", config.problems);
  if (config.tree.kind != Tree::Kind::map) user_error("{}: expected a map of keys", where(config.tree.mark));
  return config;
}

Tree parse_value(std::string_view text, const std::string& key_path) {
  std::vector<std::string> problems;
  Tree value = value_from_yaml(text, key_path, problems);
  throw_if_any(problems);
  return value;
}

}  // namespace attnlab
