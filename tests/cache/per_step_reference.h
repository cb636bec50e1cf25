// Attention over a bounded set of states, written for reading: double precision, one sequence, one step at a
// time, nothing reused. Rules see the whole history of weights and follow their definitions.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

namespace attnlab::reference {

using Vec = std::vector<double>;

/// A sequence as projected: q [token][query head][d], k and v [token][key-value head][d], before rotary
/// positions; token t stands at position t.
struct Text {
  std::vector<std::vector<Vec>> q, k, v;
  std::vector<int64_t> ids;
  Vec surprisal;
};

/// One decision: after step t the lane holds the tokens `live` (ascending); weights[s][j] is the mean weight
/// that step s gave token j, key_norm[j] the mean norm of its keys.
struct Decision {
  int64_t t = 0, size = 0;
  const std::vector<int64_t>& live;
  const std::vector<Vec>& weights;
  const std::vector<int64_t>& live_at;  ///< states held at each step, the newest included
  const Vec& key_norm;
  const Vec& change;  ///< of the output, were token j's state not there: mean over the lane's query heads
  const Vec&
      cosine;  ///< of token j's key with the mean of all normalised ones, mean over the lane's key heads
  const std::vector<std::vector<Vec>>& keys;  ///< [token][key head of the lane], as kept
  const Text& text;
};

/// One score for each live token, larger for what should stay.
using Rule = std::function<Vec(const Decision&)>;

struct Setting {
  int64_t size = 1;
  bool apart = false;
  int64_t protect_first = 0;
  std::vector<int64_t> protected_ids;
  int64_t sliding_window = 0;
  int64_t piece = 1;  ///< tokens between droppings; 0: dropped at the end only
  bool compress_gaps = false;
  enum { forgotten, merged, summarised } dropped = forgotten;
  double theta = 10000.0;
};

struct Outcome {
  std::vector<std::vector<Vec>> y;           ///< [token][query head][d]
  std::vector<std::vector<int64_t>> expiry;  ///< [lane][token]; −1: kept
  std::vector<Vec> gap;                      ///< [lane][step]: relative gap between the two lowest scores
};

inline Vec rotated(const Vec& x, int64_t position, double theta) {
  const size_t half = x.size() / 2;
  Vec y(x.size());
  for (size_t i = 0; i < half; ++i) {
    const double angle = static_cast<double>(position) * std::pow(theta, -static_cast<double>(i) / half);
    y[i] = x[i] * std::cos(angle) - x[i + half] * std::sin(angle);
    y[i + half] = x[i + half] * std::cos(angle) + x[i] * std::sin(angle);
  }
  return y;
}

inline double dot(const Vec& a, const Vec& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

inline Vec softmax(const Vec& logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  Vec e(logits.size());
  double total = 0;
  for (size_t i = 0; i < e.size(); ++i) total += e[i] = std::exp(logits[i] - top);
  for (double& x : e) x /= total;
  return e;
}

/// Where the live tokens stand when gaps are compressed.
inline std::vector<int64_t> positions_of(const std::vector<int64_t>& live, bool compress) {
  if (!compress) return live;
  std::vector<int64_t> at{0};
  for (size_t i = 1; i < live.size(); ++i) {
    const double g = static_cast<double>(live[i] - live[i - 1]);
    const double short_gap = g <= 10 ? g : 10 + std::log(std::log(g - 10 + std::exp(1.0)));
    at.push_back(at.back() + static_cast<int64_t>(std::ceil(short_gap)));
  }
  return at;
}

/// The lane of key-value heads [first, first + count).
class LaneOfHeads {
 public:
  LaneOfHeads(const Text& text, const Setting& setting, const Rule& rule, size_t first, size_t count)
      : text_(text), setting_(setting), rule_(rule), first_(first), count_(count) {}

  void run(Outcome& outcome) {
    const int64_t tokens = static_cast<int64_t>(text_.q.size());
    expiry_.assign(tokens, -1);
    gap_.assign(tokens, std::numeric_limits<double>::infinity());
    past_.resize(count_);
    for (int64_t t = 0; t < tokens; ++t) {
      leave_window(t);
      append(t);
      attend(t, outcome);
      const bool piece_ends = setting_.piece > 0 && (t + 1) % setting_.piece == 0;
      std::vector<int64_t> gone;
      if (piece_ends || t + 1 == tokens)
        while (static_cast<int64_t>(live_.size()) > setting_.size) gone.push_back(drop(t));
      for (const int64_t j : gone) live_on(j);
    }
    outcome.expiry.push_back(expiry_);
    outcome.gap.push_back(gap_);
  }

 private:
  void leave_window(int64_t t) {
    if (setting_.sliding_window == 0) return;
    const auto old = std::find(live_.begin(), live_.end(), t - setting_.sliding_window);
    if (old == live_.end()) return;
    expiry_[*old] = t - 1;
    live_.erase(old);
  }

  void append(int64_t t) {
    live_.push_back(t);
    double norm = 0;
    keys_.emplace_back();
    values_.emplace_back();
    stands_for_.push_back(1.0);
    for (size_t h = first_; h < first_ + count_; ++h) {
      // Compressed positions change with every step: such keys are rotated when they are used.
      keys_[t].push_back(setting_.compress_gaps ? text_.k[t][h] : rotated(text_.k[t][h], t, setting_.theta));
      values_[t].push_back(text_.v[t][h]);
    }
    for (size_t h = first_; h < first_ + count_; ++h) norm += std::sqrt(dot(text_.k[t][h], text_.k[t][h]));
    key_norm_.push_back(norm / static_cast<double>(count_));
  }

  void attend(int64_t t, Outcome& outcome) {
    const std::vector<int64_t> at = positions_of(live_, setting_.compress_gaps);
    const size_t group = text_.q[t].size() / text_.k[t].size();
    Vec mean(text_.q.size(), 0.0);
    change_.assign(text_.q.size(), 0.0);
    for (size_t h = first_ * group; h < (first_ + count_) * group; ++h) {
      const Vec query = rotated(text_.q[t][h], at.back(), setting_.theta);
      Vec logits;
      const size_t head = h / group - first_;
      for (size_t i = 0; i < live_.size(); ++i) {
        const Vec& key = keys_[live_[i]][head];
        logits.push_back(dot(query, setting_.compress_gaps ? rotated(key, at[i], setting_.theta) : key) /
                         std::sqrt(static_cast<double>(query.size())));
      }
      const auto [past_logit, past_value] = ask_the_past(head, query);
      logits.push_back(past_logit);
      const Vec weights = softmax(logits);
      Vec& y = outcome.y[t][h];
      y.assign(query.size(), 0.0);
      for (size_t i = 0; i < live_.size(); ++i) {
        mean[live_[i]] += weights[i] / static_cast<double>(count_ * group);
        for (size_t c = 0; c < y.size(); ++c) y[c] += weights[i] * values_[live_[i]][head][c];
      }
      if (!past_value.empty())
        for (size_t c = 0; c < y.size(); ++c) y[c] += weights.back() * past_value[c];
      for (size_t i = 0; i < live_.size(); ++i) {
        double square = 0;
        for (size_t c = 0; c < y.size(); ++c) square += std::pow(y[c] - values_[live_[i]][head][c], 2);
        change_[live_[i]] +=
            weights[i] / (1 - weights[i]) * std::sqrt(square) / static_cast<double>(count_ * group);
      }
    }
    weights_.push_back(mean);
    compare_keys();
    live_at_.push_back(static_cast<int64_t>(live_.size()));
  }

  void compare_keys() {
    cosine_.assign(text_.q.size(), 0.0);
    for (size_t h = 0; h < count_; ++h) {
      Vec sum(keys_[0][h].size(), 0.0);
      const auto length = [](const Vec& x) { return std::sqrt(dot(x, x)); };
      for (const int64_t j : live_)
        for (size_t c = 0; c < sum.size(); ++c) sum[c] += keys_[j][h][c] / length(keys_[j][h]);
      for (const int64_t j : live_)
        cosine_[j] +=
            dot(keys_[j][h], sum) / (length(keys_[j][h]) * length(sum)) / static_cast<double>(count_);
    }
  }

  /// Returns the token whose state went.
  int64_t drop(int64_t t) {
    const Vec scores =
        rule_({t, setting_.size, live_, weights_, live_at_, key_norm_, change_, cosine_, keys_, text_});
    size_t lowest = live_.size();
    double least = std::numeric_limits<double>::infinity(), next = least;
    for (size_t i = 0; i < live_.size(); ++i) {
      const auto& ids = setting_.protected_ids;
      const bool is_protected =
          live_[i] < setting_.protect_first ||
          (!text_.ids.empty() && std::count(ids.begin(), ids.end(), text_.ids[live_[i]]));
      if (is_protected) continue;
      if (lowest == live_.size() || scores[i] < least) {  // the oldest among equals: live_ ascends
        next = least;
        least = scores[i];
        lowest = i;
      } else {
        next = std::min(next, scores[i]);
      }
    }
    const double scale = std::max(std::abs(least), std::abs(next));
    if (std::isfinite(scale) && scale > 0) gap_[t] = std::min(gap_[t], (next - least) / scale);
    if (scale == 0) gap_[t] = 0;
    const int64_t gone = live_[lowest];
    expiry_[gone] = t;
    live_.erase(live_.begin() + static_cast<int64_t>(lowest));
    return gone;
  }

  void live_on(int64_t gone) {
    if (setting_.dropped == Setting::merged && !live_.empty()) merge(gone);
    if (setting_.dropped == Setting::summarised)
      for (size_t h = 0; h < count_; ++h) past_[h].push_back(gone);
  }

  /// All heads' keys of a token, one after the other.
  Vec whole_key(int64_t j) const {
    Vec whole;
    for (const Vec& key : keys_[j]) whole.insert(whole.end(), key.begin(), key.end());
    return whole;
  }

  void merge(int64_t gone) {
    const Vec key = whole_key(gone);
    int64_t nearest = live_[0];
    double best = -2;
    for (const int64_t j : live_) {
      const Vec other = whole_key(j);
      const double cosine = dot(key, other) / std::sqrt(dot(key, key) * dot(other, other));
      if (cosine > best) best = cosine, nearest = j;
    }
    const double a = stands_for_[nearest], b = stands_for_[gone];
    for (size_t h = 0; h < count_; ++h)
      for (size_t c = 0; c < keys_[gone][h].size(); ++c) {
        keys_[nearest][h][c] = (a * keys_[nearest][h][c] + b * keys_[gone][h][c]) / (a + b);
        values_[nearest][h][c] = (a * values_[nearest][h][c] + b * values_[gone][h][c]) / (a + b);
      }
    stands_for_[nearest] = a + b;
  }

  /// What the dropped states answer, were their (key, value) pairs drawn from a normal distribution with
  /// their own mean and covariance: all n of them are still here, nothing is incremental.
  std::pair<double, Vec> ask_the_past(size_t head, const Vec& query) const {
    const std::vector<int64_t>& gone = past_[head];
    if (gone.empty()) return {-std::numeric_limits<double>::infinity(), {}};
    const double n = static_cast<double>(gone.size()),
                 scale = 1 / std::sqrt(static_cast<double>(query.size()));
    Vec along, value(query.size(), 0.0);  // q·k of each, scaled
    double mean = 0, variance = 0;
    for (const int64_t j : gone) along.push_back(dot(query, keys_[j][head]) * scale);
    for (const double a : along) mean += a / n;
    for (const double a : along) variance += (a - mean) * (a - mean) / n;
    for (size_t i = 0; i < gone.size(); ++i)
      for (size_t c = 0; c < value.size(); ++c)
        value[c] += (1.0 + along[i] - mean) * values_[gone[i]][head][c] / n;  // mean + covariance with q·k
    return {std::log(n) + mean + variance / 2, value};
  }

  const Text& text_;
  const Setting& setting_;
  const Rule& rule_;
  size_t first_, count_;
  std::vector<int64_t> live_, live_at_, expiry_;
  std::vector<std::vector<Vec>> keys_, values_;  ///< [token][head of the lane]
  Vec stands_for_;                               ///< states merged into each, itself included
  std::vector<std::vector<int64_t>> past_;  ///< [head of the lane]: dropped tokens that a summary speaks for
  std::vector<Vec> weights_;
  Vec key_norm_, gap_, change_, cosine_;
};

inline Outcome run(const Text& text, const Setting& setting, const Rule& rule) {
  Outcome outcome;
  outcome.y.assign(text.q.size(), std::vector<Vec>(text.q[0].size()));
  const size_t kv_heads = text.k[0].size();
  if (setting.apart)
    for (size_t h = 0; h < kv_heads; ++h) LaneOfHeads(text, setting, rule, h, 1).run(outcome);
  else
    LaneOfHeads(text, setting, rule, 0, kv_heads).run(outcome);
  return outcome;
}

}  // namespace attnlab::reference
