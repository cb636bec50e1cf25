// The floor of byte-level classification: a logistic regression that sees how often each symbol occurs and
// nothing of their order. A sequence model has learned something of a language only where it gets beyond
// this.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace attnlab {

/// What the regression reads of a symbol that occurs c times in a text of n symbols. Every feature is then
/// standardised on the training texts; symbols that never vary there are left out.
enum class CountFeature {
  count,           ///< c
  frequency,       ///< c / n
  root_frequency,  ///< sqrt(c / n): steadies the variance of rare symbols
  log_count,       ///< log(1 + c)
};
std::string_view name_of(CountFeature feature);

struct ByteCountOptions {
  CountFeature feature = CountFeature::root_frequency;
  double penalty =
      10;  ///< λ of λ/2·‖weights‖² beside the summed log loss (1/C in scikit-learn); biases are free
};

/// Texts and their labels. Cut the texts to the symbols that the model under comparison sees.
struct LabelledTexts {
  std::vector<std::span<const uint8_t>> texts;
  std::vector<int32_t> labels;
};

/// Logistic regression on symbol counts: one output for two classes, softmax over all classes for more.
class ByteCountClassifier {
 public:
  /// Fits by L-BFGS. Symbols are below `symbols`, labels below `classes`; there is at least one text.
  static ByteCountClassifier fit(const LabelledTexts& train, int64_t symbols, int64_t classes,
                                 const ByteCountOptions& options);

  /// Fits every feature but `count` under a range of penalties and keeps the one with the best accuracy on
  /// `validation`; of equals, the stronger penalty. Never sees the test texts.
  static ByteCountClassifier fit_best(const LabelledTexts& train, const LabelledTexts& validation,
                                      int64_t symbols, int64_t classes);

  /// Probability of each class.
  std::vector<double> probabilities(std::span<const uint8_t> text) const;
  /// The most probable class, the lowest of equals.
  int32_t predict(std::span<const uint8_t> text) const;
  /// Predictions of all these texts.
  std::vector<int32_t> predict(std::span<const std::span<const uint8_t>> texts) const;

  const ByteCountOptions& options() const { return options_; }

 private:
  friend struct ByteCountFit;
  ByteCountOptions options_;
  int64_t symbols_ = 0, classes_ = 0;
  std::vector<int32_t> columns_;            ///< symbols in use, ascending
  std::vector<double> means_, deviations_;  ///< of the columns
  std::vector<double> weights_;             ///< outputs × (columns + 1); each row ends with its bias
};

}  // namespace attnlab
