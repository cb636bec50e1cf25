#include "data/translation/batches.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/files.h"
#include "core/random.h"

namespace attnlab {
namespace {

using Plan = std::vector<std::vector<int64_t>>;
using Order = std::vector<int64_t>;

constexpr int32_t longest_told = 1 << 20;  ///< tokens; longer sentences stand side by side

std::size_t at(int64_t i) { return static_cast<std::size_t>(i); }

int32_t size_of(const PairLengths& l, int64_t i) { return std::max(l.source[at(i)], l.target[at(i)]); }

/// What a batch costs as pairs are put into it: whether it is still within the budget.
class Budget {
 public:
  Budget(const PairLengths& lengths, const PairBatchingOptions& options)
      : lengths_(lengths), options_(options) {}
  void clear() { pairs_ = source_ = target_ = 0; }
  /// Whether the batch fits with pair i, which it has from then on.
  bool add(int64_t i) {
    ++pairs_;
    source_ = std::max<int64_t>(source_, lengths_.source[at(i)]);
    target_ = std::max<int64_t>(target_, lengths_.target[at(i)]);
    const int64_t longest =
        options_.rule == PairRule::fairseq ? std::max(source_, target_) : source_ + target_;
    return pairs_ * longest <= options_.max_tokens &&
           (options_.max_sentences == 0 || pairs_ <= options_.max_sentences);
  }

 private:
  const PairLengths& lengths_;
  const PairBatchingOptions& options_;
  int64_t pairs_ = 0, source_ = 0, target_ = 0;
};

/// Batches of neighbours: each the largest that is within the budget and, by fairseq's rule, of fewer than 8
/// pairs or a multiple of 8. One pair alone is always a batch.
Plan cut_by_budget(const Order& order, const PairLengths& lengths, const PairBatchingOptions& options) {
  const std::size_t multiple = options.rule == PairRule::fairseq ? 8 : 1;
  Plan plan;
  Budget budget(lengths, options);
  for (std::size_t begin = 0; begin < order.size();) {
    budget.clear();
    std::size_t end = begin, most = begin + 1;
    for (; end < order.size() && budget.add(order[end]); ++end) {
      const std::size_t pairs = end + 1 - begin;
      if (pairs < multiple || pairs % multiple == 0) most = end + 1;
    }
    plan.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(begin),
                      order.begin() + static_cast<std::ptrdiff_t>(most));
    begin = most;
  }
  return plan;
}

/// The pairs that may be trained on, counted apart from those that are too long.
Order usable(const PairLengths& lengths, const PairBatchingOptions& options, int64_t& left_out) {
  Order order;
  order.reserve(lengths.source.size());
  for (int64_t i = 0; i < lengths.size(); ++i) {
    const int64_t source = lengths.source[at(i)], target = lengths.target[at(i)];
    const int64_t tokens = options.rule == PairRule::fairseq ? std::max(source, target) : source + target;
    if (tokens <= options.max_tokens && std::max(source, target) <= options.max_positions) {
      order.push_back(i);
    } else if (options.too_long == TooLong::leave_out) {
      ++left_out;
    } else {
      user_error(
          "training pair {} of those kept has {} source and {} target tokens, which batching.max_tokens {} "
          "and batching.max_positions {} leave no room for: raise them, clean long pairs away "
          "(data.cleaning.max_pieces, where `data` reads texts), or set batching.too_long: leave_out",
          i + 1, source, target, options.max_tokens, options.max_positions);
    }
  }
  return order;
}

/// By one length, keeping the order of equal ones. Counting is linear: millions of pairs take a moment.
template <class Length>
Order sorted_by(const Order& order, Length length) {
  std::vector<std::size_t> places;
  for (const int64_t i : order) {
    const auto n = static_cast<std::size_t>(length(i)) + 1;
    if (n >= places.size()) places.resize(n + 1);
    ++places[n];
  }
  std::partial_sum(places.begin(), places.end(), places.begin());
  Order sorted(order.size());
  for (const int64_t i : order) sorted[places[static_cast<std::size_t>(length(i))]++] = i;
  return sorted;
}

/// fairseq's: stable by target, then by source.
Order order_of_fairseq(const PairLengths& l, const Order& order) {
  const Order by_target = sorted_by(order, [&l](int64_t i) { return l.target[at(i)]; });
  return sorted_by(by_target, [&l](int64_t i) { return l.source[at(i)]; });
}

/// By the longer side, and among pairs of equal ones by the target, upwards and downwards in turn: neighbours
/// are alike on both sides, also where the longer side changes.
Order order_of_padded_sum(const PairLengths& l, const Order& order) {
  const Order by_target = sorted_by(order, [&l](int64_t i) {
    const int32_t longest = size_of(l, i), target = l.target[at(i)];
    return longest % 2 == 0 ? target : longest - target;
  });
  return sorted_by(by_target, [&l](int64_t i) { return size_of(l, i); });
}

std::vector<int64_t> padded(const std::vector<std::vector<int64_t>>& rows, int64_t length, bool on_the_left) {
  std::vector<int64_t> ids(rows.size() * at(length), TranslationVocabulary::pad);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::size_t before = on_the_left ? at(length) - rows[r].size() : 0;
    std::copy(rows[r].begin(), rows[r].end(),
              ids.begin() + static_cast<std::ptrdiff_t>(r * at(length) + before));
  }
  return ids;
}

}  // namespace

void PairBatchingOptions::visit(Fields& f) {
  f("max_tokens", max_tokens, Range{1, 1e9}, "tokens of a batch at most, counted as `rule` says");
  f("rule", rule, {{"fairseq", PairRule::fairseq}, {"padded_sum", PairRule::padded_sum}},
    "fairseq: pairs × the longest side of any, fewer than 8 pairs or a multiple of 8, batches cut once; "
    "padded_sum: pairs × (longest source + longest target), cut anew in every epoch");
  f("max_sentences", max_sentences, Range{0, 1e6}, "pairs of a batch at most; 0: any number");
  f("max_positions", max_positions, Range{1, 1 << 20}, "tokens of a sentence at most, </s> counted");
  f("too_long", too_long, {{"refuse", TooLong::refuse}, {"leave_out", TooLong::leave_out}},
    "what becomes of training pairs that exceed max_tokens or max_positions");
}

PairLengths lengths_of(const SentencePairs& pairs) {
  PairLengths lengths;
  lengths.source.reserve(at(pairs.size()));
  lengths.target.reserve(at(pairs.size()));
  for (int64_t i = 0; i < pairs.size(); ++i) {
    lengths.source.push_back(static_cast<int32_t>(pairs.source_length(i)));
    lengths.target.push_back(static_cast<int32_t>(pairs.target_length(i)));
  }
  return lengths;
}

PairPlan plan_pairs(const PairLengths& lengths, const PairBatchingOptions& options, uint64_t seed,
                    int64_t epoch) {
  const bool once = options.rule == PairRule::fairseq;
  PairPlan plan;
  Order order = usable(lengths, options, plan.left_out);
  Random cutting(derive_seed(seed, "pairs", once ? 0 : static_cast<uint64_t>(epoch)));
  shuffle(std::span(order), cutting);
  plan.batches = cut_by_budget(once ? order_of_fairseq(lengths, order) : order_of_padded_sum(lengths, order),
                               lengths, options);
  Random shuffling(derive_seed(seed, "pair batches", static_cast<uint64_t>(epoch)));
  shuffle(std::span(plan.batches), shuffling);
  return plan;
}

Plan plan_all_pairs(const PairLengths& lengths, int64_t max_tokens, int64_t max_sentences) {
  PairBatchingOptions options;
  options.max_tokens = max_tokens;
  options.max_sentences = max_sentences;
  Order order(at(lengths.size()));
  std::iota(order.begin(), order.end(), 0);
  const auto longest_first = [](const std::vector<int32_t>& all) {
    return [&all](int64_t i) { return longest_told - std::min(all[at(i)], longest_told); };
  };
  order = sorted_by(sorted_by(order, longest_first(lengths.target)), longest_first(lengths.source));
  return cut_by_budget(order, lengths, options);
}

std::string cut_hash(const SentencePairs& pairs, const PairBatchingOptions& options, uint64_t seed) {
  return sha256(fmt::format("cut 1 {} {} {} {} {} {} {}", options.max_tokens, static_cast<int>(options.rule),
                            options.max_sentences, options.max_positions, static_cast<int>(options.too_long),
                            seed, pairs.content_sha256()));
}

PairBatch make_pair_batch(const SentencePairs& pairs, std::span<const int64_t> which, SourcePadding padding) {
  PairBatch batch;
  batch.rows = static_cast<int64_t>(which.size());
  batch.source_padding = padding;
  batch.pairs.assign(which.begin(), which.end());
  std::vector<std::vector<int64_t>> sources(which.size()), inputs(which.size()), outputs(which.size());
  for (std::size_t r = 0; r < which.size(); ++r) {
    pairs.source(which[r], sources[r]);
    pairs.target(which[r], outputs[r]);
    inputs[r] = outputs[r];
    std::rotate(inputs[r].begin(), inputs[r].end() - 1, inputs[r].end());  // its EOS comes first
    batch.source_lengths.push_back(static_cast<int64_t>(sources[r].size()));
    batch.target_lengths.push_back(static_cast<int64_t>(outputs[r].size()));
    batch.source_tokens += batch.source_lengths.back();
    batch.target_tokens += batch.target_lengths.back();
    batch.source_length = std::max(batch.source_length, batch.source_lengths.back());
    batch.target_length = std::max(batch.target_length, batch.target_lengths.back());
  }
  batch.source = padded(sources, batch.source_length, padding == SourcePadding::left);
  batch.target_input = padded(inputs, batch.target_length, false);
  batch.target_output = padded(outputs, batch.target_length, false);
  return batch;
}

}  // namespace attnlab
