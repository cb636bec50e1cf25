#include "config/flatten.h"

#include "config/tree.h"
#include "config/values.h"

namespace attnlab {

void Flattener::field(std::string_view name, bool& value, const Note& note) {
  add(name, yaml_value(value), note);
}
void Flattener::field(std::string_view name, int64_t& value, Range, const Note& note) {
  add(name, yaml_value(value), note);
}
void Flattener::field(std::string_view name, double& value, Range, const Note& note) {
  add(name, yaml_value(value), note);
}
void Flattener::field(std::string_view name, std::string& value, const OneOf&, const Note& note) {
  add(name, yaml_value(value), note);
}
void Flattener::field(std::string_view name, std::vector<int64_t>& value, Range, const Note& note) {
  add(name, yaml_value(value), note);
}
void Flattener::field(std::string_view name, std::vector<double>& value, Range, const Note& note) {
  add(name, yaml_value(value), note);
}
void Flattener::field(std::string_view name, std::vector<std::string>& value, const OneOf&,
                      const Note& note) {
  add(name, yaml_value(value), note);
}

void Flattener::section(std::string_view name, const Note& note, const std::function<void()>& inside) {
  under(name, note, inside);
}

void Flattener::optional_section(std::string_view name, bool& on, const Note& note,
                                 const std::function<void()>& inside) {
  add(name, on ? "on" : "none", note);
  if (on || switched_off_too_) under(name, note, inside);
}

void Flattener::choice(std::string_view name, AnyChoice& value, const Note& note) {
  under(name, note, [&] { chosen("type", value, note); });
}

void Flattener::spread_choice(std::string_view name, AnyChoice& value, const Note& note) {
  chosen(name, value, note);
}

void Flattener::add(std::string_view name, std::string value, const Note& note) {
  fields_.push_back({joined_path(prefix_, name), std::move(value), in_id_ && note.in_id});
}

void Flattener::under(std::string_view name, const Note& note, const std::function<void()>& inside) {
  const std::string prefix = prefix_;
  const bool in_id = in_id_;
  prefix_ = joined_path(prefix_, name);
  in_id_ = in_id_ && note.in_id;
  inside();
  prefix_ = prefix;
  in_id_ = in_id;
}

void Flattener::chosen(std::string_view name, AnyChoice& value, const Note& note) {
  add(name, yaml_value(value.name()), note);
  if (defaults_ && (*defaults_)[fields_.back().path] != fields_.back().value) {
    std::vector<FlatField> fresh;
    Flattener visitor(fresh, nullptr, true, prefix_);
    value.fresh(value.name())->visit(visitor);
    for (const FlatField& f : fresh) (*defaults_)[f.path] = f.value;
  }
  value.component().visit(*this);
}

}  // namespace attnlab
