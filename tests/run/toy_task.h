// A task that does as it is told, so that the life of a run can be tested in milliseconds.
// tests/run/toy_task.cpp defines the registry of tasks in place of the project's own.
#pragma once

#include <string>

#include "tasks/task.h"

namespace attnlab {

struct ToyOptions final : TaskOptions {
  std::string ending = "done";  ///< how the task ends
  double value = 0.5;           ///< its headline figure
  int64_t width = 8, heads = 2;

  void visit(Fields& f) override;
  std::vector<Table> tables() const override;
  std::vector<Headline> headlines() const override;
  void run(const RunContext& context, RecordSink& record) const override;
  void predict(const RunContext& context, std::istream& in, std::ostream& out) const override;
};

}  // namespace attnlab
