#include "cache/entries.h"

#include <map>

#include "cache/policies/caote.h"
#include "cache/policies/h2o.h"
#include "cache/policies/keydiff.h"
#include "cache/policies/knorm.h"
#include "cache/policies/merging.h"
#include "cache/policies/rkv.h"
#include "cache/policies/scissorhands.h"
#include "cache/policies/snapkv.h"
#include "cache/policies/snapkv_decoding.h"
#include "cache/policies/summary.h"
#include "cache/policies/surprisal.h"
#include "cache/policies/tova.h"
#include "cache/policies/window.h"

namespace attnlab {
namespace {

using reference::Decision;
using reference::Vec;

constexpr double inf = std::numeric_limits<double>::infinity();

/// One number for each live token.
template <class Score>
reference::Rule each(Score score) {
  return [=](const Decision& d) {
    Vec scores;
    for (const int64_t j : d.live) scores.push_back(score(d, j));
    return scores;
  };
}

const auto age = [](const Decision&, int64_t j) { return static_cast<double>(j); };
const auto newest_weight = [](const Decision& d, int64_t j) { return d.weights[d.t][j]; };
const auto heavy_hitter = [](const Decision& d, int64_t j) {
  if (j > d.t - d.size / 2) return inf;
  double sum = 0;
  for (int64_t s = j; s <= d.t; ++s) sum += d.weights[s][j];
  return sum;
};
const auto output_change = [](const Decision& d, int64_t j) { return d.change[j]; };
const auto unlike_others = [](const Decision& d, int64_t j) { return -d.cosine[j]; };
const auto small_norm = [](const Decision& d, int64_t j) { return -d.key_norm[j]; };
const auto surprising = [](const Decision& d, int64_t j) {
  return d.weights[d.t][j] * (1.0 + d.text.surprisal[j]) * (1.0 + d.text.surprisal[j]);
};

constexpr int64_t history = 20, recent = 3, window = 4, pool = 3;

const auto seldom_low = [](const Decision& d, int64_t j) {
  if (j > d.t - recent) return inf;
  double low = 0;
  for (int64_t s = std::max(j, d.t - history + 1); s <= d.t; ++s)
    low += d.weights[s][j] < (1.0 - 1e-6) / static_cast<double>(d.live_at[s]);
  return -low;
};

/// The prompt is 0 … t, and has just ended. Pooled by Torch, as in the authors' code.
template <NeighbourPooling pooling>
Vec looked_at(const Decision& d) {
  const int64_t before = d.t + 1 - window;
  const auto sum = [&](int64_t j) {
    double total = 0;
    for (int64_t s = d.t - window + 1; s <= d.t; ++s) total += d.weights[s][j];
    return total;
  };
  Vec sums;
  for (int64_t j = 0; j < before; ++j) sums.push_back(sum(j));
  const Tensor sums_11N = torch::tensor(sums, torch::kDouble).view({1, 1, -1});
  const Tensor pooled_11N = pooling == NeighbourPooling::max ? torch::max_pool1d(sums_11N, pool, 1, pool / 2)
                                                             : torch::avg_pool1d(sums_11N, pool, 1, pool / 2);
  const double* pooled = pooled_11N.const_data_ptr<double>();
  Vec scores;
  for (const int64_t j : d.live)
    scores.push_back(j < before ? pooled[j] : inf);  // some may have gone already
  return scores;
}

/// At every token. Neighbours are those that the newest query saw, also where several go at once.
Vec lately_looked_at(const Decision& d) {
  std::vector<int64_t> before;
  for (int64_t j = 0; j <= d.t - window; ++j)
    if (d.weights[d.t][j] > 0) before.push_back(j);
  const auto sum = [&](int64_t j) {
    double total = 0;
    for (int64_t s = std::max<int64_t>(0, d.t - window + 1); s <= d.t; ++s) total += d.weights[s][j];
    return total;
  };
  const int64_t n = static_cast<int64_t>(before.size());
  std::map<int64_t, double> pooled;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t m = std::max<int64_t>(0, i - pool / 2); m <= std::min(n - 1, i + pool / 2); ++m)
      pooled[before[i]] += sum(before[m]);
    pooled[before[i]] /= pool;
  }
  Vec scores;
  for (const int64_t j : d.live) scores.push_back(j <= d.t - window ? pooled.at(j) : inf);
  return scores;
}

/// Of what the newest query saw, also where several go at once: the whole matrix of cosines at every
/// decision.
Vec redundancy(const Decision& d, const std::vector<int64_t>& seen) {
  const size_t n = seen.size();
  std::vector<Vec> cosine(n, Vec(n, 0.0));
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j)
      for (size_t h = 0; i != j && h < d.keys[seen[i]].size(); ++h) {
        const Vec &a = d.keys[seen[i]][h], &b = d.keys[seen[j]][h];
        cosine[i][j] += reference::dot(a, b) / std::sqrt(reference::dot(a, a) * reference::dot(b, b)) /
                        static_cast<double>(d.keys[seen[i]].size());
      }
  for (Vec& row : cosine) {
    size_t latest = 0;
    for (size_t j = 0; j < n; ++j)
      if (row[j] > 0.5) latest = j;
    row[latest] = 0;
  }
  Vec mean(n, 0.0);
  for (size_t j = 0; j < n; ++j)
    for (size_t i = 0; i < n; ++i) mean[j] += cosine[i][j] / static_cast<double>(n);
  return reference::softmax(mean);
}

Vec looked_at_and_unlike_others(const Decision& d) {
  std::vector<int64_t> seen;
  for (int64_t j = 0; j <= d.t; ++j)
    if (d.weights[d.t][j] > 0) seen.push_back(j);
  const Vec redundant = redundancy(d, seen);
  std::vector<int64_t> before;
  for (const int64_t j : seen)
    if (j <= d.t - window) before.push_back(j);
  const int64_t n = static_cast<int64_t>(before.size());
  Vec importance(n, 0.0);
  for (int64_t s = std::max<int64_t>(0, d.t - window + 1); s <= d.t; ++s) {
    double total = 0;
    for (const int64_t j : before) total += d.weights[s][j];
    for (int64_t i = 0; i < n; ++i) importance[i] += d.weights[s][before[i]] / total / window;
  }
  std::map<int64_t, double> score;
  for (int64_t i = 0; i < n; ++i) {
    double most = 0;
    for (int64_t m = std::max<int64_t>(0, i - pool / 2); m <= std::min(n - 1, i + pool / 2); ++m)
      most = std::max(most, importance[m]);
    score[before[i]] = 0.07 * most - 0.93 * redundant[i];  // `before` is where `seen` begins
  }
  Vec scores;
  for (const int64_t j : d.live) scores.push_back(j <= d.t - window ? score.at(j) : inf);
  return scores;
}

template <class Options>
PolicyEntry policy(std::string name, Heads heads, reference::Rule rule) {
  const auto options = [=] {
    auto o = std::make_shared<Options>();
    o->heads = heads;
    return o;
  };
  return {std::move(name), options, std::move(rule)};
}

PolicyEntry surprisal(std::string name) {
  const auto options = [] {
    auto o = std::make_shared<SurprisalOptions>();
    o->power = 2.0;
    return o;
  };
  return {std::move(name), options, each(surprising)};
}

PolicyEntry scissorhands(std::string name, Heads heads) {
  const auto options = [=] {
    auto o = std::make_shared<ScissorhandsOptions>();
    o->heads = heads;
    o->history = history;
    o->recent = recent;
    return o;
  };
  return {std::move(name), options, each(seldom_low)};
}

/// Of a policy that looks back over a window and pools what it saw.
template <class Options>
std::shared_ptr<Options> with_window(Heads heads) {
  auto o = std::make_shared<Options>();
  o->heads = heads;
  o->window = window;
  o->pool = pool;
  return o;
}

template <NeighbourPooling pooling>
PolicyEntry snapkv(std::string name, Heads heads) {
  const auto options = [=] {
    auto o = with_window<SnapKvOptions>(heads);
    o->pooling = pooling;
    return o;
  };
  return {std::move(name), options, looked_at<pooling>, /*once=*/true};
}

PolicyEntry snapkv_decoding(std::string name, Heads heads) {
  return {std::move(name), [=] { return with_window<SnapKvDecodingOptions>(heads); }, lately_looked_at};
}

PolicyEntry rkv(std::string name, Heads heads) {
  return {std::move(name), [=] { return with_window<RkvOptions>(heads); }, looked_at_and_unlike_others};
}

PolicyEntry merging(std::string name, Heads heads) {
  PolicyEntry entry = policy<MergingOptions>(std::move(name), heads, each(newest_weight));
  entry.dropped = reference::Setting::merged;
  return entry;
}

/// As many directions as there are: then the incremental summary has lost nothing.
PolicyEntry summary(std::string name, Heads heads) {
  const auto options = [=] {
    auto o = std::make_shared<SummaryOptions>();
    o->heads = heads;
    o->directions = 32;  // keys and values of 16 numbers each, the most in the matrix
    return o;
  };
  return {std::move(name), options, each(newest_weight), false, reference::Setting::summarised};
}

}  // namespace

std::vector<PolicyEntry> entries() {
  return {
      policy<WindowOptions>("window", Heads::layer_wise, each(age)),
      policy<TovaOptions>("tova", Heads::layer_wise, each(newest_weight)),
      policy<TovaOptions>("tova_apart", Heads::head_wise, each(newest_weight)),
      policy<CaoteOptions>("caote", Heads::layer_wise, each(output_change)),
      policy<CaoteOptions>("caote_apart", Heads::head_wise, each(output_change)),
      policy<H2oOptions>("h2o", Heads::head_wise, each(heavy_hitter)),
      policy<H2oOptions>("h2o_together", Heads::layer_wise, each(heavy_hitter)),
      policy<KnormOptions>("knorm", Heads::head_wise, each(small_norm)),
      policy<KnormOptions>("knorm_together", Heads::layer_wise, each(small_norm)),
      policy<KeyDiffOptions>("keydiff", Heads::head_wise, each(unlike_others)),
      policy<KeyDiffOptions>("keydiff_together", Heads::layer_wise, each(unlike_others)),
      surprisal("surprisal"),
      scissorhands("scissorhands", Heads::head_wise),
      scissorhands("scissorhands_together", Heads::layer_wise),
      snapkv<NeighbourPooling::average>("snapkv", Heads::head_wise),
      snapkv<NeighbourPooling::average>("snapkv_together", Heads::layer_wise),
      snapkv<NeighbourPooling::max>("snapkv_max", Heads::head_wise),
      snapkv_decoding("snapkv_decoding", Heads::head_wise),
      snapkv_decoding("snapkv_decoding_together", Heads::layer_wise),
      rkv("rkv", Heads::head_wise),
      rkv("rkv_together", Heads::layer_wise),
      merging("merging", Heads::layer_wise),
      merging("merging_apart", Heads::head_wise),
      summary("summary", Heads::layer_wise),
      summary("summary_apart", Heads::head_wise),
  };
}

}  // namespace attnlab
