#include <algorithm>
#include <typeinfo>

#include "config/explain.h"
#include "config/text.h"
#include "config/tree.h"
#include "config/values.h"

namespace attnlab {
namespace {

/// One word for a list's items, "one of a, b" where there are words.
std::string text_type(const OneOf& words) { return words.words.empty() ? "text" : "word"; }

class Describer final : public Fields {
 public:
  std::vector<Described> fields;
  Describer(std::string prefix, std::vector<std::string> families)
      : prefix_(std::move(prefix)), families_(std::move(families)) {}
  void require(bool, std::string_view, const std::string&) override {}

 private:
  void field(std::string_view name, bool& value, const Note& note) override {
    add(name, "true or false", "", yaml_value(value), note);
  }
  void field(std::string_view name, int64_t& value, Range range, const Note& note) override {
    add(name, "whole number", bounds_in_words(range, true), yaml_value(value), note);
  }
  void field(std::string_view name, double& value, Range range, const Note& note) override {
    add(name, "number", bounds_in_words(range, false), yaml_value(value), note);
  }
  void field(std::string_view name, std::string& value, const OneOf& words, const Note& note) override {
    add(name, text_type(words), word_list(words), yaml_value(value), note);
  }
  void field(std::string_view name, std::vector<int64_t>& value, Range range, const Note& note) override {
    add(name, "list of whole numbers", bounds_in_words(range, true), yaml_value(value), note);
  }
  void field(std::string_view name, std::vector<double>& value, Range range, const Note& note) override {
    add(name, "list of numbers", bounds_in_words(range, false), yaml_value(value), note);
  }
  void field(std::string_view name, std::vector<std::string>& value, const OneOf& words,
             const Note& note) override {
    add(name, "list of " + text_type(words) + "s", word_list(words), yaml_value(value), note);
  }

  void section(std::string_view name, const Note& note, const std::function<void()>& inside) override {
    nested(add(name, "section", "", "", note), note, inside);
  }

  void optional_section(std::string_view name, bool& on, const Note& note,
                        const std::function<void()>& inside) override {
    nested(add(name, "section, or none", "", on ? "" : "none", note), note, inside);
  }

  void choice(std::string_view name, AnyChoice& value, const Note& note) override {
    Described& described = add(name, "component", "", yaml_value(value.name()), note);
    describe_components(described, value, described.path, note.in_id);
  }

  void spread_choice(std::string_view name, AnyChoice& value, const Note& note) override {
    Described& described = note.required ? add(name, "component, which has to be named", "", "", note)
                                         : add(name, "component", "", yaml_value(value.name()), note);
    described.spread = true;
    describe_components(described, value, prefix_, note.in_id);
  }

  /// The result is valid until the next field is added.
  Described& add(std::string_view name, std::string type, std::string bounds, std::string value,
                 const Note& note) {
    Described d;
    d.name = name;
    d.path = joined_path(prefix_, name);
    d.type = std::move(type);
    d.bounds = std::move(bounds);
    d.default_value = std::move(value);
    d.meaning = note.meaning;
    d.in_id = in_id_ && note.in_id;
    fields.push_back(std::move(d));
    return fields.back();
  }

  void nested(Described& section, const Note& note, const std::function<void()>& inside) {
    const std::string prefix = std::exchange(prefix_, section.path);
    const bool in_id = std::exchange(in_id_, in_id_ && note.in_id);
    std::vector<Described> outer = std::move(fields);
    fields.clear();
    inside();
    outer.back().fields = std::move(fields);
    fields = std::move(outer);
    prefix_ = prefix;
    in_id_ = in_id;
  }

  /// Keys of the chosen component with the defaults that they have here, of the others with their own. A
  /// family inside itself would go on for ever: there the names stand alone.
  void describe_components(Described& described, AnyChoice& value, const std::string& prefix, bool in_id) {
    described.family = typeid(value).name();
    const bool inside_itself =
        std::find(families_.begin(), families_.end(), described.family) != families_.end();
    std::vector<std::string> families = families_;
    families.push_back(described.family);
    for (const auto& [name, meaning] : value.names()) {
      Describer inner(prefix, families);
      inner.in_id_ = in_id_ && in_id;
      if (!inside_itself && name == value.name()) value.component().visit(inner);
      if (!inside_itself && name != value.name()) value.fresh(name)->visit(inner);
      described.components.push_back({name, meaning, std::move(inner.fields)});
    }
  }

  static std::string word_list(const OneOf& words) {
    std::string all;
    for (const auto& word : words.words) all.append(all.empty() ? "" : ", ").append(word);
    return all;
  }

  std::string prefix_;
  std::vector<std::string> families_;
  bool in_id_ = true;
};

void add_without_effect(const std::vector<Described>& fields, std::set<std::string>& paths) {
  for (const Described& field : fields) {
    if (!field.in_id) paths.insert(field.path);
    add_without_effect(field.fields, paths);
    for (const auto& component : field.components) add_without_effect(component.fields, paths);
  }
}

}  // namespace

std::set<std::string> paths_without_effect(const std::vector<Described>& all) {
  std::set<std::string> paths;
  add_without_effect(all, paths);
  return paths;
}

std::vector<Described> describe_fields(const std::function<void(Fields&)>& visit) {
  Describer describer("", {});
  visit(describer);
  return std::move(describer.fields);
}

}  // namespace attnlab
