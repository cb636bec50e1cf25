// Configuration as read: maps, lists and scalars, each with the place that it came from. YAML is turned into
// this once, and everything else (includes, overrides, sweeps, reading options) works on it alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attnlab {

/// Where something was written. Line 0: no line to name (the command line, a file as a whole).
struct Mark {
  std::string file;
  int line = 0;
  int column = 0;
};

/// The mark of everything that was given as `key=value` on the command line.
Mark command_line_mark();

/// "file:line", "file" or "command line".
std::string where(const Mark& mark);

/// A value with its mark. A member of a map also carries its key and the key's own mark.
struct Tree {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::map;
  Mark mark;
  std::string text;            ///< of a scalar
  bool quoted = false;         ///< a quoted scalar is text, whatever it looks like
  std::vector<Tree> children;  ///< items of a list, members of a map, in the order written
  std::string key;
  Mark key_mark;

  /// The member of that name; null when absent or when this is no map.
  const Tree* find(std::string_view name) const;
};

/// Adds a member, or replaces the one of that name.
void set_member(Tree& map, const std::string& key, const Mark& key_mark, Tree value);
/// Removes a member and returns it; a null tree when absent (with an empty key).
Tree take_member(Tree& map, std::string_view key);

/// Two trees laid over each other: maps merge key by key, of anything else the later one stays. A map whose
/// `type:` differs from the earlier one's replaces it whole, since the keys belong to the type; a word counts
/// as `{type: word}` beneath a map.
Tree merged(const Tree& earlier, const Tree& later);

/// One assignment of a value to a dotted key path, from the command line or a sweep.
struct Assignment {
  std::string path;
  Mark mark;  ///< of the path
  Tree value;
};

/// Puts the value at its path, replacing what stood there whole. Changing a `type` drops the keys beside it.
void assign(Tree& root, const Assignment& assignment);
/// Assigns all of them: whole components and types before the keys inside them, whatever the order given.
void assign_all(Tree& root, const std::vector<Assignment>& assignments);

/// Whether `path` is `ancestor` or lies beneath it; `x.type` counts as `x`, which it decides.
bool is_beneath(std::string_view path, std::string_view ancestor);

/// "a.b" from "a" and "b"; "b" where the first is empty.
std::string joined_path(std::string_view parent, std::string_view key);
/// {"a", "b"} from "a.b".
std::vector<std::string> split_path(std::string_view path);

/// The tree as one line of YAML: `{type: luna, projection_length: 16}`. Equal trees give equal lines.
std::string to_line(const Tree& tree);

}  // namespace attnlab
