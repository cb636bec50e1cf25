#include "toy_task.h"

#include <c10/util/Exception.h>

#include <istream>
#include <new>
#include <ostream>

#include "core/error.h"
#include "core/files.h"

namespace attnlab {

template <>
const std::vector<Entry<TaskOptions>>& registry<TaskOptions>() {
  static const std::vector<Entry<TaskOptions>> table = {
      entry<TaskOptions, ToyOptions>("toy", "ends as it is told"),
  };
  return table;
}

int64_t TaskOptions::predict(const RunContext&, std::istream&, std::ostream&) const { return 0; }

void ToyOptions::visit(Fields& f) {
  f("ending", ending,
    OneOf{{"done", "failed", "diverged", "bad_alloc", "no_memory", "torch_memory", "interrupted",
           "user_error", "late_user_error"}},
    "how the task ends");
  f("value", value, Range{}, "the headline figure");
  f("width", width, Range{1, 1024}, "a width");
  f("heads", heads, Range{1, 1024}, "a divisor of it");
  f.optional("train", train, trains, "training");
  f("seconds", seconds, Range{}, "a time");
  f("peak", peak, Range{}, "a size");
  f("floor", floor, Range{}, "a floor");
  f("length", length, Range{1, 1e9}, "a length");
  f("flops", flops, Range{0, 1e30}, no_effect("work"));
  f("bytes", bytes, Range{0, 9e18}, no_effect("memory"));
  f.require(width % heads == 0, "heads", "must divide width");
}

std::vector<Table> ToyOptions::tables() const {
  return {{"/train", "steps", {{"step", Column::Type::integer, "1", "step"}}}};
}

std::vector<Headline> ToyOptions::headlines() const {
  return {{"accuracy", "1", "share of right answers", Summary::Better::higher},
          {"seconds", "s", "a time", Summary::Better::lower},
          {"peak", "byte", "a size", Summary::Better::lower},
          {"accuracy_floor", "1", "a floor", Summary::Better::neither, "accuracy", "majority class"}};
}

void ToyOptions::run(const RunContext& context, RecordSink& record) const {
  if (ending == "user_error") user_error("data set toy is not in {}", context.data.root.string());
  const Value row[] = {record.rows("/train")};
  record.append("/train", row);
  record.flush();
  if (ending == "late_user_error") {
    std::filesystem::create_directories(context.folder / "checkpoint");
    user_error("a mistake found late");
  }
  if (ending == "failed") run_error("cannot read x: Input/output error");
  if (ending == "diverged") throw Diverged("the loss is not finite at step 3");
  if (ending == "bad_alloc") throw std::bad_alloc();
  if (ending == "no_memory") throw OutOfMemory("it did not fit");
  if (ending == "torch_memory")
    TORCH_CHECK(false,
                "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: 9 bytes");
  if (ending == "interrupted") throw Interrupted(15);
  Summary figure{"accuracy", value, "1", "share of right answers", Summary::Better::higher, 100, 0.05};
  record.summarise(figure);
  if (seconds > 0) record.summarise({"seconds", seconds, "s", "a time", Summary::Better::lower, 3, 0.0});
  if (peak > 0) record.summarise({"peak", peak, "byte", "a size", Summary::Better::lower, 1, 0.0});
  if (floor > 0)
    record.summarise({"accuracy_floor", floor, "1", "a floor", Summary::Better::neither, 100, 0.04,
                      "accuracy", "majority class"});
}

int64_t ToyOptions::predict(const RunContext&, std::istream& in, std::ostream& out) const {
  for (std::string line; std::getline(in, line);) out << "{\"length\": " << line.size() << "}\n";
  return 0;
}

}  // namespace attnlab
