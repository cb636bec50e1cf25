// Every benchmark of answers. Adding one: a pair of files, and a line here.
#include "tasks/generation/benchmarks/benchmark.h"
#include "tasks/generation/benchmarks/qasper.h"
#include "tasks/generation/benchmarks/ruler.h"
#include "tasks/generation/benchmarks/squality.h"

namespace attnlab {

template <>
const std::vector<Entry<BenchmarkOptions>>& registry<BenchmarkOptions>() {
  static const std::vector<Entry<BenchmarkOptions>> table = {
      entry<BenchmarkOptions, SqualityOptions>(
          "squality", "questions about short stories, answered in a paragraph (Wang et al. 2022)"),
      entry<BenchmarkOptions, QasperOptions>(
          "qasper", "questions about papers, answered in a phrase (Dasigi et al. 2021)"),
      entry<BenchmarkOptions, RulerOptions>(
          "ruler", "RULER's needles in a haystack, made here to a length (Hsieh et al. 2024)"),
  };
  return table;
}

}  // namespace attnlab
