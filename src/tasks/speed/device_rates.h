// What the device can do at most: products of matrices, reading, copying, starting operators. Against these a
// measured time is judged.
#pragma once

#include "tasks/task.h"

namespace attnlab {

struct DeviceRatesOptions final : TaskOptions {
  int64_t product_size = 0;
  int64_t bytes = int64_t{1} << 30;
  int64_t repetitions = 5;

  void visit(Fields& f) override;
  std::vector<Table> tables() const override;
  std::vector<Headline> headlines() const override;
  int64_t memory(torch::DeviceType device) const override;
  void run(const RunContext& context, RecordSink& record) const override;

 private:
  int64_t side(torch::DeviceType device) const;
};

}  // namespace attnlab
