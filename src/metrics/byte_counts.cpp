#include "metrics/byte_counts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "metrics/lbfgs.h"
#include "metrics/statistics.h"

// n texts, m columns (symbols in use), k outputs (1 for two classes); x is n×m, weights are k×(m+1).
namespace attnlab {
namespace {

using Text = std::span<const uint8_t>;

/// One feature a symbol.
void features_of(Text text, CountFeature feature, std::span<double> out) {
  std::fill(out.begin(), out.end(), 0.0);
  for (const uint8_t symbol : text) {
    ensure(symbol < out.size(), "symbols below {}, not {}", out.size(), symbol);
    out[symbol] += 1;
  }
  const double n = std::max(1.0, static_cast<double>(text.size()));
  for (double& c : out) switch (feature) {
      case CountFeature::count:
        break;
      case CountFeature::frequency:
        c /= n;
        break;
      case CountFeature::root_frequency:
        c = std::sqrt(c / n);
        break;
      case CountFeature::log_count:
        c = std::log1p(c);
        break;
    }
}

/// Eight sums side by side, which compilers turn into vector instructions without being allowed to reorder.
double dot(const double* a, const double* b, std::size_t n) {
  std::array<double, 8> sums{};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::size_t j = 0; j < 8; ++j) sums[j] += a[i + j] * b[i + j];
  double sum = 0;
  for (; i < n; ++i) sum += a[i] * b[i];
  for (const double s : sums) sum += s;
  return sum;
}

std::size_t outputs_of(int64_t classes) { return classes == 2 ? 1 : static_cast<std::size_t>(classes); }

/// Logits of one row of standardised features.
void logits_of(const double* x, std::size_t m, std::span<const double> weights, std::span<double> logits) {
  for (std::size_t k = 0; k < logits.size(); ++k) {
    const double* row = weights.data() + k * (m + 1);
    logits[k] = dot(x, row, m) + row[m];
  }
}

/// Turns the logits into the probabilities of their outputs: the second class's when there is one output.
void to_probabilities(std::span<double> z) {
  if (z.size() == 1) {
    z[0] = 1 / (1 + std::exp(-z[0]));
    return;
  }
  const double top = *std::max_element(z.begin(), z.end());
  double sum = 0;
  for (double& v : z) sum += v = std::exp(v - top);
  for (double& v : z) v /= sum;
}

/// Log loss of one row from its logits, which become its derivatives.
double loss_of(std::span<double> z, int32_t label) {
  if (z.size() == 1) {
    const double signed_logit = label == 1 ? z[0] : -z[0];
    const double loss = signed_logit > 0 ? std::log1p(std::exp(-signed_logit))
                                         : -signed_logit + std::log1p(std::exp(signed_logit));
    to_probabilities(z);
    z[0] -= label;
    return loss;
  }
  const auto target = static_cast<std::size_t>(label);
  const double top = *std::max_element(z.begin(), z.end());
  double sum = 0;
  for (const double v : z) sum += std::exp(v - top);
  const double loss = std::log(sum) + top - z[target];
  to_probabilities(z);
  z[target] -= 1;
  return loss;
}

}  // namespace

/// The training texts under one feature, ready to be fitted under any penalty.
struct ByteCountFit {
  ByteCountClassifier model;  ///< all but the weights
  std::vector<double> x;
  std::span<const int32_t> labels;

  ByteCountFit(const LabelledTexts& train, int64_t symbols, int64_t classes, CountFeature feature);
  std::size_t rows() const { return labels.size(); }
  std::size_t columns() const { return model.columns_.size(); }
  /// Mean log loss plus penalty at `weights`, and its gradient.
  double objective(double penalty, std::span<const double> weights, std::span<double> gradient) const;
  /// Fits from the weights that the model holds.
  void fit(double penalty, double gradient_bound);
};

ByteCountFit::ByteCountFit(const LabelledTexts& train, int64_t symbols, int64_t classes, CountFeature feature)
    : labels(train.labels) {
  ensure(!train.texts.empty() && train.texts.size() == train.labels.size(), "texts, each with its label");
  for (const int32_t label : labels)
    ensure(0 <= label && label < classes, "labels below {}, not {}", classes, label);
  model.options_.feature = feature;
  model.symbols_ = symbols;
  model.classes_ = classes;

  const auto width = static_cast<std::size_t>(symbols);
  const auto n = static_cast<double>(rows());
  std::vector<double> all(rows() * width), mean(width), square(width);
  for (std::size_t i = 0; i < rows(); ++i) {
    const auto row = std::span(all).subspan(i * width, width);
    features_of(train.texts[i], feature, row);
    for (std::size_t j = 0; j < width; ++j) mean[j] += row[j] / n;
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double distance = all[i] - mean[i % width];
    square[i % width] += distance * distance / n;
  }
  for (std::size_t j = 0; j < width; ++j) {
    if (!(square[j] > 1e-18)) continue;  // constant but for rounding
    model.columns_.push_back(static_cast<int32_t>(j));
    model.means_.push_back(mean[j]);
    model.deviations_.push_back(std::sqrt(square[j]));
  }
  x.reserve(rows() * columns());
  for (std::size_t i = 0; i < rows(); ++i)
    for (std::size_t c = 0; c < columns(); ++c)
      x.push_back((all[i * width + static_cast<std::size_t>(model.columns_[c])] - model.means_[c]) /
                  model.deviations_[c]);
  model.weights_.assign(outputs_of(classes) * (columns() + 1), 0.0);
}

double ByteCountFit::objective(double penalty, std::span<const double> weights,
                               std::span<double> gradient) const {
  const std::size_t m = columns();
  const auto n = static_cast<double>(rows());
  std::vector<double> z(weights.size() / (m + 1));
  std::fill(gradient.begin(), gradient.end(), 0.0);
  double loss = 0;
  for (std::size_t i = 0; i < rows(); ++i) {
    const double* row = x.data() + i * m;
    logits_of(row, m, weights, z);
    loss += loss_of(z, labels[i]);
    for (std::size_t k = 0; k < z.size(); ++k) {
      double* g = gradient.data() + k * (m + 1);
      for (std::size_t j = 0; j < m; ++j) g[j] += z[k] * row[j];
      g[m] += z[k];
    }
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const bool bias = i % (m + 1) == m;
    if (!bias) {
      loss += penalty / 2 * weights[i] * weights[i];
      gradient[i] += penalty * weights[i];
    }
    gradient[i] /= n;
  }
  return loss / n;
}

void ByteCountFit::fit(double penalty, double gradient_bound) {
  model.options_.penalty = penalty;
  const auto loss = [&](std::span<const double> w, std::span<double> g) { return objective(penalty, w, g); };
  LbfgsOptions options;
  options.gradient_bound = gradient_bound;
  model.weights_ = minimise(loss, std::move(model.weights_), options).x;
}

std::string_view name_of(CountFeature feature) {
  switch (feature) {
    case CountFeature::count:
      return "count";
    case CountFeature::frequency:
      return "frequency";
    case CountFeature::root_frequency:
      return "root_frequency";
    case CountFeature::log_count:
      return "log_count";
  }
  ensure(false, "a count feature");
  return "";
}

ByteCountClassifier ByteCountClassifier::fit(const LabelledTexts& train, int64_t symbols, int64_t classes,
                                             const ByteCountOptions& options) {
  ByteCountFit task(train, symbols, classes, options.feature);
  task.fit(options.penalty, 1e-7);
  return std::move(task.model);
}

ByteCountClassifier ByteCountClassifier::fit_best(const LabelledTexts& train, const LabelledTexts& validation,
                                                  int64_t symbols, int64_t classes) {
  constexpr double kGradientBound = 1e-5;  // tighter moves no prediction that matters to an accuracy
  std::optional<ByteCountClassifier> best;
  double best_accuracy = -1;
  for (const auto feature :
       {CountFeature::root_frequency, CountFeature::log_count, CountFeature::frequency}) {
    ByteCountFit task(train, symbols, classes, feature);
    for (const double penalty : {1000.0, 100.0, 10.0, 1.0}) {  // each starts where the stronger one ended
      task.fit(penalty, kGradientBound);
      const double reached = accuracy(task.model.predict(validation.texts), validation.labels).value;
      if (!(reached > best_accuracy)) continue;
      best = task.model;
      best_accuracy = reached;
    }
  }
  ensure(best.has_value(), "validation texts to choose on");
  return *best;
}

std::vector<double> ByteCountClassifier::probabilities(Text text) const {
  std::vector<double> all(static_cast<std::size_t>(symbols_)), x(columns_.size());
  features_of(text, options_.feature, all);
  for (std::size_t c = 0; c < x.size(); ++c)
    x[c] = (all[static_cast<std::size_t>(columns_[c])] - means_[c]) / deviations_[c];
  std::vector<double> p(outputs_of(classes_));
  logits_of(x.data(), x.size(), weights_, p);
  to_probabilities(p);
  if (classes_ == 2) return {1 - p[0], p[0]};
  return p;
}

int32_t ByteCountClassifier::predict(Text text) const {
  const auto p = probabilities(text);
  return static_cast<int32_t>(std::max_element(p.begin(), p.end()) - p.begin());
}

std::vector<int32_t> ByteCountClassifier::predict(std::span<const Text> texts) const {
  std::vector<int32_t> labels;
  for (const Text text : texts) labels.push_back(predict(text));
  return labels;
}

}  // namespace attnlab
