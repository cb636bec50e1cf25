// Efficient attentions written for reading, like reference.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>

#include "attention/reference.h"

namespace attnlab::reference {

/// K̄ = Σ_t E[·, t]·k_t over the tokens t of the sentence, and softmax attention over K̄ and V̄.
inline Result linformer(const Weights& w, int heads, const Sentence& s) {
  const std::vector<size_t> tokens = tokens_of(s.context, s.padding);
  const auto compressed = [&](const std::string& map, const std::string& projection) {
    const Matrix full = w.project(map, s.context), e = matrix_of(w[projection + ".weight"]);
    Matrix rows(e.size(), Row(full[0].size(), 0.0));
    for (size_t r = 0; r < rows.size(); ++r)
      for (size_t t = 0; t < tokens.size(); ++t)
        for (size_t c = 0; c < rows[r].size(); ++c) rows[r][c] += e[r][t] * full[tokens[t]][c];
    return rows;
  };
  const std::string second = w.has("compress_value.weight") ? "compress_value" : "compress_key";
  const Matrix y = attend(w.project("query", s.query), compressed("key", "compress_key"),
                          compressed("value", second), heads, {});
  return {w.project("output", y), {}};
}

/// y_i = Σ_j weight(i, j)·v_j / Σ_j weight(i, j) over the tokens j of the context, head by head.
inline Matrix average(const Matrix& v, int heads, size_t queries, const std::vector<size_t>& tokens,
                      const std::function<double(int h, size_t i, size_t t)>& weight, double eps = 0) {
  const size_t d = v[0].size() / heads;
  Matrix y(queries, Row(v[0].size(), 0.0));
  for (int h = 0; h < heads; ++h)
    for (size_t i = 0; i < queries; ++i) {
      double sum = eps;
      for (size_t t = 0; t < tokens.size(); ++t) sum += weight(h, i, t);
      for (size_t t = 0; t < tokens.size(); ++t)
        for (size_t c = h * d; c < (h + 1) * d; ++c) y[i][c] += weight(h, i, t) / sum * v[tokens[t]][c];
    }
  return y;
}

inline double elu_plus_one(double x) { return x > 0 ? x + 1 : std::exp(x); }

inline Result linear(const Weights& w, int heads, const Sentence& s) {
  const Matrix q = w.project("query", s.query), k = w.project("key", s.context);
  const std::vector<size_t> tokens = tokens_of(s.context, s.padding);
  const size_t d = q[0].size() / heads;
  const auto weight = [&](int h, size_t i, size_t t) {
    double sum = 0;
    for (size_t c = h * d; c < (h + 1) * d; ++c) sum += elu_plus_one(q[i][c]) * elu_plus_one(k[tokens[t]][c]);
    return sum;
  };
  const Matrix y = average(w.project("value", s.context), heads, s.query.size(), tokens, weight, 1e-6);
  return {w.project("output", y), {}};
}

/// Positive random features, each sentence's keys scaled by their common maximum.
inline Result performer(const Weights& w, int heads, const Sentence& s) {
  const Matrix q = w.project("query", s.query), k = w.project("key", s.context),
               omega = matrix_of(w["features"]);
  const std::vector<size_t> tokens = tokens_of(s.context, s.padding);
  const size_t d = q[0].size() / heads;
  const double scale = std::pow(static_cast<double>(d), -0.25), eps = 1e-6;
  const auto projected = [&](const Row& x, int h, size_t r) {
    double sum = 0;
    for (size_t c = 0; c < d; ++c) sum += omega[r][c] * scale * x[h * d + c];
    return sum;
  };
  const auto half_square = [&](const Row& x, int h) {
    double sum = 0;
    for (size_t c = 0; c < d; ++c) sum += std::pow(scale * x[h * d + c], 2) / 2;
    return sum;
  };
  const auto largest = [&](const Row& x, int h) {
    double most = -1e300;
    for (size_t r = 0; r < omega.size(); ++r) most = std::max(most, projected(x, h, r));
    return most;
  };
  const auto weight = [&](int h, size_t i, size_t t) {
    double of_keys = -1e300, sum = 0;
    for (const size_t j : tokens) of_keys = std::max(of_keys, largest(k[j], h));
    const double of_query = largest(q[i], h);
    for (size_t r = 0; r < omega.size(); ++r)
      sum += (std::exp(projected(q[i], h, r) - half_square(q[i], h) - of_query) + eps) *
             (std::exp(projected(k[tokens[t]], h, r) - half_square(k[tokens[t]], h) - of_keys) + eps);
    return sum;
  };
  const Matrix y = average(w.project("value", s.context), heads, s.query.size(), tokens, weight);
  return {w.project("output", y), {}};
}

/// The generalised Performer of the released LRA code: features are ReLU(x) + 0.001.
inline Result performer_relu(const Weights& w, int heads, const Sentence& s) {
  const Matrix q = w.project("query", s.query), k = w.project("key", s.context);
  const std::vector<size_t> tokens = tokens_of(s.context, s.padding);
  const size_t d = q[0].size() / heads;
  const auto weight = [&](int h, size_t i, size_t t) {
    double sum = 0;
    for (size_t c = h * d; c < (h + 1) * d; ++c)
      sum += (std::max(q[i][c], 0.0) + 1e-3) * (std::max(k[tokens[t]][c], 0.0) + 1e-3);
    return sum;
  };
  const Matrix y = average(w.project("value", s.context), heads, s.query.size(), tokens, weight);
  return {w.project("output", y), {}};
}

/// The position of every query: its place among the tokens in self-attention, its row otherwise. Padded rows,
/// of which nothing is asked, get 0.
inline std::vector<size_t> positions_of(const Sentence& s) {
  std::vector<size_t> position(s.query.size(), 0);
  if (s.query.size() != s.context.size()) {
    for (size_t i = 0; i < position.size(); ++i) position[i] = i;
    return position;
  }
  const std::vector<size_t> tokens = tokens_of(s.context, s.padding);
  for (size_t t = 0; t < tokens.size(); ++t) position[tokens[t]] = t;
  return position;
}

/// Query at position i reads tokens of blocks ⌊i/block⌋ ± neighbours.
inline Result local(const Weights& w, int heads, const Sentence& s, int block, int neighbours) {
  const Matrix q = w.project("query", s.query), k = w.project("key", s.context);
  const std::vector<size_t> tokens = tokens_of(s.context, s.padding), position = positions_of(s);
  const size_t d = q[0].size() / heads;
  const auto weight = [&](int h, size_t i, size_t t) {
    const int own = static_cast<int>(position[i]) / block, other = static_cast<int>(t) / block;
    if (std::abs(own - other) > neighbours) return 0.0;
    double score = 0;
    for (size_t c = h * d; c < (h + 1) * d; ++c) score += q[i][c] * k[tokens[t]][c];
    return std::exp(score / std::sqrt(static_cast<double>(d)));
  };
  const Matrix y = average(w.project("value", s.context), heads, s.query.size(), tokens, weight);
  return {w.project("output", y), {}};
}

/// Softmax over synthesized scores: of the token (dense), or of the two positions (random, factorised or
/// not).
inline Result synthesizer(const Weights& w, int heads, const Sentence& s) {
  const std::vector<size_t> tokens = tokens_of(s.context, s.padding), position = positions_of(s);
  const bool dense = w.has("hidden.weight");
  const Matrix hidden = dense ? w.project("hidden", s.query) : Matrix();
  const Matrix second = dense ? matrix_of(w["scores.weight"]) : Matrix();
  const Row bias = dense ? matrix_of(w["scores.bias"].unsqueeze(0))[0] : Row();
  const torch::Tensor random = dense             ? torch::Tensor()
                               : w.has("scores") ? w["scores"]
                                                 : torch::matmul(w["left"], w["right"]);
  const size_t d = s.query[0].size() / heads;
  const auto score = [&](int h, size_t i, size_t t) {
    if (!dense) return random[h][static_cast<int64_t>(position[i])][static_cast<int64_t>(t)].item<double>();
    double sum = bias[t];
    for (size_t c = 0; c < d; ++c) sum += second[t][c] * std::max(hidden[i][h * d + c], 0.0);
    return sum;
  };
  const auto weight = [&](int h, size_t i, size_t t) { return std::exp(score(h, i, t)); };
  const Matrix y = average(w.project("value", s.context), heads, s.query.size(), tokens, weight);
  return {w.project("output", y), {}};
}

}  // namespace attnlab::reference
