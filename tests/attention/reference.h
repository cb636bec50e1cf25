// Attention written for reading: double precision, one sentence, one head and one row at a time, no tensors
// inside.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

namespace attnlab::reference {

using Row = std::vector<double>;
using Matrix = std::vector<Row>;

inline Matrix matrix_of(const torch::Tensor& x) {
  const torch::Tensor t = x.detach().to(torch::kDouble).contiguous();
  Matrix m(t.size(0), Row(t.size(1)));
  for (int64_t i = 0; i < t.size(0); ++i)
    for (int64_t j = 0; j < t.size(1); ++j) m[i][j] = t[i][j].item<double>();
  return m;
}

/// The projections of an attention by their names on disk.
class Weights {
 public:
  explicit Weights(const torch::nn::Module& module)
      : parameters_(module.named_parameters()), buffers_(module.named_buffers()) {}

  /// A parameter or buffer by its name on disk.
  const torch::Tensor& operator[](const std::string& name) const {
    const torch::Tensor* parameter = parameters_.find(name);
    return parameter ? *parameter : buffers_[name];
  }
  bool has(const std::string& name) const { return parameters_.contains(name); }

  /// x·Wᵀ + b for the linear `name`, row by row.
  Matrix project(const std::string& name, const Matrix& x) const {
    const Matrix w = matrix_of(parameters_[name + ".weight"]);
    const Row b = matrix_of(parameters_[name + ".bias"].unsqueeze(0))[0];
    Matrix y(x.size(), Row(w.size()));
    for (size_t i = 0; i < x.size(); ++i)
      for (size_t o = 0; o < w.size(); ++o) {
        y[i][o] = b[o];
        for (size_t k = 0; k < x[i].size(); ++k) y[i][o] += w[o][k] * x[i][k];
      }
    return y;
  }

 private:
  torch::OrderedDict<std::string, torch::Tensor> parameters_, buffers_;
};

/// For every head and every query: the average of the values under softmax(q·k/√d), over the keys that
/// `hidden` (empty: none) does not hide. Heads stand side by side in the columns.
inline Matrix attend(const Matrix& q, const Matrix& k, const Matrix& v, int heads,
                     const std::vector<bool>& hidden) {
  const size_t d = q[0].size() / heads;
  Matrix y(q.size(), Row(q[0].size(), 0.0));
  for (int h = 0; h < heads; ++h)
    for (size_t i = 0; i < q.size(); ++i) {
      Row weight(k.size(), 0.0);
      double sum = 0;
      for (size_t j = 0; j < k.size(); ++j) {
        if (!hidden.empty() && hidden[j]) continue;
        double score = 0;
        for (size_t c = h * d; c < (h + 1) * d; ++c) score += q[i][c] * k[j][c];
        weight[j] = std::exp(score / std::sqrt(static_cast<double>(d)));
        sum += weight[j];
      }
      for (size_t j = 0; j < k.size(); ++j)
        for (size_t c = h * d; c < (h + 1) * d; ++c) y[i][c] += weight[j] / sum * v[j][c];
    }
  return y;
}

/// One sentence, as an attention sees it.
struct Sentence {
  Matrix query, context;
  std::vector<bool> padding;  ///< of the context
  Matrix state;               ///< all rows that the batch uses
  std::vector<bool> unread;   ///< rows of the state
};

struct Result {
  Matrix y, state;
};

/// Columns of a sentence that are not padding, in order: a token's position is its place in this list.
inline std::vector<size_t> tokens_of(const Matrix& x, const std::vector<bool>& padding) {
  std::vector<size_t> columns;
  for (size_t j = 0; j < x.size(); ++j)
    if (padding.empty() || !padding[j]) columns.push_back(j);
  return columns;
}

inline Result softmax(const Weights& w, int heads, const Sentence& s) {
  const Matrix y = attend(w.project("query", s.query), w.project("key", s.context),
                          w.project("value", s.context), heads, s.padding);
  return {w.project("output", y), {}};
}

inline Result luna(const Weights& w, int heads, const Sentence& s, bool tied) {
  const Matrix packed =
      attend(w.project("pack_query", s.state), w.project(tied ? "pack_key_value" : "pack_key", s.context),
             w.project(tied ? "pack_key_value" : "pack_value", s.context), heads, s.padding);
  const Matrix y = attend(w.project("query", s.query), w.project(tied ? "key_value" : "key", packed),
                          w.project(tied ? "key_value" : "value", packed), heads, s.unread);
  return {w.project("output", y), packed};
}

}  // namespace attnlab::reference
