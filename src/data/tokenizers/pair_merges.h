// Byte pair encoding (Sennrich et al. 2016; Gage 1994) of one piece of text.
#pragma once

#include <cstdint>
#include <vector>

namespace attnlab {

/// A token within a piece, and where in the piece it ends.
struct Symbol {
  int32_t id;
  uint32_t end;
};

/// The rules of a model, the first of which comes first.
class PairMerges {
 public:
  /// The next rule in rank. One that was there already takes its place.
  void add(int32_t left, int32_t right, int32_t merged);
  /// Joins neighbours until no rule applies: always the rule of the lowest rank, the leftmost of its places
  /// first.
  void apply(std::vector<Symbol>& symbols) const;

 private:
  struct Rule {
    uint64_t pair = none;
    int32_t rank = 0, merged = 0;
  };
  static constexpr uint64_t none = ~uint64_t{0};
  const Rule* find(int32_t left, int32_t right) const;
  Rule& place(uint64_t pair);
  void grow();
  void apply_to_few(std::vector<Symbol>& symbols) const;
  void apply_to_many(std::vector<Symbol>& symbols) const;

  int32_t ranks_ = 0;
  std::size_t used_ = 0;
  std::vector<Rule> table_ = std::vector<Rule>(1024);  ///< open addressing
};

}  // namespace attnlab
