// A task that does as it is told, so that the life of a run can be tested in milliseconds.
// tests/run/toy_task.cpp defines the registry of tasks in place of the project's own.
#pragma once

#include <string>

#include "tasks/task.h"

namespace attnlab {

struct ToyTraining {
  int64_t updates = 10;

  void visit(Fields& f) { f("updates", updates, Range{1, 1000}, "updates"); }
};

struct ToyOptions final : TaskOptions {
  std::string ending = "done";  ///< how the task ends
  double value = 0.5;           ///< its headline figure
  int64_t width = 8, heads = 2;
  double seconds = 0, peak = 0;  ///< further figures; 0: not written
  double floor = 0;              ///< below `accuracy`; 0: not written
  int64_t length = 1;            ///< a number to sweep
  ToyTraining train;
  bool trains = true;
  double flops = 0;   ///< what it says of its work
  int64_t bytes = 0;  ///< and of its memory

  void visit(Fields& f) override;
  std::vector<Table> tables() const override;
  std::vector<Headline> headlines() const override;
  bool only_evaluates() const override { return !trains; }
  double work() const override { return flops; }
  int64_t memory(torch::DeviceType) const override { return bytes; }
  void run(const RunContext& context, RecordSink& record) const override;
  int64_t predict(const RunContext& context, std::istream& in, std::ostream& out) const override;
};

}  // namespace attnlab
