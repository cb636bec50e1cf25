#include "tasks/generation/column_means.h"

#include <cmath>

#include "metrics/statistics.h"
#include "tasks/task.h"

namespace attnlab {

void summarise_means(std::span<const Headline> figures, const std::vector<std::vector<double>>& rows,
                     RecordSink& record) {
  for (std::size_t j = 0; j < figures.size(); ++j) {
    std::vector<double> counting;
    for (const auto& row : rows)
      if (!std::isnan(row[j])) counting.push_back(row[j]);
    if (counting.empty()) continue;
    const Spread s = spread(counting);
    record.summarise(summary_of(figures[j], s.mean, s.n, s.standard_error));
  }
}

}  // namespace attnlab
