// Options are plain structs with defaults and one function, `visit`, that names every field once: its bounds,
// unit, meaning and source. Parsing, checking, the resolved dump, `attnlab explain`, the reference page, run
// ids and HDF5 attributes all come from that one place, each as another implementation of `Fields`.
//
//   struct LunaOptions : AttentionOptions {
//     int64_t projection_length = 16;
//     void visit(Fields& f) override {
//       f("projection_length", projection_length, Range{1, 65536},
//         "rows l of the extra sequence P (Luna §3.1)");
//     }
//   };
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace attnlab {

/// Bounds of a number, both inclusive.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// The words that a text option may take; no words means any text.
struct OneOf {
  std::vector<std::string> words;
};

/// What is said about a field. A plain string literal is a note with the defaults.
struct Note {
  Note(const char* meaning_text) : meaning(meaning_text) {}  // NOLINT: implicit on purpose
  Note(const char* meaning_text, bool has_effect) : meaning(meaning_text), in_id(has_effect) {}
  std::string meaning;
  bool required = false;  ///< a component that has to be named
  bool in_id = true;  ///< false: cannot change a result (paths, threads, logging), so a run's id ignores it
};

/// A note on a field that cannot change a result.
inline Note no_effect(const char* meaning) { return Note(meaning, false); }

/// A note on a component that has no default: a configuration that does not name one is refused.
inline Note required(const char* meaning) {
  Note note(meaning);
  note.required = true;
  return note;
}

class Fields;

/// Options of something that is chosen by name: a task, an attention, a data set.
struct Component {
  virtual ~Component() = default;
  virtual void visit(Fields& f) = 0;
};

/// One line of a registry: `{type: <name>}` in YAML makes these options.
template <class Base>
struct Entry {
  std::string name;
  std::string meaning;
  std::function<std::shared_ptr<Base>()> make;
};

/// The registry of a family of components, a visible table in that family's registry.cpp.
template <class Base>
const std::vector<Entry<Base>>& registry();

/// One line of a registry for the options struct `Options`.
template <class Base, class Options>
Entry<Base> entry(std::string name, std::string meaning) {
  return {std::move(name), std::move(meaning), [] { return std::make_shared<Options>(); }};
}

/// What `Fields` sees of a Choice: names to choose from, and the chosen component.
class AnyChoice {
 public:
  virtual ~AnyChoice() = default;
  /// (name, meaning) of everything that can be chosen.
  virtual std::vector<std::pair<std::string, std::string>> names() const = 0;
  /// Chooses by name, with default options. False when there is no such name.
  virtual bool select(std::string_view name) = 0;
  virtual const std::string& name() const = 0;
  virtual Component& component() = 0;
  /// Default options of the component called `name`, apart from the chosen one; null when there is no such
  /// name.
  virtual std::shared_ptr<Component> fresh(std::string_view name) const = 0;
};

/// A component of the family `Base`, chosen by name. Never empty: it starts as the first one registered or as
/// the one named.
template <class Base>
class Choice final : public AnyChoice {
 public:
  Choice() { select(registry<Base>().front().name); }
  explicit Choice(std::string_view name) { select(name); }

  std::vector<std::pair<std::string, std::string>> names() const override {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& e : registry<Base>()) all.emplace_back(e.name, e.meaning);
    return all;
  }
  bool select(std::string_view name) override {
    for (const auto& e : registry<Base>())
      if (e.name == name) {
        name_ = e.name;
        value_ = e.make();
        return true;
      }
    return false;
  }
  const std::string& name() const override { return name_; }
  Component& component() override { return *value_; }
  std::shared_ptr<Component> fresh(std::string_view name) const override {
    for (const auto& e : registry<Base>())
      if (e.name == name) return e.make();
    return nullptr;
  }

  Base& operator*() const { return *value_; }
  Base* operator->() const { return value_.get(); }
  std::shared_ptr<Base> share() const { return value_; }

 private:
  std::string name_;
  std::shared_ptr<Base> value_;
};

/// Visitor of the fields of an options struct.
class Fields {
 public:
  virtual ~Fields() = default;

  void operator()(std::string_view name, bool& value, const Note& note) { field(name, value, note); }
  void operator()(std::string_view name, int64_t& value, Range range, const Note& note) {
    field(name, value, range, note);
  }
  void operator()(std::string_view name, double& value, Range range, const Note& note) {
    field(name, value, range, note);
  }
  void operator()(std::string_view name, std::string& value, const OneOf& words, const Note& note) {
    field(name, value, words, note);
  }
  void operator()(std::string_view name, std::vector<int64_t>& value, Range range, const Note& note) {
    field(name, value, range, note);
  }
  void operator()(std::string_view name, std::vector<double>& value, Range range, const Note& note) {
    field(name, value, range, note);
  }
  void operator()(std::string_view name, std::vector<std::string>& value, const OneOf& words,
                  const Note& note) {
    field(name, value, words, note);
  }

  /// An enumeration, spelled in YAML as one of `names`.
  template <class Enum>
  requires std::is_enum_v<Enum>
  void operator()(std::string_view name, Enum& value, const std::vector<std::pair<std::string, Enum>>& names,
                  const Note& note) {
    OneOf words;
    std::string word;
    for (const auto& [text, meant] : names) {
      words.words.push_back(text);
      if (meant == value) word = text;
    }
    field(name, word, words, note);
    for (const auto& [text, meant] : names)
      if (text == word) value = meant;
  }

  /// A nested struct of options: a map under its own key.
  template <class Options>
  requires requires(Options& o, Fields& f) { o.visit(f); }
  void operator()(std::string_view name, Options& nested, const Note& note) {
    section(name, note, [&] { nested.visit(*this); });
  }

  /// A nested struct that can be switched off: `train: none` clears `on` and leaves the struct as it is.
  template <class Options>
  requires requires(Options& o, Fields& f) { o.visit(f); }
  void optional(std::string_view name, Options& nested, bool& on, const Note& note) {
    optional_section(name, on, note, [&] { nested.visit(*this); });
  }

  /// A component chosen by name: `name: {type: luna, …its own keys…}`, or `name: luna` for its defaults.
  void operator()(std::string_view name, AnyChoice& value, const Note& note) { choice(name, value, note); }

  /// A component chosen by name whose keys stand beside `name` rather than beneath it: `task: classify`.
  void spread(std::string_view name, AnyChoice& value, const Note& note) { spread_choice(name, value, note); }

  /// A rule between fields. `key` is one of this struct's fields; the sentence says what is wrong and is
  /// reported with that key's file and line. Call it after the fields it reads.
  virtual void require(bool holds, std::string_view key, const std::string& sentence) = 0;

 protected:
  virtual void field(std::string_view name, bool& value, const Note& note) = 0;
  virtual void field(std::string_view name, int64_t& value, Range range, const Note& note) = 0;
  virtual void field(std::string_view name, double& value, Range range, const Note& note) = 0;
  virtual void field(std::string_view name, std::string& value, const OneOf& words, const Note& note) = 0;
  virtual void field(std::string_view name, std::vector<int64_t>& value, Range range, const Note& note) = 0;
  virtual void field(std::string_view name, std::vector<double>& value, Range range, const Note& note) = 0;
  virtual void field(std::string_view name, std::vector<std::string>& value, const OneOf& words,
                     const Note& note) = 0;
  virtual void section(std::string_view name, const Note& note, const std::function<void()>& inside) = 0;
  virtual void optional_section(std::string_view name, bool& on, const Note& note,
                                const std::function<void()>& inside) = 0;
  virtual void choice(std::string_view name, AnyChoice& value, const Note& note) = 0;
  virtual void spread_choice(std::string_view name, AnyChoice& value, const Note& note) = 0;
};

}  // namespace attnlab
