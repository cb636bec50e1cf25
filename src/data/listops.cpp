#include "data/listops.h"

#include <algorithm>
#include <unordered_set>

#include "core/error.h"
#include "core/log.h"
#include "core/random.h"
#include "core/stop.h"
#include "data/listops_grammar.h"
#include "data/prepared.h"

namespace attnlab {
namespace {

constexpr Split kSplits[] = {Split::train, Split::validation, Split::test};

int64_t wanted(const ListOpsOptions& o, Split split) {
  return split == Split::train        ? o.train_examples
         : split == Split::validation ? o.validation_examples
                                      : o.test_examples;
}

/// Everything that the examples of a split depend on. A change of the generator counts the version up.
std::string recipe(const ListOpsOptions& o, Split split) {
  return sha256(fmt::format("listops 1 {} n={} length={}-{} depth={} args={} seed={}", name_of(split),
                            wanted(o, split), o.min_length, o.max_length, o.max_depth, o.max_args, o.seed));
}

std::vector<SequenceExample> generate(const ListOpsOptions& o, Split split) {
  constexpr int64_t kPatience = 2'000'000;  // attempts without a new expression
  const listops::TreeShape shape{o.max_depth, o.max_args, o.max_length};
  Random random(derive_seed(static_cast<uint64_t>(o.seed), fmt::format("listops {}", name_of(split))));
  std::unordered_set<uint64_t> seen;
  std::vector<SequenceExample> examples;
  for (int64_t attempts = 0; static_cast<int64_t>(examples.size()) < wanted(o, split); ++attempts) {
    if (attempts % 1024 == 0) stop_here_if_requested();
    if (attempts > kPatience)
      user_error(
          "ListOps: found only {} of {} different {} expressions with lengths {} to {}; ask for fewer, or "
          "widen the lengths",
          examples.size(), wanted(o, split), name_of(split), o.min_length, o.max_length);
    const auto tree = listops::random_tree(shape, random);
    if (!tree || static_cast<int64_t>(tree->size()) < o.min_length) continue;
    std::string symbols(tree->begin(), tree->end());
    const uint64_t hash = derive_seed(0, symbols);
    if (kSplits[hash % 3] != split || !seen.insert(hash).second) continue;
    examples.push_back({fmt::format("{}/{}", name_of(split), examples.size()), listops::evaluate(*tree),
                        std::move(symbols)});
    attempts = 0;
  }
  log_info("listops: generated {} {} expressions", examples.size(), name_of(split));
  return examples;
}

std::shared_ptr<PreparedSequences> open_split(const ListOpsOptions& o, Split split, const DataPlace& place) {
  const std::string fingerprint = recipe(o, split);
  return open_or_prepare(
      place.cache / fmt::format("listops-{}-{}.seq", name_of(split), fingerprint.substr(0, 12)), fingerprint,
      [&] { return generate(o, split); });
}

}  // namespace

void ListOpsOptions::visit(Fields& f) {
  const Range count{1, 10e6};
  f("train_examples", train_examples, count, "expressions to train on (Long Range Arena: 96,000)");
  f("validation_examples", validation_examples, count, "expressions to select on (Long Range Arena: 2,000)");
  f("test_examples", test_examples, count, "expressions to test on (Long Range Arena: 2,000)");
  f("min_length", min_length, Range{1, 1e6}, "shortest expression in tokens (Long Range Arena: 501)");
  f("max_length", max_length, Range{1, 1e6}, "longest expression in tokens (Long Range Arena: 1,999)");
  f("max_depth", max_depth, Range{1, 1000}, "deepest nesting; a digit alone has depth 1");
  f("max_args", max_args, Range{2, 1000}, "most arguments of an operator");
  f("seed", seed, Range{0, 1e9}, "which expressions are drawn");
  f.require(min_length <= max_length, "min_length", "min_length is greater than max_length");
  f.require(max_depth > 1 || min_length == 1, "max_depth",
            "expressions of depth 1 are single digits: min_length must be 1");
}

std::vector<std::string> ListOpsOptions::class_names() const {
  return {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
}

int64_t ListOpsOptions::symbol_count() const { return listops::kSymbols; }

LabelledSplits ListOpsOptions::open(const DataPlace& place) const {
  LabelledSplits splits;
  std::string hashes;
  for (const Split split : kSplits) {
    const auto data = open_split(*this, split, place);
    hashes += data->content_sha256();
    (split == Split::train        ? splits.train
     : split == Split::validation ? splits.validation
                                  : splits.test) = data;
  }
  splits.checksum = sha256(hashes);
  return splits;
}

std::vector<uint8_t> ListOpsOptions::encode(std::string_view text) const { return listops::parse(text); }

}  // namespace attnlab
