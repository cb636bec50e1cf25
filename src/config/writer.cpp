#include "config/writer.h"

#include "config/flatten.h"
#include "config/values.h"

namespace attnlab {
namespace {

/// Block YAML, two spaces a level.
class Writer final : public Fields {
 public:
  std::string text;
  void require(bool, std::string_view, const std::string&) override {}

 private:
  void field(std::string_view name, bool& value, const Note&) override { line(name, yaml_value(value)); }
  void field(std::string_view name, int64_t& value, Range, const Note&) override {
    line(name, yaml_value(value));
  }
  void field(std::string_view name, double& value, Range, const Note&) override {
    line(name, yaml_value(value));
  }
  void field(std::string_view name, std::string& value, const OneOf&, const Note&) override {
    line(name, yaml_value(value));
  }
  void field(std::string_view name, std::vector<int64_t>& value, Range, const Note&) override {
    line(name, yaml_value(value));
  }
  void field(std::string_view name, std::vector<double>& value, Range, const Note&) override {
    line(name, yaml_value(value));
  }
  void field(std::string_view name, std::vector<std::string>& value, const OneOf&, const Note&) override {
    line(name, yaml_value(value));
  }

  void section(std::string_view name, const Note&, const std::function<void()>& inside) override {
    const std::size_t before = text.size();
    line(name, "");
    const std::size_t empty = text.size();
    ++level_;
    inside();
    --level_;
    if (text.size() > empty) return;
    text.resize(before);
    line(name, "{}");
  }

  void optional_section(std::string_view name, bool& on, const Note& note,
                        const std::function<void()>& inside) override {
    if (on)
      section(name, note, inside);
    else
      line(name, "none");
  }

  void choice(std::string_view name, AnyChoice& value, const Note& note) override {
    section(name, note, [&] { spread_choice("type", value, note); });
  }

  void spread_choice(std::string_view name, AnyChoice& value, const Note&) override {
    line(name, yaml_value(value.name()));
    value.component().visit(*this);
  }

  void line(std::string_view name, const std::string& value) {
    text.append(2 * level_, ' ').append(name).append(value.empty() ? ":" : ": ").append(value).append("\n");
  }

  std::size_t level_ = 0;
};

}  // namespace

std::string dump_fields(const std::function<void(Fields&)>& visit) {
  Writer writer;
  visit(writer);
  return writer.text;
}

std::vector<FlatField> flatten_fields(const std::function<void(Fields&)>& visit) {
  std::vector<FlatField> fields;
  Flattener flattener(fields, nullptr);
  visit(flattener);
  return fields;
}

}  // namespace attnlab
