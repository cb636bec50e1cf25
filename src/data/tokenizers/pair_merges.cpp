#include "data/tokenizers/pair_merges.h"

#include <queue>
#include <utility>

namespace attnlab {
namespace {

constexpr std::size_t few = 48;  // symbols; above it the search for the lowest rank costs more than a queue

uint64_t pair_key(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

std::size_t spread(uint64_t pair) { return (pair * 0x9E3779B97F4A7C15ULL) >> 20; }

}  // namespace

PairMerges::Rule& PairMerges::place(uint64_t pair) {
  std::size_t at = spread(pair) & (table_.size() - 1);
  while (table_[at].pair != pair && table_[at].pair != none) at = (at + 1) & (table_.size() - 1);
  return table_[at];
}

const PairMerges::Rule* PairMerges::find(int32_t left, int32_t right) const {
  const uint64_t pair = pair_key(left, right);
  std::size_t at = spread(pair) & (table_.size() - 1);
  for (; table_[at].pair != none; at = (at + 1) & (table_.size() - 1))
    if (table_[at].pair == pair) return &table_[at];
  return nullptr;
}

void PairMerges::grow() {
  const std::vector<Rule> old = std::exchange(table_, std::vector<Rule>(2 * table_.size()));
  for (const Rule& rule : old)
    if (rule.pair != none) place(rule.pair) = rule;
}

void PairMerges::add(int32_t left, int32_t right, int32_t merged) {
  if (2 * used_ >= table_.size()) grow();
  Rule& rule = place(pair_key(left, right));
  if (rule.pair == none) ++used_;
  rule = {pair_key(left, right), ranks_++, merged};
}

void PairMerges::apply(std::vector<Symbol>& symbols) const {
  if (symbols.size() <= few)
    apply_to_few(symbols);
  else
    apply_to_many(symbols);
}

void PairMerges::apply_to_few(std::vector<Symbol>& symbols) const {
  const Rule* rules[few] = {};  // of each symbol with the next
  for (std::size_t i = 0; i + 1 < symbols.size(); ++i) rules[i] = find(symbols[i].id, symbols[i + 1].id);
  while (symbols.size() > 1) {
    const std::size_t pairs = symbols.size() - 1;
    std::size_t best = pairs;
    for (std::size_t i = 0; i < pairs; ++i)
      if (rules[i] && (best == pairs || rules[i]->rank < rules[best]->rank)) best = i;
    if (best == pairs) return;
    symbols[best] = {rules[best]->merged, symbols[best + 1].end};
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    for (std::size_t i = best + 1; i + 1 < pairs; ++i) rules[i] = rules[i + 1];
    const auto rule_at = [&](std::size_t i) {
      return i + 1 < symbols.size() ? find(symbols[i].id, symbols[i + 1].id) : nullptr;
    };
    rules[best] = rule_at(best);
    if (best > 0) rules[best - 1] = rule_at(best - 1);
  }
}

// A queue of places by rank and position. A place whose symbols have changed since has another rule, or none.
void PairMerges::apply_to_many(std::vector<Symbol>& symbols) const {
  const auto count = static_cast<int32_t>(symbols.size());
  std::vector<int32_t> before(symbols.size()), behind(symbols.size());
  std::vector<bool> gone(symbols.size());
  for (int32_t i = 0; i < count; ++i) before[i] = i - 1, behind[i] = i + 1;
  using Place = std::pair<int32_t, int32_t>;
  std::priority_queue<Place, std::vector<Place>, std::greater<>> places;
  const auto rule_at = [&](int32_t i) -> const Rule* {
    return i >= 0 && behind[i] < count ? find(symbols[i].id, symbols[behind[i]].id) : nullptr;
  };
  const auto look_at = [&](int32_t i) {
    if (const Rule* rule = rule_at(i)) places.emplace(rule->rank, i);
  };
  for (int32_t i = 0; i < count; ++i) look_at(i);
  while (!places.empty()) {
    const auto [rank, i] = places.top();
    places.pop();
    const Rule* rule = gone[i] ? nullptr : rule_at(i);
    if (!rule || rule->rank != rank) continue;
    const int32_t next = behind[i];
    symbols[i] = {rule->merged, symbols[next].end};
    gone[next] = true;
    behind[i] = behind[next];
    if (behind[i] < count) before[behind[i]] = i;
    look_at(before[i]);
    look_at(i);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < symbols.size(); ++i)
    if (!gone[i]) symbols[kept++] = symbols[i];
  symbols.resize(kept);
}

}  // namespace attnlab
