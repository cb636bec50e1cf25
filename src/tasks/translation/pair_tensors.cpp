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

/// Where rows of such lengths hold padding; undefined where all are full.
torch::Tensor padding_of(const std::vector<int64_t>& lengths, int64_t columns, SourcePadding side,
                         torch::Device device) {
  if (std::ranges::all_of(lengths, [&](int64_t n) { return n == columns; })) return {};
  const torch::Tensor lengths_B1 = torch::tensor(lengths).unsqueeze(1), places_N = torch::arange(columns);
  const bool left = side == SourcePadding::left;
  return on_device(left ? places_N < columns - lengths_B1 : places_N >= lengths_B1, device);
}

}  // namespace

PairTensors to_tensors(const PairBatch& batch, torch::Device device) {
  PairTensors t;
  t.source_BN = table_of(batch.source, batch.rows, batch.source_length, device);
  t.source_padding_BN = padding_of(batch.source_lengths, batch.source_length, batch.source_padding, device);
  t.target_input_BT = table_of(batch.target_input, batch.rows, batch.target_length, device);
  t.target_padding_BT = padding_of(batch.target_lengths, batch.target_length, SourcePadding::right, device);
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
  const auto columns = static_cast<int64_t>(longest);
  return {table_of(ids, static_cast<int64_t>(sources.size()), columns, device),
          padding_of(lengths, columns, SourcePadding::right, device)};
}

}  // namespace attnlab
