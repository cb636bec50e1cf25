#include "metrics/kept_tokens.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "core/error.h"

namespace attnlab {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr double KeptLayer::*kSums[] = {&KeptLayer::life, &KeptLayer::censored, &KeptLayer::first_life,
                                        &KeptLayer::steps, &KeptLayer::recent};

/// Where each token's life ends: the first step after which it is gone, n where it is kept.
std::vector<int64_t> ends_of(std::span<const int64_t> expiry) {
  const auto n = static_cast<int64_t>(expiry.size());
  std::vector<int64_t> ends;
  for (int64_t j = 0; j < n; ++j) {
    const int64_t last = expiry[static_cast<std::size_t>(j)];
    ensure(last == -1 || (last >= j && last < n), "an expiry of −1 or {} to {}, not {}", j, n - 1, last);
    ends.push_back(last < 0 ? n : last);
  }
  return ends;
}

/// Counts the steps after which anything had been dropped, and adds up their shares of recent states.
///
/// After step t, t + 1 − d states are live, where d have been dropped, so that the most recent of that many
/// begin with token d. A token j therefore counts as recent until the (j + 1)-th drop, whichever that drops:
/// it is live and recent from its own step until the earlier of that and its own end.
void add_recent(std::span<const int64_t> ends, KeptLayer& layer) {
  const std::size_t n = ends.size();
  std::vector<int64_t> drops, change(n + 1, 0);
  for (const int64_t end : ends)
    if (end < static_cast<int64_t>(n)) drops.push_back(end);
  std::ranges::sort(drops);
  for (std::size_t j = 0; j < n; ++j) {
    const int64_t until = j < drops.size() ? std::min(ends[j], drops[j]) : ends[j];
    if (until <= static_cast<int64_t>(j)) continue;
    ++change[j];
    --change[static_cast<std::size_t>(until)];
  }
  int64_t recent = 0;
  std::size_t dropped = 0;
  for (std::size_t t = 0; t < n; ++t) {
    recent += change[t];
    while (dropped < drops.size() && drops[dropped] <= static_cast<int64_t>(t)) ++dropped;
    if (dropped == 0 || dropped > t) continue;
    ++layer.steps;
    layer.recent += static_cast<double>(recent) / static_cast<double>(t + 1 - dropped);
  }
}

/// Lives by token, added to `lives`.
void add_lives(std::span<const int64_t> ends, KeptLayer& layer, std::vector<double>& lives) {
  const auto n = static_cast<int64_t>(ends.size());
  for (int64_t j = 0; j < n; ++j) {
    const int64_t end = ends[static_cast<std::size_t>(j)];
    const auto life = static_cast<double>(std::min(end, n - 1) - j + 1);
    layer.life += life;
    layer.censored += end == n ? 1 : 0;
    if (j == 0) layer.first_life += life;
    lives[static_cast<std::size_t>(j)] += life;
  }
}

struct Terms {
  double above = 0, below = 0;  ///< of the ratio
};

/// Σ above / Σ below over the chunks that have something below.
KeptFigure ratio_over(std::span<const KeptChunk> chunks,
                      const std::function<Terms(const KeptChunk&)>& terms_of) {
  std::vector<Terms> all;
  Terms sum;
  for (const KeptChunk& chunk : chunks) {
    const Terms terms = terms_of(chunk);
    if (terms.below == 0) continue;
    all.push_back(terms);
    sum.above += terms.above;
    sum.below += terms.below;
  }
  const auto n = static_cast<int64_t>(all.size());
  if (n == 0) return {kNothing, kNothing, 0};
  const double value = sum.above / sum.below;
  if (n < 2) return {value, kNothing, n};
  double squares = 0;
  for (const Terms& terms : all) squares += std::pow(terms.above - value * terms.below, 2);
  const auto size = static_cast<double>(n);
  return {value, std::sqrt(size / (size - 1) * squares) / sum.below, n};
}

/// Mean over the layers.
double mean_of(const KeptChunk& chunk, double KeptLayer::*sum) {
  double all = 0;
  for (const KeptLayer& layer : chunk.layers) all += layer.*sum;
  return all / static_cast<double>(chunk.layers.size());
}

double size_of(const KeptChunk& chunk) { return static_cast<double>(chunk.tokens); }

}  // namespace

KeptChunk kept_chunk(const Expiry& expiry, std::span<const int64_t> classes, int64_t class_count) {
  const auto tokens = static_cast<std::size_t>(expiry.tokens),
             groups = static_cast<std::size_t>(expiry.groups);
  ensure(!expiry.layers.empty() && expiry.values.size() == expiry.layers.size() * groups * tokens,
         "{} expiries, not {} layers of {} groups of {}", expiry.values.size(), expiry.layers.size(), groups,
         tokens);
  KeptChunk chunk{expiry.tokens, {}, {}};
  std::vector<double> lives(tokens, 0.0);
  for (std::size_t i = 0; i < expiry.layers.size(); ++i) {
    KeptLayer& layer = chunk.layers.emplace_back(KeptLayer{.layer = expiry.layers[i]});
    for (std::size_t group = 0; group < groups; ++group) {
      const auto ends = ends_of(expiry.values.subspan((i * groups + group) * tokens, tokens));
      add_lives(ends, layer, lives);
      add_recent(ends, layer);
    }
    for (const auto sum : kSums) layer.*sum /= static_cast<double>(groups);
  }
  if (classes.empty()) return chunk;
  ensure(classes.size() == tokens, "a class for each of {} tokens, not {}", tokens, classes.size());
  chunk.classes.resize(static_cast<std::size_t>(class_count));
  for (std::size_t j = 0; j < tokens; ++j) {
    KeptClass& held = chunk.classes.at(static_cast<std::size_t>(classes[j]));
    ++held.tokens;
    held.life += lives[j] / static_cast<double>(expiry.layers.size() * groups);
  }
  return chunk;
}

KeptFigure mean_life(std::span<const KeptChunk> chunks) {
  return ratio_over(chunks, [](const KeptChunk& c) {
    return Terms{mean_of(c, &KeptLayer::life), size_of(c)};
  });
}

KeptFigure recent_share(std::span<const KeptChunk> chunks) {
  return ratio_over(chunks, [](const KeptChunk& c) {
    return Terms{mean_of(c, &KeptLayer::recent), mean_of(c, &KeptLayer::steps)};
  });
}

KeptFigure first_life(std::span<const KeptChunk> chunks) {
  return ratio_over(chunks, [](const KeptChunk& c) { return Terms{mean_of(c, &KeptLayer::first_life), 1}; });
}

KeptFigure first_life_share(std::span<const KeptChunk> chunks) {
  return ratio_over(chunks, [](const KeptChunk& c) {
    return Terms{mean_of(c, &KeptLayer::first_life) / size_of(c), 1};
  });
}

KeptFigure censored_share(std::span<const KeptChunk> chunks) {
  return ratio_over(chunks, [](const KeptChunk& c) {
    return Terms{mean_of(c, &KeptLayer::censored), size_of(c)};
  });
}

KeptFigure class_life(std::span<const KeptChunk> chunks, std::size_t of_class) {
  return ratio_over(chunks, [of_class](const KeptChunk& c) {
    if (c.classes.empty()) return Terms{};
    const KeptClass& held = c.classes.at(of_class);
    return Terms{held.life, static_cast<double>(held.tokens)};
  });
}

std::vector<KeptLayer> sum_of_layers(std::span<const KeptChunk> chunks) {
  std::vector<KeptLayer> sums;
  for (const KeptChunk& chunk : chunks) {
    if (sums.empty())
      for (const KeptLayer& layer : chunk.layers) sums.push_back({.layer = layer.layer});
    ensure(sums.size() == chunk.layers.size(), "the same layers in every chunk");
    for (std::size_t i = 0; i < sums.size(); ++i)
      for (const auto sum : kSums) sums[i].*sum += chunk.layers[i].*sum;
  }
  return sums;
}

int64_t tokens_of(std::span<const KeptChunk> chunks) {
  int64_t tokens = 0;
  for (const KeptChunk& chunk : chunks) tokens += chunk.tokens;
  return tokens;
}

int64_t tokens_of_class(std::span<const KeptChunk> chunks, std::size_t of_class) {
  int64_t tokens = 0;
  for (const KeptChunk& chunk : chunks)
    if (!chunk.classes.empty()) tokens += chunk.classes.at(of_class).tokens;
  return tokens;
}

}  // namespace attnlab
