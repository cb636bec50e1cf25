// Every benchmark of answers. Adding one: a pair of files, and a line here.
#include "tasks/questions/benchmark.h"
#include "tasks/questions/qasper.h"
#include "tasks/questions/squality.h"

namespace attnlab {

template <>
const std::vector<Entry<BenchmarkOptions>>& registry<BenchmarkOptions>() {
  static const std::vector<Entry<BenchmarkOptions>> table = {
      entry<BenchmarkOptions, SqualityOptions>(
          "squality", "questions about short stories, answered in a paragraph (Wang et al. 2022)"),
      entry<BenchmarkOptions, QasperOptions>(
          "qasper", "questions about papers, answered in a phrase (Dasigi et al. 2021)"),
  };
  return table;
}

}  // namespace attnlab
