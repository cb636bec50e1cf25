#include "metrics/byte_counts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "core/random.h"
#include "metrics/statistics.h"

namespace attnlab {
namespace {

template <class T>
std::vector<T> numbers(const std::string& list) {
  std::vector<T> values;
  std::stringstream in(list);
  for (std::string item; std::getline(in, item, ',');) values.push_back(static_cast<T>(std::stod(item)));
  return values;
}

/// One fit of scikit-learn's.
struct Golden {
  ByteCountOptions options;
  std::vector<std::vector<uint8_t>> texts;
  std::vector<int32_t> labels;
  std::vector<std::vector<double>> probabilities;

  LabelledTexts labelled() const { return {{texts.begin(), texts.end()}, labels}; }
};

CountFeature feature_named(const std::string& name) {
  for (const auto feature : {CountFeature::count, CountFeature::frequency, CountFeature::root_frequency})
    if (name == name_of(feature)) return feature;
  return CountFeature::log_count;
}

std::map<std::string, Golden> read(const std::string& name) {
  std::map<std::string, Golden> cases;
  std::ifstream in(ATTNLAB_SOURCE_DIR "/tests/golden/" + name);
  for (std::string feature, penalty, label, probabilities, text;
       in >> feature >> penalty >> label >> probabilities >> text;) {
    Golden& golden = cases[feature];
    golden.options = {feature_named(feature), std::stod(penalty)};
    golden.labels.push_back(std::stoi(label));
    golden.probabilities.push_back(numbers<double>(probabilities));
    golden.texts.push_back(numbers<uint8_t>(text));
  }
  return cases;
}

void expect_parity(const std::string& file, std::size_t cases, int64_t symbols, int64_t classes) {
  const auto goldens = read(file);
  ASSERT_EQ(goldens.size(), cases);
  for (const auto& [feature, golden] : goldens) {
    const auto model = ByteCountClassifier::fit(golden.labelled(), symbols, classes, golden.options);
    for (std::size_t i = 0; i < golden.texts.size(); ++i) {
      const auto p = model.probabilities(golden.texts[i]);
      ASSERT_EQ(p.size(), golden.probabilities[i].size());
      for (std::size_t k = 0; k < p.size(); ++k)
        EXPECT_NEAR(p[k], golden.probabilities[i][k], 1e-5) << feature << ", text " << i << ", class " << k;
    }
  }
}

// tests/golden/make_logistic.py: scikit-learn's LogisticRegression.
TEST(ByteCounts, AgreeWithScikitLearnOnTwoClasses) { expect_parity("logistic_two.tsv", 4, 12, 2); }
TEST(ByteCounts, AgreeWithScikitLearnOnTenClasses) { expect_parity("logistic_ten.tsv", 2, 15, 10); }

TEST(ByteCounts, DoNotSeeTheOrder) {
  const Golden golden = read("logistic_two.tsv").at("count");
  const auto model = ByteCountClassifier::fit(golden.labelled(), 12, 2, golden.options);
  std::vector<uint8_t> reversed(golden.texts[5].rbegin(), golden.texts[5].rend());
  EXPECT_EQ(model.probabilities(golden.texts[5]), model.probabilities(reversed));
}

TEST(ByteCounts, TakeTextsThatTheyWereNotFittedOn) {
  const std::vector<std::vector<uint8_t>> texts = {{0, 0, 1}, {0, 1, 1}, {0, 0, 0}, {1, 1, 1}};
  const auto model = ByteCountClassifier::fit({{texts.begin(), texts.end()}, {0, 1, 0, 1}}, 256, 2, {});
  EXPECT_EQ(model.predict(std::vector<uint8_t>{0, 0, 0, 1, 200}), 0);  // 200 never occurred
  EXPECT_EQ(model.predict(std::vector<uint8_t>{1}), 1);
  const auto nothing = model.probabilities({});
  EXPECT_NEAR(nothing[0] + nothing[1], 1, 1e-12);
}

TEST(ByteCounts, RefuseSymbolsAndLabelsOutOfBounds) {
  const std::vector<uint8_t> text = {9};
  EXPECT_THROW(ByteCountClassifier::fit({{text}, {0}}, 9, 2, {}), std::logic_error);
  EXPECT_THROW(ByteCountClassifier::fit({{text}, {2}}, 10, 2, {}), std::logic_error);
  EXPECT_THROW(ByteCountClassifier::fit({{}, {}}, 10, 2, {}), std::logic_error);
}

/// Texts of lengths 4 to 400 over three symbols, whose classes prefer different ones a little.
LabelledTexts draw(std::vector<std::vector<uint8_t>>& texts, uint64_t seed) {
  Random random(seed);
  LabelledTexts all;
  for (int i = 0; i < 200; ++i) {
    const auto label = static_cast<int32_t>(random.below(2));
    std::vector<uint8_t> text(4 + random.below(397));
    for (auto& symbol : text)
      symbol = random.uniform() < (label == 1 ? 0.53 : 0.47) ? 0 : 1 + random.below(2);
    texts.push_back(text);
    all.labels.push_back(label);
  }
  all.texts.assign(texts.begin(), texts.end());
  return all;
}

TEST(ByteCounts, BestFitIsTheBestOnValidation) {
  std::vector<std::vector<uint8_t>> train_texts, validation_texts;
  const LabelledTexts train = draw(train_texts, 1), validation = draw(validation_texts, 2);
  const auto reached = [&](const ByteCountClassifier& model) {
    return accuracy(model.predict(validation.texts), validation.labels).value;
  };
  const auto best = ByteCountClassifier::fit_best(train, validation, 3, 2);
  EXPECT_GT(reached(best), 0.7);
  EXPECT_LT(reached(best), 1.0);  // else every fit would be the best
  for (const auto feature : {CountFeature::frequency, CountFeature::root_frequency, CountFeature::log_count})
    for (const double penalty : {1.0, 10.0, 100.0, 1000.0})
      EXPECT_LE(reached(ByteCountClassifier::fit(train, 3, 2, {feature, penalty})), reached(best));

  const auto again = ByteCountClassifier::fit(train, 3, 2, best.options());
  for (const auto& text : validation.texts)  // the search stops at a coarser gradient
    EXPECT_NEAR(best.probabilities(text)[1], again.probabilities(text)[1], 1e-3);
}

}  // namespace
}  // namespace attnlab
