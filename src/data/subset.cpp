#include "data/subset.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "core/random.h"

namespace attnlab {
namespace {

class Selection final : public LabelledSequences {
 public:
  Selection(std::shared_ptr<const LabelledSequences> data, std::vector<int64_t> indices)
      : data_(std::move(data)), indices_(std::move(indices)) {}
  int64_t size() const override { return static_cast<int64_t>(indices_.size()); }
  std::span<const uint8_t> symbols(int64_t i) const override { return data_->symbols(at(i)); }
  int32_t label(int64_t i) const override { return data_->label(at(i)); }
  std::string_view id(int64_t i) const override { return data_->id(at(i)); }

 private:
  int64_t at(int64_t i) const { return indices_[static_cast<std::size_t>(i)]; }
  std::shared_ptr<const LabelledSequences> data_;
  std::vector<int64_t> indices_;
};

}  // namespace

std::vector<int64_t> balanced_order(const LabelledSequences& data, uint64_t seed) {
  struct Keyed {
    uint64_t hash;
    int64_t index;
  };
  std::map<int32_t, std::vector<Keyed>> classes;
  for (int64_t i = 0; i < data.size(); ++i)
    classes[data.label(i)].push_back({derive_seed(seed, data.id(i)), i});

  std::vector<std::tuple<std::size_t, int32_t, int64_t>> ranked;  // rank within the class, class, index
  for (auto& [label, members] : classes) {
    std::sort(members.begin(), members.end(), [&](const Keyed& a, const Keyed& b) {
      return a.hash != b.hash ? a.hash < b.hash : data.id(a.index) < data.id(b.index);
    });
    for (std::size_t rank = 0; rank < members.size(); ++rank)
      ranked.emplace_back(rank, label, members[rank].index);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<int64_t> order;
  for (const auto& [rank, label, index] : ranked) order.push_back(index);
  return order;
}

HeldOut hold_out(const LabelledSequences& data, const std::vector<int64_t>& order, double fraction) {
  std::map<int32_t, int64_t> quota;
  for (const int64_t i : order) ++quota[data.label(i)];
  for (auto& [label, count] : quota) count = std::llround(fraction * static_cast<double>(count));
  HeldOut parts;
  for (const int64_t i : order) (quota[data.label(i)]-- > 0 ? parts.held : parts.rest).push_back(i);
  return parts;
}

std::shared_ptr<LabelledSequences> select(std::shared_ptr<const LabelledSequences> data,
                                          std::vector<int64_t> indices) {
  return std::make_shared<Selection>(std::move(data), std::move(indices));
}

}  // namespace attnlab
