// The visitor behind flatten() and run_id().
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/writer.h"

namespace attnlab {

class Flattener final : public Fields {
 public:
  /// `defaults`: values by path, of the options as constructed. Where the options hold another component than
  /// those do, that component's own defaults are put in their place. May be null.
  Flattener(std::vector<FlatField>& fields, std::map<std::string, std::string>* defaults,
            bool switched_off_too = false, std::string prefix = "")
      : fields_(fields),
        defaults_(defaults),
        switched_off_too_(switched_off_too),
        prefix_(std::move(prefix)) {}

  void require(bool, std::string_view, const std::string&) override {}

 private:
  void field(std::string_view name, bool& value, const Note& note) override;
  void field(std::string_view name, int64_t& value, Range, const Note& note) override;
  void field(std::string_view name, double& value, Range, const Note& note) override;
  void field(std::string_view name, std::string& value, const OneOf&, const Note& note) override;
  void field(std::string_view name, std::vector<int64_t>& value, Range, const Note& note) override;
  void field(std::string_view name, std::vector<double>& value, Range, const Note& note) override;
  void field(std::string_view name, std::vector<std::string>& value, const OneOf&, const Note& note) override;
  void section(std::string_view name, const Note& note, const std::function<void()>& inside) override;
  void optional_section(std::string_view name, bool& on, const Note& note,
                        const std::function<void()>& inside) override;
  void choice(std::string_view name, AnyChoice& value, const Note& note) override;
  void spread_choice(std::string_view name, AnyChoice& value, const Note& note) override;

  void add(std::string_view name, std::string value, const Note& note);
  void under(std::string_view name, const Note& note, const std::function<void()>& inside);
  void chosen(std::string_view name, AnyChoice& value, const Note& note);

  std::vector<FlatField>& fields_;
  std::map<std::string, std::string>* defaults_;
  bool switched_off_too_;
  std::string prefix_;
  bool in_id_ = true;
};

}  // namespace attnlab
