#include "data/batches.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/random.h"

namespace attnlab {
namespace {

using Plan = std::vector<std::vector<int64_t>>;

int64_t token_count(std::size_t symbols, const EncodingOptions& encoding) {
  const int64_t whole = static_cast<int64_t>(symbols) + (encoding.cls ? 1 : 0) + (encoding.eos ? 1 : 0);
  return std::min(whole, encoding.max_length);
}

Plan cut(std::span<const int64_t> order, int64_t batch_size) {
  Plan plan;
  const auto rows = static_cast<std::size_t>(batch_size);
  for (std::size_t i = 0; i < order.size(); i += rows) {
    const auto batch = order.subspan(i, std::min(rows, order.size() - i));
    plan.emplace_back(batch.begin(), batch.end());
  }
  return plan;
}

/// Writes the tokens of one text; `row` has room for exactly token_count of them.
void encode_row(std::span<const uint8_t> symbols, const EncodingOptions& encoding, const TokenLayout& layout,
                std::span<int64_t> row) {
  std::size_t at = 0;
  if (encoding.cls) row[at++] = layout.cls();
  const std::size_t kept = std::min(symbols.size(), row.size() - at);
  for (std::size_t i = 0; i < kept; ++i) {
    ensure(symbols[i] < layout.symbols, "symbols below {}, not {}", layout.symbols, symbols[i]);
    row[at++] = TokenLayout::first_symbol + symbols[i];
  }
  if (at < row.size()) row[at] = TokenLayout::eos;
}

TokenBatch encode_rows(const std::vector<std::span<const uint8_t>>& texts, const EncodingOptions& encoding,
                       const TokenLayout& layout) {
  TokenBatch batch;
  batch.rows = static_cast<int64_t>(texts.size());
  for (const auto& text : texts) {
    batch.lengths.push_back(token_count(text.size(), encoding));
    if (batch.lengths.back() == 0)
      user_error(
          "an empty text has nothing to read: encoding without <CLS> and </s> needs at least one symbol");
    batch.length = std::max(batch.length, batch.lengths.back());
  }
  batch.ids.assign(static_cast<std::size_t>(batch.rows * batch.length), TokenLayout::pad);
  for (std::size_t i = 0; i < texts.size(); ++i)
    encode_row(texts[i], encoding, layout,
               std::span(batch.ids).subspan(i * static_cast<std::size_t>(batch.length),
                                            static_cast<std::size_t>(batch.lengths[i])));
  return batch;
}

}  // namespace

void EncodingOptions::visit(Fields& f) {
  f("max_length", max_length, Range{1, 1 << 24},
    "tokens that the model sees, <CLS> and </s> included; longer texts are cut from the start on (Luna: "
    "4002)");
  f("cls", cls, "begin with <CLS>, at position 0");
  f("eos", eos, "end with </s>, unless the text is cut before it");
}

void BatchingOptions::visit(Fields& f) {
  f("batch_size", batch_size, Range{1, 1 << 20}, "examples of a batch");
  f("bucket", bucket, Range{0, 1 << 20},
    "sort by length inside shuffled windows of this many batches, to pad less; 0: batches of any lengths");
}

bool TokenBatch::padded() const {
  return std::any_of(lengths.begin(), lengths.end(), [&](int64_t n) { return n < length; });
}

Plan plan_epoch(std::span<const int64_t> lengths, const BatchingOptions& options, uint64_t seed,
                int64_t epoch) {
  std::vector<int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  Random random(derive_seed(seed, "batches", static_cast<uint64_t>(epoch)));
  shuffle(std::span(order), random);
  if (options.bucket == 0) return cut(order, options.batch_size);

  const auto window = static_cast<std::size_t>(options.bucket * options.batch_size);
  for (std::size_t begin = 0; begin < order.size(); begin += window) {
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(begin + window, order.size()));
    std::stable_sort(order.begin() + static_cast<std::ptrdiff_t>(begin), end, [&](int64_t a, int64_t b) {
      return lengths[static_cast<std::size_t>(a)] < lengths[static_cast<std::size_t>(b)];
    });
  }
  Plan plan = cut(order, options.batch_size);
  const bool last_is_short = !plan.empty() && static_cast<int64_t>(plan.back().size()) < options.batch_size;
  shuffle(std::span(plan).first(plan.size() - (last_is_short ? 1 : 0)),
          random);  // a short batch stays the last
  return plan;
}

Plan plan_evaluation(std::span<const int64_t> lengths, int64_t batch_size) {
  std::vector<int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return lengths[static_cast<std::size_t>(a)] > lengths[static_cast<std::size_t>(b)];
  });
  return cut(order, batch_size);
}

std::span<const uint8_t> visible_symbols(std::span<const uint8_t> text, const EncodingOptions& encoding) {
  const int64_t room = encoding.max_length - (encoding.cls ? 1 : 0);
  return text.first(std::min(text.size(), static_cast<std::size_t>(room)));
}

std::vector<int64_t> token_lengths(const LabelledSequences& data, const EncodingOptions& encoding) {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < data.size(); ++i) lengths.push_back(token_count(data.symbols(i).size(), encoding));
  return lengths;
}

TokenBatch make_batch(const LabelledSequences& data, std::span<const int64_t> examples,
                      const EncodingOptions& encoding, const TokenLayout& layout) {
  std::vector<std::span<const uint8_t>> texts;
  for (const int64_t i : examples) texts.push_back(data.symbols(i));
  TokenBatch batch = encode_rows(texts, encoding, layout);
  for (const int64_t i : examples) batch.labels.push_back(data.label(i));
  batch.examples.assign(examples.begin(), examples.end());
  return batch;
}

TokenBatch make_batch(const std::vector<std::vector<uint8_t>>& texts, const EncodingOptions& encoding,
                      const TokenLayout& layout) {
  TokenBatch batch = encode_rows({texts.begin(), texts.end()}, encoding, layout);
  batch.labels.assign(texts.size(), -1);
  batch.examples.resize(texts.size());
  std::iota(batch.examples.begin(), batch.examples.end(), 0);
  return batch;
}

}  // namespace attnlab
