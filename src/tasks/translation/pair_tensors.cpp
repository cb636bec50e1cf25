#include "tasks/translation/pair_tensors.h"

#include <algorithm>

#include "kernels/on_device.h"

namespace attnlab {
namespace {

constexpr int64_t pad = TranslationVocabulary::pad;

torch::Tensor table_of(const std::vector<int64_t>& ids, int64_t rows, int64_t columns, torch::Device device) {
  torch::Tensor table = torch::empty({rows, columns}, torch::kLong);
  std::copy(ids.begin(), ids.end(), table.mutable_data_ptr<int64_t>());
  return on_device(table, device);
}

/// Where a table holds padding; undefined where all rows fill it.
torch::Tensor padding_of(const torch::Tensor& ids, const std::vector<int64_t>& lengths) {
  const bool padded = std::any_of(lengths.begin(), lengths.end(), [&](int64_t n) { return n < ids.size(1); });
  return padded ? ids.eq(pad) : torch::Tensor();
}

}  // namespace

PairTensors to_tensors(const PairBatch& batch, torch::Device device) {
  PairTensors t;
  t.source_BN = table_of(batch.source, batch.rows, batch.source_length, device);
  t.source_padding_BN = padding_of(t.source_BN, batch.source_lengths);
  t.target_input_BT = table_of(batch.target_input, batch.rows, batch.target_length, device);
  t.target_padding_BT = padding_of(t.target_input_BT, batch.target_lengths);
  t.target_output_BT = table_of(batch.target_output, batch.rows, batch.target_length, device);
  return t;
}

SourceTensors source_tensors(const std::vector<std::vector<int64_t>>& sources, torch::Device device) {
  std::size_t longest = 0;
  std::vector<int64_t> lengths;
  for (const auto& source : sources) {
    longest = std::max(longest, source.size());
    lengths.push_back(static_cast<int64_t>(source.size()));
  }
  std::vector<int64_t> ids;
  for (const auto& source : sources) {
    ids.insert(ids.end(), source.begin(), source.end());
    ids.insert(ids.end(), longest - source.size(), pad);
  }
  const torch::Tensor table =
      table_of(ids, static_cast<int64_t>(sources.size()), static_cast<int64_t>(longest), device);
  return {table, padding_of(table, lengths)};
}

}  // namespace attnlab
